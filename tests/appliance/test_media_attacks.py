"""Media exchanged or written to under the agent's hands, and an agent that dies with them. One machine serves all."""
import pytest

from harness.appliance import MEDIA_DIRECTORY, MOUNT_POINT, SNAPSHOT, running
from harness.held import HeldCheck, verdict
from harness.media import CONTENT, make_iso, sign
from harness.products import STEM

ISO = f"{MEDIA_DIRECTORY}/{STEM}.iso"
READY = (0, [])
CHANGED = (4, ["media.changed"])
# Where the check halts: at the first chunk of the digest; on the way to the mount, when a free loop device is found,
# and when it lies over the file; at the mount.
DIGEST, DRIVE_DIGEST = (ISO, "pread64"), ("/dev/sr0", "pread64")
LOOP_FOUND, LOOP_MADE = ("/dev/loop-control", "ioctl"), ("/dev/loop0", "ioctl")
MOUNTED = ("/dev/loop0", "mount")


@pytest.fixture(scope="module")
def machine(start, tmp_path_factory):
    machine = start(saved=running())
    machine.answer_for_rpm()
    machine.run(SNAPSHOT)
    machine.genuine = make_iso(tmp_path_factory.mktemp("genuine"), {**CONTENT, "whose": "genuine"})
    sign(machine.genuine)
    machine.evil = make_iso(tmp_path_factory.mktemp("evil"), {**CONTENT, "whose": "evil"})
    machine.large = sign(make_iso(tmp_path_factory.mktemp("large"), CONTENT, size=200 << 20))
    machine.put(machine.evil, "/root/evil.iso")
    return machine


@pytest.fixture
def appliance(machine):
    """Genuine media in the directory; mounts and loop devices are afterwards what they were before."""
    machine.offer(machine.genuine.parent)
    with machine.mounts_restored():
        yield machine


@pytest.fixture
def drive(appliance):
    """The genuine medium in the drive, its sidecars in the directory."""
    appliance.run(f"rm {ISO}")
    appliance.insert_cd(appliance.genuine)
    yield appliance
    appliance.eject_cd()


def whose(appliance):
    """Whose medium is mounted."""
    return appliance.output(f"cat {MOUNT_POINT}/whose")


# --- the file ---------------------------------------------------------------------------------------------------
EXCHANGES = {
    "renamed away": f"cp /root/evil.iso {ISO}.new && mv {ISO} {ISO}.old && mv {ISO}.new {ISO}",
    "replaced": f"cp /root/evil.iso {ISO}.new && mv {ISO}.new {ISO}",
    "given another mode": f"chmod 0600 {ISO}",
}


@pytest.mark.parametrize("exchange", EXCHANGES)
def test_a_file_exchanged_during_the_digest_is_noticed(appliance, exchange):
    with HeldCheck(appliance, DIGEST) as check:
        assert check.halts()
        appliance.run(EXCHANGES[exchange])
        check.go_on()
        assert check.verdict() == CHANGED


@pytest.mark.parametrize(
    "halt, exchange",
    [
        pytest.param(LOOP_FOUND, "replaced", id="before a loop device is made"),
        pytest.param(LOOP_FOUND, "renamed away", id="before it is made, and another takes its name"),
        pytest.param(LOOP_MADE, "renamed away", id="when it is made"),
    ],
)
def test_a_file_exchanged_at_the_mount_is_not_mounted_and_noticed(appliance, halt, exchange):
    mounted = None
    with HeldCheck(appliance, halt, MOUNTED) as check:
        assert check.halts()
        appliance.run(EXCHANGES[exchange])
        check.go_on()
        if check.halts():
            mounted = whose(appliance)
            check.go_on()
        assert check.verdict() == CHANGED
    assert mounted in ("genuine", None)


def test_a_file_that_is_away_during_the_digest_is_not_what_is_mounted(appliance):
    with HeldCheck(appliance, DIGEST, LOOP_FOUND, MOUNTED) as check:
        assert check.halts()
        appliance.run(EXCHANGES["renamed away"])
        check.go_on()
        if check.halts():
            appliance.run(f"mv {ISO}.old {ISO}")
            check.go_on()
        if check.halts():
            assert whose(appliance) == "genuine"
            check.go_on()
        assert check.verdict() == CHANGED


