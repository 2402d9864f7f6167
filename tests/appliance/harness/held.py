"""The agent, halted where an attacker or a power cut wants it: strace stops it at system calls until it may go on."""
import json
import subprocess

from .machine import PATIENCE, wait_until

LOG = "/run/held.strace"
RECORD = "/var/lib/um-upgrade"


class Held:
    def __init__(self, appliance, command, *halts, when=":when=1"):
        """halts: (path, system call); the agent stops at the first of these calls that concerns the path."""
        self._appliance, self._halted = appliance, 0
        paths = " ".join(f"-P '{path}'" for path in sorted({path for path, _ in halts}))
        calls = sorted({call for _, call in halts})
        inject = " ".join(f"-e inject={call}:signal=STOP{when}" for call in calls)
        appliance.run(f"rm -f {LOG}")
        # The shell stays, to tell the status of an agent that a signal ended.
        self._process = subprocess.Popen(
            [*appliance.ssh(), f"strace -f -o {LOG} {paths} -e trace={','.join(calls)} {inject} {command}; exit $?"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip

    def __enter__(self):
        return self

    def __exit__(self, *_):
        # It goes on to its end, where it clears up.
        wait_until("the agent ends", lambda: self._process.poll() is not None or self.go_on(), limit=60)
        self._process.stdout.close()

    def halts(self):
        """Waits until it halts the next time: False when it came to its end instead."""
        look = f"grep -c '^[0-9 ]*--- SIGSTOP {{' {LOG}"

        def halted():
            if self._process.poll() is not None:
                return "ended"
            return int(self._appliance.run(look, check=False).stdout or 0) > self._halted and "halted"

        if wait_until("the agent halts", halted) == "ended":
            return False
        self._halted += 1
        return True

    def signal(self, *names):
        self._appliance.run("; ".join(f"pkill -{name} -x um-upgrade" for name in names), check=False)

    def go_on(self):
        self.signal("CONT")

    def ended(self):
        """Waits for its end: status and output."""
        output, _ = self._process.communicate(timeout=120 * PATIENCE)
        return self._process.returncode, output


class HeldCheck(Held):
    def __init__(self, appliance, *halts):
        super().__init__(appliance, "um-upgrade check --json", *halts)

    def verdict(self):
        """Exit code and the reasons of what it refuses."""
        return verdict(*self.ended())


class HeldRun(Held):
    """um-upgrade run, halted each time that its record has been replaced."""

    def __init__(self, appliance):
        super().__init__(appliance, "um-upgrade run", (RECORD, "fsync"), when="")

    def reaches(self, stage):
        """Lets it go on until its record stands in the stage."""
        here = f"grep -q '^stage *= *{stage}$' {RECORD}/state.ini"
        while self.halts():
            if self._appliance.run(here, check=False).returncode == 0:
                return True
            self.go_on()
        return False


def verdict(status, output):
    findings = json.loads(output)["findings"]
    return status, [finding["reason"] for finding in findings if finding["severity"] == "refusal"]
