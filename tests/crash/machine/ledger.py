"""The product under trial: a package that is small, a configuration that points at it, and a boot that is short.

A boot of the emulated machine takes 20 seconds and more. Here the machine, and not the agent, makes it cheap: the
target that logind starts for a reboot only notes that it was asked for, and boot() does what a boot does to the agent:
/run is empty, nothing is mounted, the boot id is another one, um-upgrade-rollback.service is started where an upgrade
is to be rolled back, and um-upgrade-verify.service where none is.

The rpm database is short, too, and what is protected is the ledger's alone: what is kept for a rollback costs system
calls for each file, and nothing is learnt from the thousandth.
"""
import pathlib
import shutil
import subprocess
import time
import uuid

from machine import CRASH, UNIT_OF, loop_devices, output, reboot_is_coming, start, wait_until

HERE = pathlib.Path(__file__).resolve().parent
STATE = pathlib.Path("/var/lib/um-upgrade")
MOUNT_POINT = "/root/upgrade"
ROLLBACK, DUE = STATE / "rollback", STATE / "rollback-due"
DATA = pathlib.Path("/var/lib/ledger")
RECORDS = DATA / "store" / "records"  # what is kept of it; what is beside counts how often what was done
SETTINGS = pathlib.Path("/etc/ledger")
OLD, NEW = "4.3.0.0", "4.7.0.0"
STEADY = 31  # seconds; the agent wants 30
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
[rollback]
protect = /etc/ledger /opt/ledger
data = /var/lib/ledger/store
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
    for process, unit in UNIT_OF.items():
        directory = system / f"{unit}.d"
        directory.mkdir(exist_ok=True)
        wrapped = f"{HERE}/traced {process} /usr/sbin/um-upgrade {process}"
        (directory / "crash.conf").write_text(f"[Service]\nExecStart=\nExecStart={wrapped}\n")
    # What the trials do not need costs time. The reboot guard's two daemon-reloads are half of a trial: without them
    # its files come and go all the same.
    subprocess.run(["systemctl", "stop", "nginx", "vmware-um-journal", "vmware-um-login"], check=True)
    apply = pathlib.Path("/usr/lib/systemd/system/um-upgrade-apply.service")
    apply.write_text("".join(line for line in apply.read_text().splitlines(True) if "daemon-reload" not in line))
    platform = output("rpm", "--query", "--all", "um-platform-*", "cloudusagemetering").split()
    subprocess.run(["rpm", "--erase", "--justdb", "--nodeps", "--noscripts", "--notriggers", *platform], check=True)
    CRASH.mkdir()
    RECORDS.parent.mkdir(parents=True)
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
    if DUE.exists():
        start("um-upgrade-rollback.service")
        if reboot_asked_for():
            return
    start_product()
    if "\nrollback = taken\n" in record() and (CRASH / "proof").exists():
        (CRASH / "proof").rename(CRASH / "verify")  # of all verifications, the one that is to be traced
    start("um-upgrade-verify.service")


def start_product():
    """And waits until it is not new any more: else the agent looks again and again, and how often depends on time."""
    start("ledger.service")
    since = output("systemctl", "show", "--property=ActiveEnterTimestampMonotonic", "--value", "ledger.service")
    wait_until("the product is steady", lambda: time.monotonic() > int(since) / 1e6 + STEADY)


def reboot_asked_for():
    wait_until("the reboot has come", lambda: REBOOT.exists() or not reboot_is_coming())
    return REBOOT.exists()


def record():
    return (STATE / "state.ini").read_text() if (STATE / "state.ini").exists() else ""


def closed():
    """Whether the record stands, and is closed."""
    return "\noutcome = " in record()


def reset(story):
    """The appliance as it was before the first upgrade, with the media of that story."""
    forget()
    for path in STATE.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()
    for path in CRASH.iterdir():
        if path.name not in (BOOT_ID.name, "cursor"):
            path.unlink()
    shutil.copytree(HERE / story, STATE / "media")
    shutil.rmtree(SETTINGS, ignore_errors=True)
    install(OLD)
    start_product()
    (SETTINGS / "local.conf").write_text("local\n")
    (DATA / "changes").write_text("")
    RECORDS.write_text("1 2 3\n")
