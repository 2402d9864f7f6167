"""Media without a script, in the drive: the package manager makes the change, whatever cuts it off.

They weigh next to nothing: a package that waits holds the transaction where it is to be cut off.
"""
import json

import pytest

from harness import products
from harness.appliance import SERVICES_4_7, SNAPSHOT, running
from harness.machine import wait_until
from harness.products import STEM, VERSION
from harness.rpms import make_package_media, make_rpm

# As long as the first file is there, a scriptlet makes the second one and waits.
HOLD, HELD = "/root/hold", "/run/held"
WAIT = f"touch {HELD}; while [ -e {HOLD} ]; do sleep 0.2; done"


def wait_in_the_transaction(appliance, after):
    """Waits until packages are being replaced, later than the journal's cursor."""
    lines = f"journalctl --quiet --after-cursor='{after}' --output=cat SYSLOG_IDENTIFIER=upgrade-um"
    held = f"test -e {HELD}"
    wait_until("the transaction waits", lambda: appliance.run(held, check=False).returncode == 0, limit=600)
    wait_until("packages are being replaced", lambda: " Upgrading " in appliance.output(lines))


def cursor(appliance):
    return appliance.output("journalctl -n 0 --show-cursor").splitlines()[-1].removeprefix("-- cursor: ")


@pytest.fixture(scope="module")
def upgraded(start, tmp_path_factory):
    """Upgraded, after the change's unit was killed in the first transaction and the power was cut in the second."""
    root = tmp_path_factory.mktemp("media")
    # In %pre it is still old: the transaction that goes on brings it again. Another one has been replaced before it.
    docs = make_rpm(root, "um-platform-docs", "4.7.0", requires="um-platform-web >= 4.7.0", pre=WAIT)
    media = make_package_media(root / "media", docs, *products.light_packages().glob("*.rpm"))
    appliance = start(saved=running(), power_cuts=True)
    for suffix in ("mf", "crt", "sign"):
        appliance.drop(media / f"{STEM}.{suffix}")
    appliance.insert_cd(media / f"{STEM}.iso")
    appliance.run(SNAPSHOT)
    appliance.checked = json.loads(appliance.agent("check", "--json", check=False).stdout)
    begin = cursor(appliance)
    appliance.run(f"touch {HOLD}; sync; systemctl start --no-block um-upgrade")
    wait_in_the_transaction(appliance, begin)
    begin = cursor(appliance)
    appliance.run(f"rm {HELD}; systemctl kill --signal=KILL um-upgrade-apply.service")
    wait_in_the_transaction(appliance, begin)
    appliance.run("journalctl --sync")
    appliance.kill()
    appliance.start()
    appliance.wait_up()
    appliance.run(f"rm {HOLD}")
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
