"""An appliance whose power can be cut for real, and whose story is heard outside as it happens."""
import contextlib
import json
import os
import pathlib
import subprocess
import tempfile

from harness.appliance import Appliance
from harness.machine import wait_until

from .disk import VolatileDisk

TICKS = os.sysconf("SC_CLK_TCK")
# What the journal says goes out line by line: the agent's events, and systemd's word that the boot is complete.
STARTUP_FINISHED = "b07a249cd024414a82dd00cd181378ff"
FIELDS = "UM_EVENT,UM_STAGE,UM_OUTCOME,UM_REASON,UM_UPGRADE_ID,MESSAGE_ID,MESSAGE"
WITNESS = f"""\
[Unit]
Description=Tells the host what the agent says, as it says it
# Early enough for a boot in which the upgrade is rolled back, which ends before basic.target.
DefaultDependencies=no
After=systemd-journal-flush.service local-fs.target
Before=shutdown.target
Conflicts=shutdown.target

[Service]
ExecStart=/bin/sh -c 'until [ -e /dev/virtio-ports/witness ]; do sleep 0.2; done; \
exec >/dev/virtio-ports/witness; echo; \
exec journalctl --follow --boot --lines=all --output=json --output-fields={FIELDS} \
SYSLOG_IDENTIFIER=um-upgrade + MESSAGE_ID={STARTUP_FINISHED}'

[Install]
WantedBy=sysinit.target
"""


class PoweredAppliance(Appliance):
    """Its disk is a file of its own, made from another one, behind a volatile write cache."""

    def __init__(self, name, disk, memory=None):
        """memory: of the machine that the disk is from, as save() left it; it goes on where that one stood."""
        super().__init__(name)
        self.disk = self.directory / "disk.raw"
        self.heard = self.directory / "witness"
        self._memory = memory
        self._heard_before = 0  # bytes, when this boot began
        self._spent_before = self._spent = 0.0
        copy(disk, self.disk)
        self._short = tempfile.TemporaryDirectory(prefix="um-disk-")  # a socket's path may have 100 characters only
        self._socket = f"{self._short.name}/socket"
        self.storage = VolatileDisk(self.disk, self._socket)

    def __exit__(self, *_):
        self.kill()
        self.storage.close()
        self._short.cleanup()

    def _disk_drive(self):
        return f"nbd+unix:///?socket={self._socket}", "raw"

    def _command_line(self, control):
        return super()._command_line(control) + [
            "-chardev", f"file,id=witness,path={self.heard},append=on",
            "-device", "virtserialport,chardev=witness,name=witness",
        ]  # fmt: skip

    def start(self):
        self._heard_before = self.heard.stat().st_size if self.heard.exists() else 0
        super().start()

    def in_this_boot(self):
        self.processor_time()  # as long as there is somebody to be asked
        return super().in_this_boot()

    def kill(self):
        self._spent_before = self.processor_time()
        super().kill()

    def cut(self, random, kept):
        """The power goes; see VolatileDisk.lose_power()."""
        self.kill()
        return self.storage.lose_power(random, kept)

    def save(self, directory):
        """Stops the machine for good; directory/memory and directory/disk.raw are what it was."""
        super().save(directory)
        copy(self.disk, directory / "disk.raw")

    def processor_time(self):
        """Seconds that the emulator has worked, over all boots: a clock that other work on the host does not hurry."""
        if self._process:
            with contextlib.suppress(FileNotFoundError):  # it has ended, and what was read last stands
                stat = pathlib.Path(f"/proc/{self._process.pid}/stat").read_text()
                user, system = stat.rpartition(")")[2].split()[11:13]
                self._spent = self._spent_before + (int(user) + int(system)) / TICKS
        return self._spent

    def install_witness(self):
        self.run(
            "cat >/etc/systemd/system/witness.service && systemctl enable --quiet --now witness.service", input=WITNESS
        )

    def said(self, this_boot=False):
        """What was heard so far, oldest first; a line that the power cut off is none."""
        entries = []
        if self.heard.exists():
            with open(self.heard, "rb") as stream:
                stream.seek(self._heard_before if this_boot else 0)
                for line in stream.read().splitlines():
                    with contextlib.suppress(ValueError):
                        entries.append(json.loads(line))
        return entries

    def events_heard(self, **options):
        return [entry for entry in self.said(**options) if "UM_EVENT" in entry]

    def boot_is_complete(self):
        return any(entry.get("MESSAGE_ID") == STARTUP_FINISHED for entry in self.said(this_boot=True))

    def nobody_is_at_work(self):
        """No job waits in systemd, and no unit of the agent is on its way."""
        listed = self.run(
            "systemctl list-jobs --no-legend && systemctl list-units --no-legend --plain "
            "--state=activating,deactivating,reloading 'um-upgrade*.service'", check=False
        )  # fmt: skip
        return (listed.returncode, listed.stdout) == (0, "")

    def wait_quiet(self):
        wait_until("nobody is at work any more", self.nobody_is_at_work)


def copy(source, target):
    """A disk image, holes and all."""
    subprocess.run(["cp", "--sparse=always", "--reflink=auto", str(source), str(target)], check=True)
