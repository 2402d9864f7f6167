"""What every cut starts from: media, and an appliance that stands still where it would upgrade itself next."""
import contextlib
import functools
import json
import pathlib
import subprocess
import tempfile

from harness import products
from harness.appliance import MEDIA_DIRECTORY, SERVICES, SNAPSHOT, installed
from harness.cache import PROJECT, cached

from . import HERE
from .looking import look
from .machine import WITNESS, PoweredAppliance

MEDIA = {
    "packages": ["--no-script"],
    "repeatable": ["--repeatable-script"],
    "script": [],
    "failing": ["--script", HERE / "failing-upgrade-um.sh"],
}
# The product's store lives: it is kept while nobody writes to it.
CONFIGURATION = "[rollback]\ndata = /opt/vmware/cloudusagemetering/var\n"
# None of them has anything to say here, and every reload of systemd runs them all: seconds, when they are emulated.
WITHOUT_GENERATORS = (
    "mkdir -p /etc/systemd/system-generators && cd /usr/lib/systemd/system-generators && "
    "for name in *; do ln -s /dev/null /etc/systemd/system-generators/$name; done"
)
ELSEWHERE = "/root/media"  # all kinds of media, out of which each trial takes one


@functools.cache
def media():
    """A directory for each kind: the same packages, and what is said about how they are installed."""

    def make(out):
        for kind, options in MEDIA.items():
            (out / kind).mkdir()
            products.make_media(out / kind, *options, rpms=products.light_packages())

    inputs = [PROJECT / "rpm" / "media", HERE / "failing-upgrade-um.sh"]
    inputs += [products.light_packages().name, products.keys().name]
    return cached("power-media", inputs, make)


@functools.cache
def ready():
    """disk.raw and memory of an appliance that stands still where `systemctl start um-upgrade` is due; before.json."""

    def make(out):
        with tempfile.TemporaryDirectory(dir=out) as scratch:
            disk = pathlib.Path(scratch) / "disk.raw"
            subprocess.run(["qemu-img", "convert", "-O", "raw", str(installed()), str(disk)], check=True)
            appliance = PoweredAppliance("power-ready", disk)
        with appliance:
            appliance.wait_up()
            appliance.wait_active(*SERVICES)
            packed = subprocess.run(["tar", "-c", "-C", media(), *MEDIA], stdout=subprocess.PIPE, check=True).stdout
            unpack = f"mkdir {ELSEWHERE} && tar -x --no-same-owner -C {ELSEWHERE}"
            subprocess.run([*appliance.ssh(), unpack], input=packed, check=True)
            appliance.install_witness()
            appliance.run("cat >/etc/um-upgrade/um-upgrade.conf.d/trial.conf", input=CONFIGURATION)
            appliance.run(WITHOUT_GENERATORS)
            appliance.run(SNAPSHOT.replace("24h", "3650d"))
            appliance.wait_quiet()
            (out / "before.json").write_text(json.dumps(look(appliance)))
            appliance.run("sync")
            appliance.save(out)

    looks = [HERE / "look", PROJECT / "tests" / "appliance" / "harness" / "picture.py"]
    inputs = [WITNESS, CONFIGURATION, WITHOUT_GENERATORS, *looks, installed().parent.name, media().name]
    return cached("power-ready", inputs, make)


@contextlib.contextmanager
def begun(name, kind, enabled):
    """A machine of its own that begins to upgrade itself now. enabled: the unit is started by every boot, too."""
    with PoweredAppliance(name, ready() / "disk.raw", ready() / "memory") as appliance:
        appliance.wait_up()
        appliance.run(
            f"cp {ELSEWHERE}/{kind}/* {MEDIA_DIRECTORY}/ && sync && "
            + ("systemctl enable --quiet um-upgrade && " if enabled else "")
            + "systemctl start --no-block um-upgrade"
        )
        yield appliance


def before():
    """What look() saw of the appliance that is ready."""
    return json.loads((ready() / "before.json").read_text())


def afterwards():
    """The package set of 4.7: what was there, with the media's in the place of what they replace."""
    query = "%{NAME} %{NAME}-%{VERSION}-%{RELEASE}.%{ARCH} [%{OBSOLETENAME} ]\\n"
    rpms = sorted(str(path) for path in products.light_packages().glob("*.rpm"))
    lines = subprocess.run(["rpm", "-qp", "--qf", query, *rpms], capture_output=True, text=True, check=True).stdout
    new, gone = set(), set()
    for name, package, *obsoletes in map(str.split, lines.splitlines()):
        new.add(package)
        gone.update([name, *obsoletes])
    return sorted(new | {package for package in before()["packages"] if package.rsplit("-", 2)[0] not in gone})
