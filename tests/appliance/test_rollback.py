"""The rollback: upgrades that fail in each way end in the old system, and that is what the test sees, too.

One machine serves all: the product with its services and its store, /boot on a disk of its own, and in the protected
trees whatever is easily spoilt. Whether it is the old system again is seen from outside (harness/picture.py).
"""
import json

import pytest

from harness import products
from harness.appliance import SERVICES, installed
from harness.cache import build
from harness.picture import DATA, LIVE, differences, lost_records, picture
from harness.products import VERSION
from harness.rpms import make_package_media, make_rpm
from harness.small import OLD, SmallProduct

PRODUCT, HELPER = "scenario-product", "scenario-helper"
HOME = "/opt/vmware/cloudusagemetering"
STORES = "/var/lib/um-upgrade/rollback /boot/.um-upgrade"
WHY = ["--why", "the reports are wrong"]


def configuration(*, policy="now", mode="auto", protect="/etc /boot /opt/vmware", keep="7d", deadline="10min"):
    return f"""[product]
version_command = rpm -q --qf %{{VERSION}} {PRODUCT}
[reboot]
policy = {policy}
[verify]
deadline = {deadline}
[rollback]
mode = {mode}
protect = {protect}
data = {DATA}
keep = {keep}
"""


# --- what there is to spoil -------------------------------------------------------------------------------------
SEPARATE_BOOT = """
echo '/dev/disk/by-id/virtio-disk0 /boot ext4 defaults 0 0' >/etc/fstab
systemctl daemon-reload; mount /boot
mkdir /boot/grub; echo 'menuentry old' >/boot/grub/grub.cfg
"""
ETC = r"""
install -d -m 0750 -o usagemeter -g usagemeter /etc/scenario /etc/scenario/sub /opt/vmware/scenario /root/elsewhere
cd /etc/scenario
echo kept | tee settings.conf removed.conf file one $'a name\nof two lines' immutable with-attributes >/dev/null
mkdir directory another empty; echo kept | tee directory/file another/file >/dev/null
echo untouched >/root/elsewhere/file
ln one two; ln one sub/three; ln one /opt/vmware/scenario/four
ln -s settings.conf link; ln -s /nowhere dangling
chmod 0640 settings.conf; chown usagemeter: settings.conf; touch -d '2001-02-03 04:05:06.789' settings.conf
chattr +i immutable
python3 -c '
import os, struct
entries = [(1, 6, 0xFFFFFFFF), (2, 4, 1), (4, 4, 0xFFFFFFFF), (16, 4, 0xFFFFFFFF), (32, 0, 0xFFFFFFFF)]
acl = struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *entry) for entry in entries)
os.setxattr("with-attributes", "system.posix_acl_access", acl)
os.setxattr("with-attributes", "user.note", b"kept")
'
"""
OPT = f"""
cd /opt/vmware/scenario
cp /bin/true tool; chown root:usagemeter tool; chmod 4750 tool; setcap cap_net_bind_service=ep tool
mkfifo pipe; truncate -s 5M sparse
echo kept >{DATA}/preferences; chown usagemeter: {DATA}/preferences
# rpm -Va has something to tell before the upgrade, too.
echo '# local' >>/etc/um-platform/um-platform-web.conf
"""
# Nothing is reserved for root: what is free is free for the product, too.
SPACE = "tune2fs -m 0 $(findmnt --noheadings --output SOURCE /) >/dev/null"
# A journal that would rather keep its distance from the end of a nearly full disk does not tell the story there.
JOURNAL = """
printf '[Journal]\nSystemKeepFree=1M\n' >/etc/systemd/journald.conf.d/scenario.conf
systemctl restart systemd-journald
"""


@pytest.fixture(scope="module")
def rpms(tmp_path_factory):
    """The product's and its helper's packages, old and new, and two of the platform's new ones."""
    root = tmp_path_factory.mktemp("rpms")

    def platform(name):
        (rpm,) = (products.packages() / "4.7").glob(f"{name}-[0-9]*.rpm")
        return rpm

    return {
        "old": [make_rpm(root, PRODUCT, OLD), make_rpm(root, HELPER, "1")],
        "product": make_rpm(root, PRODUCT, VERSION), "helper": make_rpm(root, HELPER, "2"),
        "failing helper": make_rpm(root / "post", HELPER, "2", post="exit 3"),
        # Its %post writes a file of the package anew, in place.
        "web": platform("um-platform-web"), "docs": platform("um-platform-docs"),
    }  # fmt: skip


