"""The product under trial: a package that is small, a configuration that points at it, and a boot that is short.

A boot of the emulated machine takes 20 seconds and more. Here the machine, and not the agent, makes it cheap: the
target that logind starts for a reboot only notes that it was asked for, and boot() does what a boot does to the agent:
/run is empty, nothing is mounted, the boot id is another one, and um-upgrade-verify.service is started.
"""
import pathlib
import shutil
import subprocess
import uuid

from machine import CRASH, UNITS, logind_reboots, loop_devices, start, wait_until

HERE = pathlib.Path(__file__).resolve().parent
STATE = pathlib.Path("/var/lib/um-upgrade")
MOUNT_POINT = "/root/upgrade"
DATA = pathlib.Path("/var/lib/ledger")
OLD, NEW = "4.3.0.0", "4.7.0.0"
BOOT_ID, KERNEL_BOOT_ID = CRASH / "boot_id", "/proc/sys/kernel/random/boot_id"
REBOOT = CRASH / "reboot"

CONFIGURATION = """\
[product]
version_command = cat /opt/ledger/version
[snapshot]
confirmation = assume
[hostname]
certificate = /etc/nginx/tls/appliance.crt
[verify]
units = ledger.service
status_command = /opt/ledger/status.sh
"""
REBOOT_TARGET = """\
[Unit]
DefaultDependencies=no
Requires=crash-reboot.service
After=crash-reboot.service
"""
REBOOT_SERVICE = f"""\
[Unit]
DefaultDependencies=no
[Service]
Type=oneshot
ExecStart=/usr/bin/touch {REBOOT}
"""


def prepare():
    """Everything that stays for all trials."""
    system = pathlib.Path("/etc/systemd/system")
    pathlib.Path("/etc/um-upgrade/um-upgrade.conf.d/ledger.conf").write_text(CONFIGURATION)
    (system / "reboot.target").write_text(REBOOT_TARGET)
    (system / "crash-reboot.service").write_text(REBOOT_SERVICE)
    for unit, process in zip(UNITS, ("run", "apply", "verify"), strict=True):
        directory = system / f"{unit}.d"
        directory.mkdir(exist_ok=True)
        wrapped = f"{HERE}/traced {process} /usr/sbin/um-upgrade {process}"
        (directory / "crash.conf").write_text(f"[Service]\nExecStart=\nExecStart={wrapped}\n")
    # What the trials do not need costs time. The reboot guard's two daemon-reloads are half of a trial: without them
    # its files come and go all the same.
    subprocess.run(["systemctl", "stop", "nginx", "vmware-um-journal", "vmware-um-login"], check=True)
    apply = pathlib.Path("/usr/lib/systemd/system/um-upgrade-apply.service")
    apply.write_text("".join(line for line in apply.read_text().splitlines(True) if "daemon-reload" not in line))
    CRASH.mkdir()
    DATA.mkdir()
    BOOT_ID.write_text(f"{uuid.uuid4()}\n")
    subprocess.run(["mount", "--bind", BOOT_ID, KERNEL_BOOT_ID], check=True)
    install(OLD)
    subprocess.run(["systemctl", "daemon-reload"], check=True)
    subprocess.run(["systemctl", "start", "ledger"], check=True)


def install(version):
    package = HERE / f"ledger-{version}-1.noarch.rpm"
    subprocess.run(["rpm", "--upgrade", "--force", "--oldpackage", package], stderr=subprocess.DEVNULL, check=True)


def is_mounted():
    return f" {MOUNT_POINT} " in pathlib.Path("/proc/self/mountinfo").read_text()


def forget():
    """What a boot takes away."""
    while is_mounted():
        subprocess.run(["umount", MOUNT_POINT], check=True)
    if loop_devices():
        subprocess.run(["losetup", "--detach-all"], check=True)
    shutil.rmtree("/run/um-upgrade", ignore_errors=True)
    REBOOT.unlink(missing_ok=True)
    for guard in guards():
        guard.unlink()


def guards():
    return list(pathlib.Path("/run/systemd/system").glob("*.target.d/*"))


def boot():
    forget()
    BOOT_ID.write_text(f"{uuid.uuid4()}\n")
    start("um-upgrade-verify.service")


def reboot_asked_for():
    wait_until("logind is done", lambda: REBOOT.exists() or not logind_reboots())
    return REBOOT.exists()


def closed():
    """Whether the record stands, and is closed."""
    record = STATE / "state.ini"
    return record.exists() and "\noutcome = " in record.read_text()


def reset():
    """The appliance as it was before the first upgrade."""
    forget()
    for path in STATE.iterdir():
        if path.name == "media":
            continue
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
    for path in CRASH.iterdir():
        if path.name not in (BOOT_ID.name, "cursor"):
            path.unlink()
    install(OLD)
    (DATA / "changes").write_text("")
    (DATA / "records").write_text("1 2 3\n")
