"""The unattended upgrade: enabled, the ISO in the CD drive, its sidecars in the media directory; then a plain boot."""
import json

from harness import products
from harness.appliance import SERVICES_4_7, SNAPSHOT, running
from harness.machine import wait_until
from harness.products import STEM, VERSION


def test_a_boot_with_the_medium_in_the_drive_upgrades_the_appliance(start):
    appliance, media = start(saved=running()), products.light_media()
    for suffix in ("mf", "crt", "sign"):
        appliance.drop(media / f"{STEM}.{suffix}")
    appliance.run(SNAPSHOT)
    appliance.run("systemctl enable --quiet um-upgrade")
    appliance.insert_cd(media / f"{STEM}.iso")
    first = appliance.boot_id()
    appliance.run("systemctl reboot", check=False)
    appliance.wait_reboot(first)  # into the boot that upgrades
    second = appliance.boot_id()
    appliance.wait_reboot(second, limit=900)  # into the boot that verifies
    wait_until("the upgrade is closed", lambda: [e for e in appliance.events() if e["UM_EVENT"] == "upgrade-finished"])
    appliance.wait_active(*SERVICES_4_7)
    # um-upgrade runs at that boot, too, and finds that there is nothing to do.
    wait_until("the boot is complete", lambda: appliance.output("systemctl list-jobs --no-legend") == "")

    upgrade = json.loads(appliance.agent("status", "--json").stdout)["upgrade"]
    assert (upgrade["outcome"], upgrade["to_version"]) == ("succeeded", VERSION)
    assert len(appliance.output("ls /var/lib/um-upgrade/history").splitlines()) == 1
    assert appliance.output("systemctl show --property=Result --value um-upgrade.service") == "success"
    assert appliance.product_version() == VERSION
    assert appliance.schema() == 2
    appliance.wait_records()
    assert appliance.lost_records() == set()
