"""The whole upgrade, started by systemctl start um-upgrade with an ISO file in the media directory."""
import json

import pytest

from harness.appliance import SERVICES_4_7, SNAPSHOT, running
from harness.machine import wait_until
from harness.products import STEM, VERSION

STAGES = ["find", "authenticate", "mount", "preflight", "prepare", "apply", "reboot", "verify"]


@pytest.fixture(scope="module")
def appliance(start):
    return start(saved=running())


@pytest.fixture(scope="module")
def upgraded(appliance):
    """The appliance after the upgrade, with what was seen on the way."""
    appliance.drop_media()
    check = json.loads(appliance.agent("check", "--json", check=False).stdout)
    assert [finding["reason"] for finding in check["findings"] if finding["severity"] == "refusal"] == [
        "snapshot.unconfirmed"
    ]
    appliance.run(SNAPSHOT)
    check = json.loads(appliance.agent("check", "--json").stdout)
    assert check["outcome"] == "ready" and check["to_version"] == VERSION
    assert appliance.run("mountpoint -q /root/upgrade", check=False).returncode != 0

    appliance.old_boot = appliance.boot_id()
    appliance.run("systemctl start --no-block um-upgrade")
    # A second run while the first one works is sent away, and disturbs nothing.
    wait_until("the change begins", lambda: any(e.get("UM_STAGE") == "apply" for e in appliance.events()))
    appliance.second = appliance.agent("run", check=False)
    appliance.wait_reboot(appliance.old_boot, limit=900)
    wait_until(
        "the upgrade is closed", lambda: any(e["UM_EVENT"] == "upgrade-finished" for e in appliance.events())
    )
    appliance.wait_active(*SERVICES_4_7)
    return appliance


def status(appliance):
    return json.loads(appliance.agent("status", "--json").stdout)["upgrade"]


def test_a_second_run_is_busy(upgraded):
    assert upgraded.second.returncode == 9
    assert "busy" in upgraded.second.stdout + upgraded.second.stderr
    assert "busy" in [event.get("UM_REASON") for event in upgraded.events()]


def test_the_new_version_is_installed_whole(upgraded):
    assert upgraded.product_version() == VERSION
    assert upgraded.run("rpm -q um-platform-java11", check=False).returncode != 0
    assert upgraded.output("rpm -q --qf '%{VERSION}' um-platform-java17 um-platform-scheduler") == "17.0.91.2.0"
    assert upgraded.output("rpm -qa --qf '%{NAME}\\n' | sort | uniq -d") == ""
    assert upgraded.output("rpm -Va") == ""


def test_the_upgrade_is_recorded_as_succeeded(upgraded):
    upgrade = status(upgraded)
    # The source's media use SHA-1: accepted, and said so. There is nothing else to warn about.
    assert upgrade["outcome"] == "succeeded"
    warnings = [event["UM_REASON"] for event in upgraded.events(upgrade["id"]) if event["UM_EVENT"] == "warning"]
    assert set(warnings) == {"digest.weak"}
    assert (upgrade["from_version"], upgrade["to_version"]) == ("4.3.0.0", VERSION)
    assert upgrade["media"].endswith(f"{STEM}.iso")
    assert upgrade["id"] in upgraded.output("ls /var/lib/um-upgrade/history")


def test_the_journal_tells_the_story_on_both_sides_of_the_reboot(upgraded):
    upgrade = status(upgraded)["id"]
    events = upgraded.events(upgrade)
    new_boot = upgraded.boot_id().replace("-", "")
    old_boot = upgraded.old_boot.replace("-", "")
    for stage in STAGES:
        told = [event["UM_EVENT"] for event in events if event.get("UM_STAGE") == stage]
        assert {"stage-started", "stage-finished"} <= set(told), (stage, told)
    by_boot = {boot: [e["UM_EVENT"] for e in events if e["_BOOT_ID"] == boot] for boot in (old_boot, new_boot)}
    assert by_boot[old_boot][0] == "upgrade-started" and "reboot-requested" in by_boot[old_boot]
    assert by_boot[new_boot][-1] == "upgrade-finished"
    assert events[-1]["UM_OUTCOME"] == "succeeded"
    assert events[-1]["UM_TO_VERSION"] == VERSION
    answers = [event["MESSAGE"] for event in events if event["UM_EVENT"] == "prompt-answered"]
    assert len(answers) == 2, answers
    script = upgraded.journal("SYSLOG_IDENTIFIER=upgrade-um", f"UM_UPGRADE_ID={upgrade}")
    assert any("Upgrade finished" in entry["MESSAGE"] for entry in script)
    assert "Upgrade finished" in upgraded.output("cat /opt/vmware/var/logs/um-upgrade.log")


def test_the_product_and_sshd_run(upgraded):
    assert upgraded.is_active(*SERVICES_4_7, "nginx.service", "sshd.service")
    assert upgraded.output("systemctl is-enabled sshd.service") == "enabled"
    unverified = "context=ssl._create_unverified_context()"
    page = f"import ssl, urllib.request as u; print(u.urlopen('https://localhost', {unverified}).read())"
    assert f"vCloud Usage Meter {VERSION}" in upgraded.output(f'python3 -c "{page}"')
    said = upgraded.output("runuser -u usagemeter /opt/vmware/cloudusagemetering/scripts/status.sh")
    assert f"vCloud Usage Meter {VERSION}: Running" in said


def test_no_record_is_lost_and_the_store_is_migrated(upgraded):
    upgraded.wait_records()
    assert upgraded.schema() == 2
    assert upgraded.lost_records() == set()
    numbers = upgraded.stored()
    assert numbers == set(range(1, len(numbers) + 1))


def test_nothing_is_left_behind(upgraded):
    assert upgraded.run("mountpoint -q /root/upgrade", check=False).returncode != 0
    assert upgraded.output("losetup --list --noheadings") == ""
    assert upgraded.output("find /run/systemd/system -name um-upgrade.conf") == ""
    assert upgraded.output("find /var/tmp -name 'upgrade-um.*'") == ""


def test_starting_again_finds_nothing_to_do(upgraded):
    assert upgraded.start_with_nothing_to_do() < 1
    assert upgraded.agent("run").returncode == 0
    assert upgraded.product_version() == VERSION
