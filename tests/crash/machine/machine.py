"""What the trials need of the machine: its units, its loop devices, its patience."""
import pathlib
import subprocess
import time

CRASH = pathlib.Path("/run/crash")  # what passes between the trials and what they wrap
UNITS = ["um-upgrade.service", "um-upgrade-apply.service", "um-upgrade-verify.service"]


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
    """Which of the agent's units are active, on the way there, or about to be started."""
    shown = output("systemctl", "show", "--property=Id,ActiveState,Job", *UNITS)
    states = [dict(line.split("=", 1) for line in unit.splitlines()) for unit in shown.split("\n\n")]
    return [unit["Id"] for unit in states if unit["ActiveState"] not in ("inactive", "failed") or unit.get("Job")]


def settled():
    """Waits until no unit of the agent is at work and logind has done what it was asked for."""
    wait_until("the agent's units end", lambda: not at_work())
    login = ["org.freedesktop.login1", "/org/freedesktop/login1", "org.freedesktop.login1.Manager"]
    wait_until(
        "logind is done", lambda: output("busctl", "get-property", *login, "PreparingForShutdown") == "b false"
    )


def loop_devices():
    """The files that lie under loop devices."""
    return [path.read_text().strip() for path in pathlib.Path("/sys/block").glob("loop*/loop/backing_file")]
