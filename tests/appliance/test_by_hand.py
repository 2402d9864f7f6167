"""The source's ten steps, typed by a person at the console; um-upgrade is not installed."""
import pytest

from harness.appliance import SERVICES_4_7
from harness.console import Console
from harness.products import STEM, VERSION

SNAPSHOT_QUESTION = (
    "Is a snapshot of the vCloud Usage Meter appliance virtual machine created"
    " in the running vCenter Server environment? (y/n): "
)
REBOOT_QUESTION = "Reboot is recommended after an upgrade.Reboot now? (y/n)"


@pytest.fixture(scope="module")
def appliance(start, carrier, iso):
    appliance = start(carrier=carrier)
    appliance.insert_cd(iso)
    return appliance


def test_the_medium_refuses_to_start_without_a_snapshot(appliance):
    before = appliance.picture()
    with Console(appliance) as console:
        assert console.command("mkdir /tmp/look && mount -o loop,ro /dev/cdrom /tmp/look")[0] == 0
        status, printed = console.command("bash /tmp/look/upgrade-um.sh", [(SNAPSHOT_QUESTION, "n")])
        console.command("umount /tmp/look && rmdir /tmp/look")
    assert status != 0
    assert "Nothing was changed" in printed
    assert appliance.picture() == before


def test_the_ten_steps_upgrade_the_appliance(appliance):
    boot = appliance.boot_id()
    with Console(appliance) as console:

        def step(command, *answers):
            status, printed = console.command(command, answers)
            assert status == 0, printed
            return printed

        # Before the start: sshd, and the host name as it was misconfigured in the field.
        step("systemctl enable --quiet sshd; systemctl start sshd")
        step("hostname wrong.example.test")
        # 1, 2: the files come from a computer of one's own; what is checked is the same.
        step("mount -o ro,noload /dev/disk/by-id/virtio-carrier /mnt && cd /mnt")
        assert f"{STEM}.iso: OK" in step(f"sha1sum -c {STEM}.mf")
        step(f"openssl x509 -in {STEM}.crt -text")
        step(f"openssl x509 -pubkey -in {STEM}.crt > /tmp/{STEM}.key")
        verified = step(f"openssl dgst -sha1 -verify /tmp/{STEM}.key -signature {STEM}.sign {STEM}.mf")
        assert "Verified OK" in verified
        step("cd / && umount /mnt")
        # 3 to 6: the medium is in the drive.
        step("mkdir /root/upgrade")
        step("mount -o loop,ro /dev/cdrom /root/upgrade")
        # 7, 8, 9: the script, its two questions, and its opinion of the host name.
        printed = step("bash /root/upgrade/upgrade-um.sh", (SNAPSHOT_QUESTION, "y"), (REBOOT_QUESTION, "n"))
        assert "Detected wrong hostname. Expected hostname: um.example.test, but found: wrong.example.test." in printed
        assert "sudo reboot" in printed
        console.type("sudo reboot")
        appliance.wait_reboot(boot)

    # 10: the new product stands, runs, and has lost nothing.
    assert appliance.product_version() == VERSION
    appliance.wait_active(*SERVICES_4_7)
    appliance.wait_records()
    status = appliance.output("bash /opt/vmware/cloudusagemetering/scripts/status.sh")
    assert f"vCloud Usage Meter {VERSION}: Running" in status
    assert appliance.schema() == 2
    assert appliance.lost_records() == set()
    log = appliance.output("cat /opt/vmware/var/logs/um-upgrade.log")
    assert f"{SNAPSHOT_QUESTION}y" in log
    assert f"Upgrade finished: cloudusagemetering is at {VERSION}." in log
