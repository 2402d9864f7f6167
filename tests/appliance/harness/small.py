"""A product of one file, and media whose script renews it in a moment: what else the script does is the scenario."""
import json
import subprocess

import jsonschema

from .cache import PROJECT
from .machine import CommandFailed, Unreachable, wait_until
from .media import make_iso, sign
from .products import VERSION

SCHEMA = json.loads((PROJECT / "agent" / "check.schema.json").read_text())
HOME = "/opt/scenario"
PRODUCT = f"{HOME}/version"
NEW = f"echo {VERSION} >{PRODUCT}\n"
OLD = "4.3.0.0"
# Nothing is rolled back: the scenarios look at what a failure leaves, and test_rollback.py asks for more.
CONFIGURATION = f"""[product]
version_command = cat {PRODUCT}
[snapshot]
confirmation = assume
[reboot]
policy = manual
[rollback]
mode = off
"""
DROP_IN = "/etc/um-upgrade/um-upgrade.conf.d"
RESET = f"echo {OLD} >{PRODUCT}; rm -f {DROP_IN}/60-scenario.conf; systemctl reset-failed 'um-upgrade*'"
APPLY = "um-upgrade-apply.service"
# For waiting: the record's file, and the last event of a kind, in one round trip. The agent shows the same, but an
# emulated processor takes ten times as long for it. What is asserted comes from the agent.
RECORD = "/var/lib/um-upgrade/state.ini"
GLANCE = f"cat {RECORD} 2>/dev/null || :"
END_OF_RECORD = "=== the last event"
LAST_EVENT = f"""{GLANCE}; echo; echo '{END_OF_RECORD}'
id=$(sed -n 's/^id = //p' {RECORD} 2>/dev/null)
[ -z "$id" ] || journalctl --quiet --lines=1 --output=cat SYSLOG_IDENTIFIER=um-upgrade UM_UPGRADE_ID=$id"""
# One round trip, because each costs a moment: what an end of an upgrade must not leave behind.
LEFT_BEHIND = (
    "findmnt --noheadings --list --output TARGET,SOURCE /root/upgrade; losetup --noheadings --list --output BACK-FILE; "
    "ls -d /run/systemd/system/*.target.d/um-upgrade.conf /var/lib/um-upgrade/work 2>/dev/null; "
    f"pgrep -af '[u]pgrade-um.sh'; systemctl is-active --quiet {APPLY} && echo {APPLY}; :"
)


def fields(text):
    """What the lines of a record say."""
    pairs = (line.partition("=") for line in text.splitlines())
    return {key.strip(): value.strip() for key, separator, value in pairs if separator}


class Upgrade:
    """An upgrade as its operator and its auditor see it once the agent has ended."""

    def __init__(self, appliance, status, printed, record):
        self.status, self.printed = status, printed
        for name in ("id", "stage", "outcome", "reason", "message", "hint", "attempts"):
            setattr(self, name, record[name])
        self.events = appliance.events(self.id)

    def told(self, kind):
        """The messages of its events of a kind."""
        return [event["MESSAGE"] for event in self.events if event["UM_EVENT"] == kind]

    def stages(self, kind):
        """The stages of its events of a kind."""
        return [event["UM_STAGE"] for event in self.events if event["UM_EVENT"] == kind]

    def warnings(self):
        """The reasons of what it warned of, besides the digest that the source's media have."""
        words = {event["UM_REASON"] for event in self.events if event["UM_EVENT"] == "warning"}
        return sorted(words - {"digest.weak"})

    def ended(self, outcome, reason, status, *words):
        """Asserts how it ended, that the message holds the words, and that the way out is named."""
        assert (self.outcome, self.reason, self.status) == (outcome, reason, status), self.message
        for word in words:
            assert word in self.message
        assert self.hint
        last = self.events[-1]
        assert (last["UM_EVENT"], last["UM_OUTCOME"], last["UM_REASON"]) == ("upgrade-finished", outcome, reason)
        if outcome == "needs-manual":
            assert self.told("stage-failed")

    def waits_for_the_reboot(self):
        """Asserts that the change is complete, and that nothing else was noteworthy."""
        assert (self.outcome, self.reason, self.stage, self.status) == (None, None, "reboot", 0), self.message
        assert "apply" in self.stages("stage-finished")
        assert len(self.told("reboot-requested")) == 1