@pytest.fixture(scope="module")
def small_product(start, rpms, tmp_path_factory):
    """In the place of the other modules' one."""
    directory = tmp_path_factory.mktemp("disks")
    boot = directory / "boot.raw"
    build("truncate", "-s", "64M", boot)
    build("mkfs.ext4", "-q", "-F", "-d", products.debian() / "root" / "boot", boot)
    appliance = start(base=installed(), disks=[boot])
    small = SmallProduct(appliance, tmp_path_factory.mktemp("media"))
    for rpm in rpms["old"]:
        appliance.put(rpm, f"/root/{rpm.name}")
    appliance.run(f"set -e\n{SEPARATE_BOOT}{ETC}{OPT}{JOURNAL}{SPACE}\nrpm -U /root/*.rpm; rm /root/*.rpm")
    return small


@pytest.fixture(scope="module")
def old(small_product):
    """What the appliance is like before the first scenario, and after each one that takes an upgrade back."""
    return picture(small_product.appliance)


# --- misdeeds ---------------------------------------------------------------------------------------------------
UPGRADE = 'media=$(dirname "$0")\nrpm -U "$media"/*.rpm\n'
SPOIL_ETC = r"""
cd /etc/scenario
echo appended | tee -a settings.conf >>with-attributes
rm removed.conf $'a name\nof two lines'
cp one new; mv new one; echo spoilt >>two
rm link dangling; mkdir link; echo 'in the way' >link/file; ln -s settings.conf dangling
rm -r directory; ln -s /root/elsewhere directory
rm -r another; echo 'a file' >another
rm file; mkdir file; echo 'in the way' >file/file
rmdir empty
chattr -i immutable; echo spoilt >immutable; chattr +i settings.conf another
python3 -c 'import os; os.removexattr("with-attributes", "user.note"); os.setxattr("one", "user.new", b"new")
os.removexattr("with-attributes", "system.posix_acl_access")'
chown -R root:root sub; chmod 0777 . sub
mkdir -p new/deeper; echo new | tee new/deeper/file new.conf /opt/vmware/new >/dev/null
printf '[Service]\nExecStart=true\n[Install]\nWantedBy=multi-user.target\n' >/etc/systemd/system/new.service
systemctl --quiet --no-reload enable new.service
systemctl --quiet --no-reload disable nginx vmware-um-login um-upgrade-rollback um-upgrade-verify
ldconfig
"""
SPOIL_OPT = f"""
cd /opt/vmware/scenario
setcap -r tool; chown usagemeter: tool; cat /bin/false >tool; rm sparse pipe; echo full >sparse
rm {HOME}/platform/login.py /etc/um-platform/um-platform-docs.conf; chmod 0700 {HOME}/scripts/status.sh
echo spoilt >>/etc/um-platform/um-platform-guava.conf
"""
SPOIL_BOOT = """
dd if=/dev/urandom of=$(echo /boot/vmlinuz-*) bs=1M count=1 conv=notrunc status=none
cp /boot/config-* /boot/config; mv /boot/config /boot/config-*
echo 'menuentry new' >>/boot/grub/grub.cfg; echo initramfs >/boot/initrd.img-new; rm /boot/System.map-*
"""
QUERY = f"sqlite3 -readonly -cmd '.timeout 60000' {LIVE} 'SELECT max(number) FROM usage'"
# The new version writes records that the old one could not read, and a file of its own.
MIGRATE = f"""
systemctl stop vmware-um-journal vmware-um-login
printf 'VERSION={VERSION}\\nSCHEMA=2\\nSERVICES="{' '.join(SERVICES)}"\\n' >{HOME}/platform/release
runuser -u usagemeter -- {HOME}/platform/store.py migrate
last=$({QUERY})
echo spoilt >>{DATA}/preferences; echo report >{DATA}/report
systemctl start vmware-um-journal vmware-um-login
until [ "$({QUERY})" -gt "$last" ]; do sleep 0.2; done
"""
# Until the next boot; whoever decides to roll it back, and asks for that boot, must do without.
NO_BUS = "systemctl --quiet mask --runtime --now dbus.socket dbus.service\n"
# To this rpm a database of another kind is what a newer rpm's is to an older one: nothing.
CONVERT = """
rpm -e --nodeps um-platform-support-bundle
rm /var/lib/rpm/rpmdb.sqlite*; head -c 65536 /dev/urandom >/var/lib/rpm/Packages.db
echo '%_db_backend ndb' >>/etc/rpm/macros
"""


