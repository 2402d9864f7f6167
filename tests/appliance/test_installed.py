"""The freshly installed RPM, before there are any media."""
import pytest

from harness.appliance import installed


@pytest.fixture(scope="module")
def appliance(start):
    return start(base=installed())


def test_the_package_verifies_without_a_difference(appliance):
    done = appliance.run("rpm -V um-upgrade", check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_the_units_load_without_a_warning(appliance):
    units = appliance.output("rpm -ql um-upgrade | grep -E '/system/.*[.](service|timer)$'").split()
    assert len(units) >= 3
    done = appliance.run(f"systemd-analyze verify {' '.join(units)}")
    assert done.stdout + done.stderr == ""


def test_the_verification_is_enabled_and_the_unattended_upgrade_is_not(appliance):
    enabled = "systemctl is-enabled um-upgrade-verify.service um-upgrade-resume.timer um-upgrade.service um-upgrade.timer"
    assert appliance.run(enabled, check=False).stdout.split() == ["enabled", "enabled", "disabled", "disabled"]


def test_the_program_needs_only_what_every_release_has(appliance):
    needed = appliance.output("rpm -q --requires um-upgrade").split("\n")
    libraries = {need.split("(")[0] for need in needed if ".so." in need}
    allowed = {"libc.so.6", "libsystemd.so.0", "libmount.so.1", "libblkid.so.1", "ld-linux-x86-64.so.2"}
    assert libraries == allowed


def test_without_media_a_start_does_nothing_within_a_second(appliance):
    before = appliance.picture()
    assert appliance.start_with_nothing_to_do() < 1
    assert appliance.picture() == before
