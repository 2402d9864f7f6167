"""What the trials need of the machine: its units, its loop devices, its patience."""
import pathlib
import subprocess
import time

CRASH = pathlib.Path("/run/crash")  # what passes between the trials and what they wrap
# What each of the agent's processes is called here, and the unit that starts it.
UNIT_OF = {
    "run": "um-upgrade.service", "apply": "um-upgrade-apply.service",
    "verify": "um-upgrade-verify.service", "rollback": "um-upgrade-rollback.service",
}  # fmt: skip
# And the one that goes on with what a killed verification left.
UNITS = [*UNIT_OF.values(), "um-upgrade-resume.service"]


def output(*command):
    """What a command prints that must succeed."""
    return subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout.strip()


def printed(*command):
    """What a command prints, errors too, whatever its status is."""
    return subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True).stdout.strip()


def wait_until(what, condition, limit=300):
    """What condition() returns as soon as it is true; limit seconds only end what hangs."""
    end = time.monotonic() + limit
    while not (result := condition()):
        if time.monotonic() > end:
            raise TimeoutError(what)
        time.sleep(0.1)
    return result


def start(unit):
    """Starts a unit and waits for its end, however it ends."""
    subprocess.run(["systemctl", "start", unit], stderr=subprocess.DEVNULL)


def at_work():
    """Whether a process of the agent's units is there; a look that costs nothing."""
    return any(pathlib.Path(f"/sys/fs/cgroup/system.slice/{unit}").exists() for unit in UNITS)


def jobs(*units):
    """What systemd is about to start or stop."""
    return output("systemctl", "list-jobs", "--no-legend", *units)


def settled():
    """Waits until no unit of the agent is at work, nor about to be."""
    wait_until("the agent's units end", lambda: not at_work() and not jobs(*UNITS) and not at_work())


def end_at_work():
    """Ends what would not end by itself."""
    subprocess.run(["systemctl", "kill", "--signal=KILL", *UNITS], stderr=subprocess.DEVNULL)
    settled()


def reboot_is_coming():
    """Whether logind is about to start a reboot that it was asked for, or systemd is at it."""
    login = ["org.freedesktop.login1", "/org/freedesktop/login1", "org.freedesktop.login1.Manager"]
    asked = output("busctl", "get-property", *login, "PreparingForShutdown") != "b false"
    return asked or bool(jobs("reboot.target"))


def loop_devices():
    """The files that lie under loop devices."""
    return [path.read_text().strip() for path in pathlib.Path("/sys/block").glob("loop*/loop/backing_file")]
