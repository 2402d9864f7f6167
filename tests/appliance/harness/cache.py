"""Build products under build/appliance, each in a directory named after a digest of what it was made from."""
import fcntl
import hashlib
import os
import pathlib
import subprocess

PROJECT = pathlib.Path(__file__).resolve().parents[3]
HERE = PROJECT / "tests" / "appliance"
STORE = pathlib.Path(os.environ.get("UM_APPLIANCE_CACHE", PROJECT / "build" / "appliance"))


def digest_of(inputs):
    """One digest over files, trees and plain strings."""
    digest = hashlib.sha256()
    for item in inputs:
        digest.update(b"\0")
        if isinstance(item, str):
            digest.update(item.encode())
            continue
        for path in sorted(item.rglob("*")) if item.is_dir() else [item]:
            if path.is_file() and "__pycache__" not in path.parts:
                digest.update(f"\0{path.relative_to(item.parent)}\0{path.stat().st_mode & 0o111}\0".encode())
                digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def remove(directory):
    """Removes a tree, but never what a build that was killed left mounted in it: that is the host's /proc and /sys."""
    subprocess.run(["rm", "-rf", "--one-file-system", directory], check=True)


def cached(name, inputs, make):
    """The directory that make(directory) fills: made once for the same inputs, whole or not at all."""
    STORE.mkdir(parents=True, exist_ok=True)
    made = STORE / f"{name}-{digest_of(inputs)}"
    with open(STORE / f".{name}.lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not made.exists():
            # Only what is in use is kept: these directories are large.
            for old in STORE.glob(f"{name}-*"):
                remove(old)
            partial = STORE / f"{name}-partial"
            partial.mkdir()
            make(partial)
            partial.rename(made)
    return made


class BuildFailed(Exception):
    """A builder ended badly; the message holds what it printed."""


def build(*command):
    """Runs a builder and returns what it printed."""
    command = [str(part) for part in command]
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
    if done.returncode != 0:
        raise BuildFailed(f"{' '.join(command)}: status {done.returncode}\n{done.stdout}")
    return done.stdout