def test_a_file_that_becomes_genuine_later_is_refused(appliance):
    appliance.run(f"mv {ISO} {ISO}.old && cp /root/evil.iso {ISO}")
    with HeldCheck(appliance, DIGEST) as check:
        assert check.halts()
        appliance.run(f"mv {ISO}.old {ISO}")
        check.go_on()
        _, reasons = check.verdict()
        assert reasons and set(reasons) <= {"media.changed", "manifest.mismatch"}


# --- the drive --------------------------------------------------------------------------------------------------
# Somebody else asks the drive whether its medium was changed, before the agent can.
HEAR = "import fcntl, os; fcntl.ioctl(os.open('/dev/cdrom', os.O_RDONLY | os.O_NONBLOCK), 0x5325, 0x7fffffff)"


def test_a_medium_exchanged_during_the_digest_is_noticed(drive):
    with HeldCheck(drive, DRIVE_DIGEST) as check:
        assert check.halts()
        drive.eject_cd()
        drive.insert_cd(drive.evil)
        check.go_on()
        status, reasons = check.verdict()
        assert status in (4, 5)
        assert reasons and set(reasons) <= {"media.changed", "media.unreadable", "manifest.mismatch"}


@pytest.mark.parametrize(
    "halt, then",
    [
        pytest.param(LOOP_FOUND, "true", id="before the mount"),
        pytest.param(LOOP_FOUND, f'python3 -c "{HEAR}"', id="before the mount, and another hears of it"),
        pytest.param(MOUNTED, "true", id="after the mount"),
    ],
)
def test_a_medium_exchanged_at_the_mount_is_noticed(drive, halt, then):
    with HeldCheck(drive, halt) as check:
        assert check.halts()
        drive.eject_cd()
        drive.insert_cd(drive.evil)
        drive.run(then)
        check.go_on()
        assert check.verdict() == CHANGED


# --- writers ----------------------------------------------------------------------------------------------------
def test_a_file_that_is_open_for_writing_is_refused(appliance):
    check = f"open('{ISO}', 'r+b') as iso: sys.exit(subprocess.run(['um-upgrade', 'check', '--json']).returncode)"
    done = appliance.run(f'python3 -c "import subprocess, sys\nwith {check}"', check=False)
    assert verdict(done.returncode, done.stdout) == (4, ["media.insecure"])


def test_who_wants_to_write_meanwhile_has_to_wait_and_is_noticed(appliance):
    write = f'python3 -c "import os; os.open(\'{ISO}\', os.O_WRONLY | os.O_NONBLOCK)"'
    with HeldCheck(appliance, DIGEST) as check:
        assert check.halts()
        assert "BlockingIOError" in appliance.run(write, check=False).stderr
        check.go_on()
        assert check.verdict() == CHANGED
    appliance.run(write)


# --- the end of the agent ---------------------------------------------------------------------------------------
def test_asked_to_end_during_the_digest_it_ends_at_once(appliance):
    appliance.offer(appliance.large)
    with HeldCheck(appliance, DIGEST) as check:
        assert check.halts()
        # To be measured where it happens; the digest of this medium takes ten seconds and more.
        stamps = appliance.output(
            "date +%s.%N; agent=$(pgrep -x um-upgrade); kill -TERM $agent; kill -CONT $agent; "
            "while kill -0 $agent 2>/dev/null; do :; done; date +%s.%N"
        )
        began, ended = map(float, stamps.split())
        assert ended - began < 2
        assert check.ended()[0] == 128 + 15
    assert '"state": "idle"' in appliance.output("um-upgrade status --json")


def test_killed_at_the_mount_it_leaves_no_loop_device(appliance):
    with HeldCheck(appliance, LOOP_MADE) as check:
        assert check.halts()
        check.signal("KILL")
        assert check.ended()[0] == 128 + 9


def test_killed_after_the_mount_the_next_check_clears_up(appliance):
    with HeldCheck(appliance, MOUNTED) as check:
        assert check.halts()
        check.signal("KILL")
        assert check.ended()[0] == 128 + 9
    assert MOUNT_POINT in appliance.mounts()
    assert appliance.check() == READY
    assert MOUNT_POINT not in appliance.mounts()
