"""Media without a script, in the drive: the package manager makes the change, whatever cuts it off."""
import json

import pytest

from harness import products
from harness.appliance import SERVICES_4_7, SNAPSHOT, installed
from harness.machine import wait_until
from harness.products import STEM, VERSION


def wait_in_the_transaction(appliance, after):
    """Waits until packages are being replaced, later than the journal's cursor."""
    lines = f"journalctl --quiet --after-cursor='{after}' --output=cat SYSLOG_IDENTIFIER=upgrade-um"
    wait_until("packages are being replaced", lambda: " Upgrading " in appliance.output(lines), limit=600)


def cursor(appliance):
    return appliance.output("journalctl -n 0 --show-cursor").splitlines()[-1].removeprefix("-- cursor: ")


@pytest.fixture(scope="module")
def upgraded(start):
    """Upgraded, after the change's unit was killed in the first transaction and the power was cut in the second."""
    media = products.media_without_script()
    appliance = start(base=installed(), power_cuts=True)
    for suffix in ("mf", "crt", "sign"):
        appliance.drop(media / f"{STEM}.{suffix}")
    appliance.insert_cd(media / f"{STEM}.iso")
    appliance.run(SNAPSHOT)
    appliance.checked = json.loads(appliance.agent("check", "--json", check=False).stdout)
    begin = cursor(appliance)
    appliance.run("systemctl start --no-block um-upgrade")
    wait_in_the_transaction(appliance, begin)
    begin = cursor(appliance)
    appliance.run("systemctl kill --signal=KILL um-upgrade-apply.service")
    wait_in_the_transaction(appliance, begin)
    appliance.run("journalctl --sync")
    appliance.kill()
    appliance.start()
    appliance.wait_up()
    appliance.wait_reboot(appliance.boot_id(), limit=900)
    wait_until(
        "the upgrade is closed", lambda: any(e["UM_EVENT"] == "upgrade-finished" for e in appliance.events())
    )
    appliance.wait_active(*SERVICES_4_7)
    return appliance


def test_check_tests_the_transaction(upgraded):
    assert (upgraded.checked["outcome"], upgraded.checked["to_version"]) == ("ready", VERSION)


def test_it_is_made_again_until_it_is_whole(upgraded):
    record = json.loads(upgraded.agent("status", "--json").stdout)["upgrade"]
    assert (record["outcome"], record["attempts"], record["from_version"]) == ("succeeded", 3, "4.3.0.0")
    events = upgraded.events(record["id"])
    assert "interrupted" in [e.get("UM_REASON") for e in events if e["UM_EVENT"] == "warning"]
    assert [e["UM_STAGE"] for e in events if e["UM_EVENT"] == "upgrade-resumed"] == ["apply"]


def test_every_package_is_new_and_whole(upgraded):
    assert upgraded.product_version() == VERSION
    assert upgraded.output("rpm -qa --qf '%{NAME}\\n' | sort | uniq -d") == ""
    assert upgraded.output("rpm -Va") == ""
    assert upgraded.schema() == 2


def test_no_record_is_lost_and_nothing_is_left(upgraded):
    upgraded.wait_records()
    assert upgraded.lost_records() == set()
    assert upgraded.run("test -e /var/lib/um-upgrade/work", check=False).returncode != 0
    assert upgraded.run("mountpoint -q /root/upgrade", check=False).returncode != 0
