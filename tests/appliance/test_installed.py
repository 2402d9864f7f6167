"""The freshly installed RPM, before there are any media."""
import pytest

from harness.appliance import installed


@pytest.fixture(scope="module")
def appliance(start):
    return start(base=installed())


def test_the_package_verifies_without_a_difference(appliance):
    assert appliance.run("rpm -V um-upgrade", check=False).stdout == ""


def test_the_units_load_without_a_warning(appliance):
    done = appliance.run("systemd-analyze verify --man=no $(rpm -ql um-upgrade | grep -E '/system/.*[.](service|timer)$')")
    assert done.stdout + done.stderr == ""


def test_the_verification_is_enabled_and_the_unattended_upgrade_is_not(appliance):
    enabled = "systemctl is-enabled um-upgrade-verify.service um-upgrade.service"
    assert appliance.run(enabled, check=False).stdout.split() == ["enabled", "disabled"]


def test_the_program_needs_only_what_every_release_has(appliance):
    needed = appliance.output("objdump -p /usr/sbin/um-upgrade 2>/dev/null || ldd /usr/sbin/um-upgrade")
    for library in ("libcrypto", "libssl", "libstdc++", "libgcc_s", "libinih", "INIReader"):
        assert library not in needed


def test_without_media_a_start_does_nothing_within_a_second(appliance):
    before = appliance.picture()
    assert appliance.start_with_nothing_to_do() < 1
    assert appliance.picture() == before