# --- the auditor ------------------------------------------------------------------------------------------------
def rolled_back(product, old, reason, *words):
    """Asserts that the old system is there again, whole, and that the record and the journal say so."""
    appliance = product.appliance
    assert product.wait_ended("um-upgrade-verify") == 0
    upgrade = product.seen()
    assert (upgrade.outcome, upgrade.reason) == ("rolled-back", reason), upgrade.message
    assert upgrade.message.startswith("rolled back: everything that is kept is as before the upgrade"), upgrade.message
    for word in words:
        assert word in upgrade.message
    story = ["rollback-started", "reboot-requested", "rollback-finished", "upgrade-finished"]
    told = [event for event in upgrade.events if event["UM_EVENT"] in story]
    assert [event["UM_EVENT"] for event in told[-len(story) :]] == story
    assert (told[-1]["UM_OUTCOME"], told[-1].get("UM_REASON")) == ("rolled-back", reason)
    assert upgrade.events[-1] == told[-1]

    appliance.wait_active(*SERVICES)
    assert differences(old, picture(appliance)) == []
    appliance.wait_records()
    assert lost_records(appliance) == set()
    left = f"ls -d /var/lib/um-upgrade/rollback-due 2>&-; find {STORES} -name kept -o -name ballast -o -name temporary"
    assert appliance.run(left, check=False).stdout == ""
    status = json.loads(appliance.agent("status", "--json").stdout)
    assert (status["state"], status["way_back"]) == ("idle", None)
    return upgrade


def set_aside(product, upgrade, path):
    """The content of a file that somebody may miss: the message names the directory that it stands in."""
    directory = f"/var/lib/um-upgrade/rollback/{upgrade.id}/data"
    assert directory in upgrade.message
    return product.appliance.output(f"cat {directory}{path}")


def refused_by(product, *reasons):
    """Asserts that um-upgrade rollback refuses for one of these reasons."""
    refused = product.appliance.agent("rollback", *WHY, check=False)
    assert refused.returncode == 6
    assert any(reason in refused.stdout + refused.stderr for reason in reasons), refused.stderr


# --- without a person -------------------------------------------------------------------------------------------
def test_whatever_a_failing_script_did_is_rolled_back(product, old, rpms):
    product.configure(configuration())
    misdeeds = UPGRADE + SPOIL_ETC + SPOIL_OPT + SPOIL_BOOT + MIGRATE + CONVERT
    product.offer(f"{misdeeds}{NO_BUS}exit 7", beside=[rpms["product"], rpms["helper"], rpms["web"]])
    product.start()
    assert product.boot_until_closed(2) == 2, product.seen().message
    upgrade = rolled_back(product, old, "script.failed", "status 7")
    assert upgrade.stages("stage-failed") == ["apply"]
    assert any("old system kept: " in message for message in upgrade.told("stage-finished"))
    assert set_aside(product, upgrade, f"{DATA}/report") == "report"
    assert set_aside(product, upgrade, "/etc/scenario/settings.conf") == "kept\nappended"
    assert product.appliance.output("head /root/elsewhere/*") == "untouched"
    # An appliance that upgrades itself at each boot must not go round in circles.
    again = product.upgrade()
    assert (again.status, again.id) == (0, upgrade.id)


