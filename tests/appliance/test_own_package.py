"""Media of a few small packages: what stops them before the change, scriptlets that fail, and the agent's own package.

One machine serves all; the last upgrade, of the agent itself, takes it through a reboot.
"""
import json

import pytest

from harness.machine import wait_until
from harness.products import VERSION
from harness.rpms import make_newer_agent, make_package_media, make_rpm
from harness.small import OLD

PRODUCT, HELPER = "scenario-product", "scenario-helper"
CONFIGURATION = f"[product]\nversion_command = rpm -q --qf %{{VERSION}} {PRODUCT}\n"
# What a new D-Bus and a new systemd do to who is connected to them, in the middle of the transaction.
STORM = "systemctl daemon-reexec; systemctl try-restart dbus.service"


@pytest.fixture(scope="module")
def media(tmp_path_factory):
    """Directories of media by what they are good for."""
    root = tmp_path_factory.mktemp("packages")
    new = make_rpm(root, PRODUCT, VERSION)
    return {
        "fine": make_package_media(root / "fine", new, make_rpm(root, HELPER, "2")),
        "%pre fails": make_package_media(root / "pre", new, make_rpm(root / "a", HELPER, "2", pre="exit 3")),
        "%post fails": make_package_media(root / "post", new, make_rpm(root / "b", HELPER, "2", post="exit 3")),
        "the agent": make_package_media(
            root / "own", make_newer_agent(root), make_rpm(root / "c", PRODUCT, VERSION, post=STORM)
        ),
    }


@pytest.fixture(scope="module")
def machine(small_product, tmp_path_factory):
    """The old packages are installed, and kept under /root/old; a slow one, of no meaning, stands under /root."""
    root, appliance = tmp_path_factory.mktemp("old"), small_product.appliance
    appliance.run("mkdir /root/old")
    for rpm in (make_rpm(root, PRODUCT, OLD), make_rpm(root, HELPER, "1")):
        appliance.put(rpm, f"/root/old/{rpm.name}")
    hold = "touch /run/slow; while [ -e /run/slow ]; do sleep 0.2; done"
    appliance.put(make_rpm(root, "scenario-slow", "1", pre=hold), "/root/slow.rpm")
    return small_product


@pytest.fixture
def packages(machine, product):
    product.configure(CONFIGURATION)
    product.appliance.run("rpm -U --oldpackage --replacepkgs /root/old/*.rpm")
    return product


def installed(packages):
    return packages.appliance.output(f"rpm -q --qf '%{{VERSION}} ' {PRODUCT} {HELPER}").split()


# --- before the change ------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "manager", ["rpm -i /root/slow.rpm", "dnf -y --disablerepo=* --releasever=3 install /root/slow.rpm"]
)
def test_a_package_manager_at_work_is_waited_for_by_the_operator(packages, media, manager):
    appliance = packages.appliance
    appliance.offer(media["fine"])
    appliance.run(f"systemd-run --quiet --collect --unit=slow {manager}")
    packages.wait_for_file("/run/slow")
    upgrade = packages.upgrade()
    appliance.run("rm /run/slow")
    wait_until("it has ended", lambda: not appliance.is_active("slow.service"))
    appliance.run("rpm -e scenario-slow")
    assert (upgrade.outcome, upgrade.status) == ("refused", 6), upgrade.message
    assert "packages.locked" in [event.get("UM_REASON") for event in upgrade.events]
    assert installed(packages) == [OLD, "1"]


def test_a_damaged_database_is_found_before_anything_is_changed(packages, media):
    appliance = packages.appliance
    appliance.offer(media["fine"])
    appliance.run("cp -a /var/lib/rpm /root/rpm && rm -f /var/lib/rpm/rpmdb.sqlite-*")
    appliance.run("dd if=/dev/urandom of=/var/lib/rpm/rpmdb.sqlite bs=4096 seek=1 count=40 conv=notrunc status=none")
    upgrade = packages.upgrade()
    appliance.run("rm -r /var/lib/rpm && mv /root/rpm /var/lib/rpm")
    assert (upgrade.outcome, upgrade.status) == ("refused", 6), upgrade.message
    assert "packages.damaged" in [event.get("UM_REASON") for event in upgrade.events]
    assert installed(packages) == [OLD, "1"]


# --- scriptlets that fail ---------------------------------------------------------------------------------------
def test_a_package_whose_pre_fails_stays_old_and_needs_a_person(packages, media):
    packages.appliance.offer(media["%pre fails"])
    upgrade = packages.upgrade()
    assert (upgrade.outcome, upgrade.status) == ("needs-manual", 7), upgrade.message
    assert upgrade.reason in ("packages.failed", "packages.incomplete")
    assert upgrade.hint
    assert installed(packages)[1] == "1"


def test_a_package_whose_post_fails_is_not_passed_over_in_silence(packages, media):
    packages.appliance.offer(media["%post fails"])
    upgrade = packages.upgrade()
    assert installed(packages) == [VERSION, "2"]
    assert (upgrade.outcome, upgrade.reason, upgrade.status) == ("needs-manual", "packages.incomplete", 7)
    assert HELPER in upgrade.message


# --- the agent's own package ------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def renewed(machine, media):
    """The appliance after an upgrade that brought a newer agent, too, under a storm, and rebooted by itself."""
    appliance = machine.appliance
    machine.configure(CONFIGURATION + "[reboot]\npolicy = now\n")
    appliance.run("rpm -U --oldpackage --replacepkgs /root/old/*.rpm")
    appliance.offer(media["the agent"])
    boot = appliance.boot_id()
    machine.start()
    appliance.wait_reboot(boot, limit=900)
    machine.wait_for("upgrade-finished")
    appliance.wait_active("sshd.service")
    yield machine


def test_the_agents_own_package_is_renewed_by_the_upgrade_that_it_runs(renewed):
    upgrade = renewed.seen()
    assert (upgrade.outcome, upgrade.attempts, upgrade.warnings()) == ("succeeded", 1, []), upgrade.message
    assert renewed.appliance.output("rpm -q --qf '%{RELEASE}' um-upgrade") == "2"
    assert renewed.appliance.output("rpm -V um-upgrade") == ""
    assert renewed.appliance.output("systemctl is-enabled um-upgrade-verify") == "enabled"
    assert renewed.appliance.output("systemctl list-units --state=failed --no-legend 'um-upgrade*'") == ""
    told = upgrade.stages("stage-finished")
    assert [told.count(stage) for stage in ("apply", "reboot", "verify")] == [1, 1, 1]


def test_a_second_upgrade_from_the_same_media_has_nothing_to_do(renewed):
    first = renewed.seen()
    before = renewed.appliance.output("rpm -qa --qf '%{NAME} %{INSTALLTIME}\\n' | sort")
    renewed.appliance.start_with_nothing_to_do()
    assert renewed.record()["id"] == first.id
    assert renewed.appliance.output("rpm -qa --qf '%{NAME} %{INSTALLTIME}\\n' | sort") == before
    history = json.loads(renewed.appliance.agent("history", "--json").stdout)
    assert [record["id"] for record in history].count(first.id) == 1
