"""The appliance as its operator and its auditor know it: a Machine that runs the product."""
import collections
import contextlib
import inspect
import json
import shlex
import subprocess

from . import cache, machine, products
from .cache import build, cached
from .held import verdict
from .machine import Machine, wait_until

MEDIA_DIRECTORY = "/var/lib/um-upgrade/media"
MOUNT_POINT = "/root/upgrade"
# The product writes every second; who looks meanwhile waits for its turn.
STORE = "sqlite3 -readonly -cmd '.timeout 60000' /opt/vmware/cloudusagemetering/var/usage.db"
SERVICES = ["vmware-um-journal.service", "vmware-um-login.service"]
SERVICES_4_7 = [*SERVICES, "vmware-um-schedule.service"]
SNAPSHOT = "um-upgrade confirm-snapshot --name before-4.7 --valid-for 24h"


class Appliance(Machine):
    def __init__(self, name, **options):
        """A fresh appliance; what it leaves (console, acknowledgements) stands in build/appliance/run/NAME."""
        directory = cache.STORE / "run" / name
        if directory.exists():
            for old in directory.iterdir():
                old.unlink()
        if "saved" in options:
            options["carrier"] = products.carrier() / "disk.raw"
        super().__init__(directory, products.image(), products.keys() / "ssh", **options)

    # --- the operator -------------------------------------------------------------------------------------------
    def install_agent(self):
        """Installs the project's RPM as a user would, and pins the release root."""
        self.put(products.agent(), "/root/um-upgrade.rpm")
        self.run("dnf -q -y --releasever=3 --disablerepo='*' install /root/um-upgrade.rpm && rm /root/um-upgrade.rpm")
        self.pin("root.pem")

    def pin(self, certificate):
        self.put(products.keys() / certificate, "/etc/um-upgrade/trust.d/release.pem")

    def drop_media(self, *suffixes):
        """Copies the media from the carrier disk to the agent's directory; all four files unless told otherwise."""
        files = " ".join(f"/run/carrier/*.{suffix}" for suffix in suffixes or ("iso", "mf", "crt", "sign"))
        self.run(
            f"mkdir -p /run/carrier && mount -o ro,noload /dev/disk/by-id/virtio-carrier /run/carrier && "
            f"install -m 0644 {files} {MEDIA_DIRECTORY}/ && umount /run/carrier && rmdir /run/carrier"
        )

    def drop(self, path):
        self.put(path, f"{MEDIA_DIRECTORY}/{path.name}")

    def answer_for_rpm(self):
        """Spares the agent from asking rpm, for the product's version or its files: seconds, under emulation."""
        answer = f"[product]\nversion_command = echo {self.product_version()}\n[rollback]\nmode = off\n"
        self.run("cat >/etc/um-upgrade/um-upgrade.conf.d/answer.conf", input=answer)

    def offer(self, media):
        """Puts the media of a directory in the place of those that the agent's directory holds."""
        names = sorted(path.name for path in media.iterdir())
        packed = subprocess.run(
            ["tar", "-c", "--sparse", "--mode=0644", "-C", media, *names], stdout=subprocess.PIPE, check=True
        ).stdout
        unpack = f"rm -rf {MEDIA_DIRECTORY}/* && tar -x --no-same-owner -C {MEDIA_DIRECTORY}"
        subprocess.run([*self.ssh(), unpack], input=packed, check=True)

    def check(self, *arguments):
        """Exit code of um-upgrade check, and the reasons of what it refuses."""
        done = self.agent("check", "--json", *arguments, check=False, limit=120)
        return verdict(done.returncode, done.stdout)

    def agent(self, *arguments, **options):
        return self.run(shlex.join(["um-upgrade", *arguments]), **options)

    def start_with_nothing_to_do(self):
        """Starts um-upgrade.service, which must end well, and returns how many seconds the agent took."""
        properties = "Result ExecMainStatus ExecMainStartTimestampMonotonic ExecMainExitTimestampMonotonic"
        self.run("systemctl start um-upgrade")
        told = self.output(f"systemctl show um-upgrade -p {','.join(properties.split())}")
        shown = dict(line.split("=") for line in told.split())
        result, status, started, ended = (shown[name] for name in properties.split())
        assert (result, status) == ("success", "0")
        return (int(ended) - int(started)) / 1e6

    # --- the product --------------------------------------------------------------------------------------------
    def product_version(self):
        return self.output("rpm -q --qf '%{VERSION}' cloudusagemetering")

    def is_active(self, *units):
        return self.run(f"systemctl is-active --quiet {' '.join(units)}", check=False).returncode == 0

    def wait_active(self, *units):
        for unit in units:
            wait_until(f"{unit} is active", lambda unit=unit: self.is_active(unit))

    def store(self, query):
        return self.output(f"{STORE} {shlex.quote(query)}").splitlines()

    def schema(self):
        return int(self.store("PRAGMA user_version")[0])

    def stored(self):
        return {int(number) for number in self.store("SELECT number FROM usage")}

    def acknowledged(self):
        """How often the product said of each record, by its number, that it was safe, as the host heard it."""
        lines = self.acknowledgements.read_text().split("\n")
        return collections.Counter(int(line) for line in lines[:-1] if line.strip("\0"))

    def lost_records(self):
        """Acknowledged once, but no longer in the store. Read in this order: what is heard meanwhile is stored.

        The store gives each number once: one that was acknowledged twice had been lost in between.
        """
        acknowledged = self.acknowledged()
        again = {number for number, times in acknowledged.items() if times > 1}
        return (set(acknowledged) - self.stored()) | again

    def wait_records(self, more=2):
        """Waits until some more records were acknowledged than are now.

        After a rollback the store gives numbers anew, so each time counts that one was acknowledged.
        """
        target = self.acknowledged().total() + more
        wait_until(f"{more} more records", lambda: self.acknowledged().total() >= target)

    # --- the auditor --------------------------------------------------------------------------------------------
    def journal(self, *matches):
        """Journal entries, oldest first."""
        lines = self.output(shlex.join(["journalctl", "--quiet", "--output=json", "--all", *matches])).splitlines()
        return [json.loads(line) for line in lines]

    def events(self, upgrade=None):
        matches = ["SYSLOG_IDENTIFIER=um-upgrade"] + ([f"UM_UPGRADE_ID={upgrade}"] if upgrade else [])
        return [entry for entry in self.journal(*matches) if "UM_EVENT" in entry]

    def mounts(self):
        """Every mount and every loop device."""
        return self.output(
            "findmnt --noheadings --list --output TARGET,SOURCE,FSTYPE; echo; "
            "losetup --noheadings --list --output NAME,BACK-FILE"
        )

    @contextlib.contextmanager
    def mounts_restored(self):
        """Within, media are mounted; afterwards mounts and loop devices are what they were before."""
        before = self.mounts()
        try:
            yield
            # The kernel clears a loop device as soon as udev, too, has done with it.
            wait_until("mounts and loop devices are as before", lambda: self.mounts() == before, limit=10)
        except BaseException:
            # What one test leaves behind is not another one's failure.
            self.run(f"while umount {MOUNT_POINT} 2>/dev/null; do :; done; losetup -D")
            raise

    def picture(self):
        """What an upgrade that was refused must leave as it was; one round trip, because each costs a moment."""
        own = "grep -v '^um-upgrade'"
        looks = {
            "packages": "rpm -qa | sort",
            "unit files": f"systemctl list-unit-files --no-legend --no-pager --plain | {own}",
            "services": f"systemctl list-units --type=service --no-legend --no-pager --plain | {own}"
            " | awk '{print $1, $3, $4}' | grep -v '^systemd-'",
            "schema": f"{STORE} .schema",
            "mounts": "findmnt --noheadings --list --output TARGET,SOURCE",
            "loop devices": "losetup --noheadings --list --output NAME,BACK-FILE",
            "files": "find /etc /opt/vmware /usr/lib/systemd -type f -not -path '*/var/*' -print0"
            " | xargs -0 cksum | sort",
        }
        # Where the machine is slow, systemctl shall not give up after its 25 s and show nothing.
        printed = self.output("export SYSTEMD_BUS_TIMEOUT=300; " + "; echo '=== next look'; ".join(looks.values()))
        return dict(zip(looks, printed.split("=== next look\n"), strict=True))


def installed():
    """The disk of an appliance on which the agent has just been installed."""

    def make(out):
        appliance = Appliance("installing")
        try:
            appliance.start()
            appliance.wait_up()
            appliance.install_agent()
            appliance.power_off()
        finally:
            appliance.kill()
        appliance.disk.rename(out / "disk.qcow2")

    return cached("installed", [products.image().name, products.agent()], make) / "disk.qcow2"


def running():
    """What save() left of an appliance as installed() has it, booted, with the product at work and the carrier on it.

    A scenario that does not test the boot begins here.
    """

    def make(out):
        with Appliance("running", base=installed(), carrier=products.carrier() / "disk.raw") as appliance:
            appliance.wait_up()
            appliance.wait_active(*SERVICES)
            appliance.wait_records()
            wait_until("the boot is complete", lambda: appliance.output("systemctl list-jobs --no-legend") == "")
            appliance.run("sync")
            appliance.save(out)
        appliance.disk.rename(out / "disk.qcow2")

    devices = inspect.getsource(Machine._command_line)
    emulator = [build("qemu-system-x86_64", "--version"), machine.ACCELERATOR, machine.PROCESSOR, devices]
    return cached("running", [installed().parent.name, products.carrier().name, *emulator], make)