class SmallProduct:
    """An appliance with a product of one file, which stands at the old version before each upgrade."""

    def __init__(self, appliance, directory):
        self.appliance, self._directory, self._media = appliance, directory, 0
        self.report = None  # what check() found
        self._last = None  # the id of the upgrade before the one that start() starts
        appliance.run(f"mkdir {HOME}; {RESET}; cat >{DROP_IN}/50-scenario.conf", input=CONFIGURATION)

    def configure(self, more):
        """What this scenario wants besides the configuration of them all."""
        self.appliance.run(f"cat >{DROP_IN}/60-scenario.conf", input=more)

    def version(self):
        return self.appliance.output(f"cat {PRODUCT}")

    def offer(self, script, *, repeatable=False, size=4 << 20, beside=()):
        """Media with this script in the agent's directory; beside: files that stand beside it."""
        self._media += 1
        out = self._directory / str(self._media)
        out.mkdir()
        files = {"upgrade-um.sh": "#!/bin/bash\n" + script, **{path.name: path.read_bytes() for path in beside}}
        if repeatable:
            files["um-upgrade.ini"] = "[script]\nrepeat = safe\n"
        self.appliance.offer(sign(make_iso(out, files, size)))

    def check(self):
        """Exit status of um-upgrade check and what it finds, as {reason: the first such finding}.

        Nothing of the digest, which is weak as the source's is. The report is as its schema says.
        """
        done = self.appliance.agent("check", "--json", check=False, limit=120)
        self.report = report = json.loads(done.stdout)
        jsonschema.validate(report, SCHEMA)
        assert not report["failure"], report["failure"]
        found = {finding["reason"]: finding for finding in reversed(report["findings"])}
        found.pop("digest.weak", None)
        return done.returncode, found

    # --- upgrades -----------------------------------------------------------------------------------------------
    def upgrade(self, script=None, **media):
        """Runs the agent as its unit does, without a terminal, on media with this script."""
        if script is not None:
            self.offer(script, **media)
        done = self.appliance.agent("run", check=False)
        return self.seen(done.returncode, done.stdout + done.stderr)

    def record(self):
        return json.loads(self.appliance.agent("status", "--json").stdout)["upgrade"]

    def glance(self):
        """The record as its file has it, {key: value}, for waiting; {} when there is none."""
        return fields(self.appliance.output(GLANCE))

    def seen(self, status=None, printed=""):
        return Upgrade(self.appliance, status, printed, self.record())

    def start(self):
        """Starts the unit and goes on at once."""
        self._last = self.glance().get("id")
        self.appliance.run("systemctl start --no-block um-upgrade")

    def wait_for(self, kind, stage=None):
        """Waits until the journal tells of an event of the upgrade that is at work."""

        told = f"{LAST_EVENT} UM_EVENT={kind}" + (f" UM_STAGE={stage}" if stage else "")

        def found():
            record, _, event = self.appliance.run(told, check=False).stdout.partition(f"\n{END_OF_RECORD}\n")
            if event.strip():
                return True
            assert not fields(record).get("outcome"), f"it has ended without {kind}: {fields(record)['message']}"
            return False

        wait_until(f"{kind} {stage or ''} is in the journal", found)

    def wait_for_file(self, path):
        """Waits until the script has come so far that it made a file."""
        look = f"test -e {path}"
        wait_until(f"the script has made {path}", lambda: self.appliance.run(look, check=False).returncode == 0)

    def wait_ended(self, unit="um-upgrade"):
        """Waits until a unit has ended, and returns the exit status of its program."""

        def ended():
            shown = fields(self.appliance.output(f"systemctl show {unit} -p ActiveState,ExecMainStatus"))
            return shown if shown["ActiveState"] in ("inactive", "failed") else None

        return int(wait_until(f"{unit} has ended", ended)["ExecMainStatus"])

    def boot_until_closed(self, limit, unless=None):
        """Boots the machine each time that it goes down until the upgrade has ended; returns how often that was.

        unless: the outcome of an upgrade that had ended and is rolled back by hand.
        """
        appliance, boots = self.appliance, 0

        def settled():
            try:
                if not appliance.in_this_boot():
                    return True
                record = self.glance()
            except (Unreachable, CommandFailed, subprocess.TimeoutExpired):
                return False  # on its way down
            return record.get("outcome", "") not in ("", unless) and (unless or record["id"] != self._last)

        while True:
            wait_until("the machine goes down, or the upgrade has ended", settled, limit=600)
            if appliance.in_this_boot():
                return boots
            boots += 1
            assert boots <= limit, "it goes on and on"
            appliance.kill()
            appliance.start()  # it may go down again before it answers

    # --- afterwards ---------------------------------------------------------------------------------------------
    def close(self):
        """Closes the record as a person does, sees that nothing was left behind, and puts the product back."""
        idle = "! systemctl list-units --no-legend 'um-upgrade*' | grep -q activating"
        wait_until("nobody is at work", lambda: self.appliance.run(idle, check=False).returncode == 0)
        done = self.appliance.agent("abandon", "--why", "the scenario has ended", check=False)
        assert done.returncode in (0, 2), done.stderr  # 2: there was nothing to abandon
        # The kernel clears a loop device as soon as udev, too, has done with it.
        look = f"{RESET}; {LEFT_BEHIND}"
        wait_until("nothing is left behind", lambda: self.appliance.output(look) == "", limit=10)