def test_a_disk_that_was_full_in_the_middle_and_a_script_that_calls_it_success(product, old, rpms):
    product.configure(configuration())
    # 16 MiB of what is free are the file system's own: the rest is enough for one of the two packages.
    script = f"""
fallocate -l $(( $(stat -f -c '%f*%S' /) - (20 << 20) )) /opt/vmware/fill
{UPGRADE.replace("-U", "-U --ignoresize")}
rpm -q {HELPER} um-platform-docs
truncate -s -16M /opt/vmware/fill
echo 'Upgrade failed! Please, revert to latest snapshot.'; exit 0
"""
    product.offer(script, beside=[rpms["helper"], rpms["docs"]])
    product.start()
    assert product.boot_until_closed(2) == 2, product.seen().message
    upgrade = rolled_back(product, old, "packages.incomplete", OLD, VERSION)
    said = "\n".join(entry["MESSAGE"] for entry in product.appliance.journal(
        "SYSLOG_IDENTIFIER=upgrade-um", f"UM_UPGRADE_ID={upgrade.id}"))  # fmt: skip
    assert "unpacking of archive failed" in said
    assert f"{HELPER}-2-1" in said and "um-platform-docs-4.3" in said
    product.appliance.run(f"find {STORES} -name fill -delete", check=False)


def test_a_package_whose_post_fails_is_rolled_back(product, old, rpms, tmp_path):
    product.configure(configuration())
    product.appliance.offer(make_package_media(tmp_path / "media", rpms["product"], rpms["failing helper"]))
    product.start()
    assert product.boot_until_closed(2) == 2, product.seen().message
    rolled_back(product, old, "packages.incomplete", HELPER)


def test_services_that_are_not_well_after_the_boot_are_rolled_back(product, old, rpms):
    product.configure(configuration(deadline="30s"))
    script = f"""
{UPGRADE}{MIGRATE}
mkdir /etc/systemd/system/vmware-um-journal.service.d
printf '[Service]\\nType=simple\\nExecStart=\\nExecStart=sleep 20\\nRestart=always\\nRestartSec=1\\n' \
    >/etc/systemd/system/vmware-um-journal.service.d/new.conf
echo "echo 'vCloud Usage Meter {VERSION}: Offline'" >{HOME}/scripts/status.sh
rpm --rebuilddb
"""
    product.offer(script, beside=[rpms["product"]])
    product.start()
    assert product.boot_until_closed(3) == 3, product.seen().message
    upgrade = rolled_back(product, old, "verify.unit", "vmware-um-journal.service")
    told = {event["UM_REASON"] for event in upgrade.events if event["UM_EVENT"] == "stage-failed"}
    assert told == {"verify.unit", "verify.status"}


# --- with a person ----------------------------------------------------------------------------------------------
def test_a_success_can_be_rolled_back_by_hand(product, old, rpms):
    appliance = product.appliance
    product.configure(configuration(policy="manual"))
    product.offer(f"{UPGRADE}{MIGRATE}", beside=[rpms["product"], rpms["helper"]])
    assert product.upgrade().outcome is None
    appliance.run("systemctl reboot", check=False)
    assert product.boot_until_closed(1) == 1, product.seen().message
    done = product.seen(product.wait_ended("um-upgrade-verify"))
    assert done.outcome == "succeeded", done.message
    assert json.loads(appliance.agent("status", "--json").stdout)["way_back"]["until"]
    appliance.wait_records()
    appliance.run("echo 'after the upgrade' >>/etc/scenario/settings.conf")
    assert appliance.agent("rollback", check=False).returncode == 2

    asked = appliance.agent("rollback", *WHY, check=False)
    assert asked.returncode == 0, asked.stderr
    assert "usage data" in asked.stdout + asked.stderr
    appliance.run("systemctl reboot", check=False)
    assert product.boot_until_closed(2, unless="succeeded") == 2, product.seen().message
    upgrade = rolled_back(product, old, None, WHY[1])
    assert upgrade.id == done.id
    assert any(WHY[1] in message for message in upgrade.told("rollback-started"))
    assert "after the upgrade" in set_aside(product, upgrade, "/etc/scenario/settings.conf")

    refused_by(product, "rollback.unavailable", "rollback.expired")


