"""The freshly installed RPM, before there are any media."""
import pytest

from harness.appliance import running


@pytest.fixture(scope="module")
def appliance(start):
    return start(saved=running())


def test_the_package_verifies_without_a_difference(appliance):
    done = appliance.run("rpm -V um-upgrade", check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_the_units_load_without_a_warning(appliance):
    units = appliance.output("rpm -ql um-upgrade | grep -E '/system/.*[.](service|timer)$'").split()
    assert len(units) >= 3
    # --man=no: the units name their manual pages, and an appliance has no man to look them up with.
    done = appliance.run(f"systemd-analyze --man=no verify {' '.join(units)}")
    assert done.stdout + done.stderr == ""


def test_what_ends_an_upgrade_is_enabled_and_the_unattended_upgrade_is_not(appliance):
    units = {
        "um-upgrade-verify.service": "enabled", "um-upgrade-rollback.service": "enabled",
        "um-upgrade-resume.timer": "enabled", "um-upgrade.service": "disabled", "um-upgrade.timer": "disabled",
    }  # fmt: skip
    said = appliance.run(f"systemctl is-enabled {' '.join(units)}", check=False).stdout.split()
    assert dict(zip(units, said, strict=True)) == units


def test_the_program_needs_only_what_every_release_has(appliance):
    needed = appliance.output("rpm -q --requires um-upgrade").split("\n")
    libraries = {need.split("(")[0] for need in needed if ".so." in need}
    allowed = {"libc.so.6", "libsystemd.so.0", "libmount.so.1", "libblkid.so.1", "ld-linux-x86-64.so.2"}
    assert libraries == allowed


def test_without_media_a_start_does_nothing_within_a_second(appliance):
    before = appliance.picture()
    assert appliance.start_with_nothing_to_do() < 1
    assert appliance.picture() == before
