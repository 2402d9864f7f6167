"""What an appliance is like, to the last attribute, and what differs between two looks.

The same file is the program that looks: python3 reads it in the appliance, in one round trip, because each costs a
moment.
"""
import fcntl
import glob
import json
import os
import pathlib
import shutil
import sqlite3
import stat
import struct
import subprocess
import sys
import tempfile
import zlib

DATA = "/opt/vmware/cloudusagemetering/var"
LIVE = f"{DATA}/usage.db"
SET_ASIDE = f"/var/lib/um-upgrade/rollback/*/data{LIVE}"
TREES = ["/etc", "/boot", "/opt/vmware"]
# Logs tell of what happened; the store is compared by its schema and its records; the agent's records are not the
# system, and its configuration is each scenario's own.
EXCLUDED = [
    "/opt/vmware/var/logs", "/var/lib/um-upgrade", "/etc/um-upgrade/um-upgrade.conf.d/60-scenario.conf",
    *(LIVE + more for more in ("", "-journal", "-wal", "-shm")),
]  # fmt: skip
GET_FLAGS = 0x80086601  # FS_IOC_GETFLAGS
IMMUTABLE = 0x10
LOOKS = {
    "packages": "rpm -qa --qf '%{NEVRA} %{INSTALLTIME}\\n' | sort",
    "verify": "{ rpm -Va || :; } | sort",  # it ends with 1 where it has something to say
    "database": "ls -A /var/lib/rpm | grep -v -e -shm -e -wal -e lock",
    # Where the machine is slow, systemctl shall not give up after its 25 s.
    "units": "SYSTEMD_BUS_TIMEOUT=300 systemctl list-unit-files --no-legend --no-pager --plain | awk '{print $1, $2}'",
    "schema": f"sqlite3 -readonly -cmd '.timeout 60000' {LIVE} 'PRAGMA user_version' .schema 'PRAGMA integrity_check'",
}


# --- in the appliance -------------------------------------------------------------------------------------------
def output(command):
    """What a command prints. A command that fails is no look."""
    done = subprocess.run(["bash", "-o", "pipefail", "-c", command], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    told = done.stdout.decode(errors="replace")
    if done.returncode != 0:
        sys.exit(f"{command}: status {done.returncode}\n{told}")
    return told


def is_excluded(path):
    return any(path == excluded or path.startswith(f"{excluded}/") for excluded in EXCLUDED) or "/.um-upgrade" in path


def content(path, status):
    if stat.S_ISLNK(status.st_mode):
        return os.readlink(path)
    if not stat.S_ISREG(status.st_mode):
        return str(status.st_rdev)
    with open(path, "rb") as stream:
        (flags,) = struct.unpack("q", fcntl.ioctl(stream, GET_FLAGS, bytes(8)))
        text = stream.read()
        # Nobody forges here, and an emulated processor takes ten times as long for a cryptographic digest.
        digest = f"{len(text)} {zlib.crc32(text):08x} {zlib.adler32(text):08x}"
        return f"{digest}{' immutable' if flags & IMMUTABLE else ''}"


def attributes(path):
    return {name: os.getxattr(path, name, follow_symlinks=False).hex()
            for name in os.listxattr(path, follow_symlinks=False)}  # fmt: skip


def describe(path, status):
    told = [stat.filemode(status.st_mode), f"{status.st_uid}:{status.st_gid}", content(path, status), attributes(path)]
    if not stat.S_ISDIR(status.st_mode):
        # A link from outside would be one of kept files that were not discarded. A directory's time is of no meaning.
        told += [status.st_nlink, status.st_mtime_ns]
    return told


def paths():
    """All in the trees, and every file of a package elsewhere."""
    for tree in TREES:
        yield tree
        for directory, directories, names in os.walk(tree):
            directories[:] = [name for name in directories if not is_excluded(f"{directory}/{name}")]
            yield from (f"{directory}/{name}" for name in directories + names)
    yield from output("rpm -qa --qf '[%{FILENAMES}\\n]'").splitlines()


def look():
    files, inodes = {}, {}
    for path in set(paths()):
        try:
            status = os.lstat(path)
        except FileNotFoundError:
            continue  # its package has it, and rpm -Va tells of it
        if is_excluded(path):
            continue
        files[path] = describe(path, status)
        if not stat.S_ISDIR(status.st_mode):
            inodes.setdefault((status.st_dev, status.st_ino), []).append(path)
    told = {name: output(command).splitlines() for name, command in LOOKS.items()}
    return {**told, "files": files, "groups": sorted(sorted(group) for group in inodes.values() if len(group) > 1)}


def numbers_in(store):
    """The records of a store; a copy of it may have to be recovered from its journal, and stays as it is."""
    with tempfile.TemporaryDirectory() as scratch:
        path = store
        if store != LIVE:
            for file in glob.glob(f"{store}*"):
                shutil.copy(file, scratch)
            path = f"{scratch}/{os.path.basename(store)}"
        with sqlite3.connect(path, timeout=60) as db:
            return [number for (number,) in db.execute("SELECT number FROM usage")]


# --- outside ----------------------------------------------------------------------------------------------------
def _ask(appliance, what):
    program = pathlib.Path(__file__).read_text()
    return json.loads(appliance.run(f"python3 - {what}", input=program).stdout)


def picture(appliance):
    """The trees that are protected, the files of packages, the packages, what rpm says of them, units and schema."""
    return _ask(appliance, "look")


def differences(before, after):
    """One line for each thing that is not as it was."""
    found = []
    for name in before:
        if isinstance(before[name], dict):
            changed = {key for key in {*before[name], *after[name]} if before[name].get(key) != after[name].get(key)}
            found += [f"{key}: {before[name].get(key)} -> {after[name].get(key)}" for key in sorted(changed)]
        else:
            found += [f"{name}: gone: {line}" for line in before[name] if line not in after[name]]
            found += [f"{name}: new: {line}" for line in after[name] if line not in before[name]]
    return found


def lost_records(appliance):
    """Records that the product said were safe, and that are neither in its store nor in one that was set aside."""
    acknowledged = appliance.acknowledged()  # read first: what is heard meanwhile is stored
    return lost(acknowledged, _ask(appliance, "records"))


def lost(acknowledged, stores):
    """Numbers that were acknowledged more often than there are stores which hold them.

    A store that was put back gives numbers a second time: such a record must be in one more store.
    """
    stores = [set(numbers) for numbers in stores]
    return {number for number, times in acknowledged.items() if times > sum(number in store for store in stores)}


if __name__ == "__main__":
    told = look() if sys.argv[1] == "look" else [numbers_in(store) for store in [LIVE, *glob.glob(SET_ASIDE)]]
    print(json.dumps(told))