# --- no rollback ------------------------------------------------------------------------------------------------
def test_room_for_the_upgrade_but_not_for_the_kept_files_is_refused(product):
    appliance, large = product.appliance, "/opt/vmware/large"
    product.configure(configuration())
    product.offer("exit 7")
    rest = "$(( $(df --output=avail -B1 / | tail -1) - (600 << 20) ))"
    try:
        appliance.run(f"fallocate -l 700M {large} && fallocate -l {rest} /var/fill")
        status, found = product.check()
        assert (status, list(found)) == (6, ["rollback.space"])
        assert found["rollback.space"]["hint"]
        assert product.report["rollback"]["bytes"] > 700 << 20
        refused = product.upgrade()
        assert (refused.status, refused.outcome, refused.reason) == (6, "refused", "rollback.space")
        refused_by(product, "rollback.unavailable")  # nothing was kept
        product.configure(configuration(mode="off"))
        assert product.check() == (0, {})
    finally:
        appliance.run(f"rm -f {large} /var/fill")


def test_what_a_rollback_costs_and_leaves_out_is_said_before(product):
    appliance = product.appliance
    product.configure(configuration())
    product.offer("exit 7")
    assert product.check() == (0, {})
    kept = product.report["rollback"]
    assert (kept["mode"], kept["available"]) == ("auto", True)
    assert kept["links"] > 100 and kept["copies"] > 100
    assert "would be kept" in appliance.agent("check").stdout
    at = "/srv/read-only"
    appliance.run(f"mkdir {at} && mount --bind /root/elsewhere {at} && mount -o remount,bind,ro {at}")
    product.configure(configuration(protect=f"/etc {at}"))
    try:
        status, found = product.check()
    finally:
        appliance.run(f"umount {at} && rmdir {at}")
    assert (status, list(found)) == (0, ["rollback.unavailable"])
    assert at in found["rollback.unavailable"]["message"]


def test_of_kept_files_that_are_not_whole_nothing_is_put_back(product, rpms):
    appliance = product.appliance
    product.configure(configuration(policy="manual"))
    product.offer(f"{UPGRADE}echo left >/etc/scenario/left\nexit 7", beside=[rpms["helper"]])
    failed = product.upgrade()
    assert (failed.status, failed.outcome, failed.reason) == (7, None, "script.failed")
    assert "reboot" in failed.printed
    appliance.run("rm -r /boot/.um-upgrade")
    appliance.run("systemctl reboot", check=False)
    product.boot_until_closed(2)
    product.wait_ended("um-upgrade-verify")
    upgrade = product.seen()
    assert (upgrade.id, upgrade.outcome, upgrade.reason) == (failed.id, "needs-manual", "rollback.failed")
    assert upgrade.hint
    assert appliance.output(f"cat /etc/scenario/left; rpm -q --qf %{{VERSION}} {HELPER}") == "left\n2"
    assert lost_records(appliance) == set()


def test_kept_files_are_discarded_when_their_time_is_over(product, rpms):
    appliance = product.appliance
    product.configure(configuration(keep="1s"))
    product.offer(UPGRADE, beside=[rpms["product"]])
    product.start()
    assert product.boot_until_closed(1) == 1, product.seen().message
    product.wait_ended("um-upgrade-verify")
    appliance.run("systemctl start um-upgrade-resume.service")
    upgrade = product.seen()
    assert upgrade.outcome == "succeeded", upgrade.message
    assert appliance.run(f"find {STORES} -name kept -o -name added -o -name ballast", check=False).stdout == ""
    refused_by(product, "rollback.expired")
    assert json.loads(appliance.agent("status", "--json").stdout)["way_back"] is None


def test_a_rollback_that_is_only_offered_waits_for_a_person(product):
    """The last one: it is kept until somebody decides."""
    product.configure(f"[rollback]\nmode = offer\ndata = {DATA}\n")  # of a product that is old once more
    failed = product.upgrade("exit 7")
    failed.ended("needs-manual", "script.failed", 7, "status 7")
    assert "um-upgrade rollback --why" in failed.hint
    assert not failed.told("rollback-started") and not failed.told("reboot-requested")
    told = json.loads(product.appliance.agent("status", "--json").stdout)
    assert told["way_back"]["until"] is None
