"""What is refused or warned of before the change: by its reason, with nothing changed. One machine serves all."""
import pytest

from harness.products import VERSION
from harness.rpms import make_package_media, make_rpm
from harness.small import NEW, OLD

PRODUCT = "scenario-product"
PACKAGES = f"[product]\nversion_command = rpm -q --qf %{{VERSION}} {PRODUCT}\n"
WARN = "[hostname]\nmismatch = warn\n"
REQUIRED = "[snapshot]\nconfirmation = required\n"
CONFIRM = "um-upgrade confirm-snapshot --name before-4.7 --valid-for"
CHECKS = "/etc/um-upgrade/checks.d"
HOST = "um.example.test"
TLS = "/etc/nginx/tls/appliance"


@pytest.fixture(scope="module")
def machine(small_product):
    """The appliance, which the scenarios of this module leave as it was."""
    before = small_product.appliance.picture()
    yield small_product
    assert small_product.appliance.picture() == before


@pytest.fixture
def ready(machine, product):
    """An appliance that would be upgraded, were it not for what a scenario spoils."""
    product.offer(NEW)
    return product


def refused(product, *reasons):
    """Asserts that check refuses for these reasons alone, and returns the findings."""
    status, found = product.check()
    assert sorted(reason for reason, finding in found.items() if finding["severity"] == "refusal") == sorted(reasons)
    assert status == 6
    assert all(finding["hint"] for finding in found.values())
    return found


def refused_by_run(product, *reasons):
    """As refused(), and asserts that run refuses for the same."""
    found = refused(product, *reasons)
    upgrade = product.upgrade()
    assert (upgrade.status, upgrade.outcome) == (6, "refused"), upgrade.message
    told = {event["UM_REASON"] for event in upgrade.events if event["UM_EVENT"] == "refused"}
    assert told == set(reasons)
    return found


def warned(product, *reasons):
    """Asserts that check warns for these reasons and refuses nothing, and returns the findings."""
    status, found = product.check()
    assert (status, sorted(found)) == (0, sorted(reasons))
    return found


@pytest.fixture
def spoilt(ready):
    """spoilt(SPOIL, MEND): runs the one now, and the other when the scenario has ended."""
    mend = []

    def spoil(command, afterwards):
        mend.append(afterwards)
        ready.appliance.run(command)
        return ready

    yield spoil
    for command in mend:
        ready.appliance.run(command)


def test_an_appliance_that_is_well_is_refused_nothing(ready):
    assert ready.check() == (0, {})


# --- the product ------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "installed, reason",
    [("4.8.0.0", "version.not-newer"), ("4.2.9", "version.source-too-old"), ("no version", "product.absent")],
)
def test_only_a_version_that_can_be_upgraded_is_upgraded(spoilt, installed, reason):
    _, found = spoilt(f"echo {installed} >/opt/scenario/version", f"echo {OLD} >/opt/scenario/version").check()
    assert found[reason]["severity"] == "refusal"


# --- the host name and the certificate --------------------------------------------------------------------------
def test_a_wrong_host_name_is_refused_or_warned_of(spoilt):
    product = spoilt("hostname photon-machine", f"hostname {HOST}")
    found = refused_by_run(product, "hostname.mismatch")
    assert f"Expected hostname: {HOST}, but found: photon-machine" in found["hostname.mismatch"]["message"]
    product.configure(WARN)
    warned(product, "hostname.mismatch")


def test_a_certificate_without_alternative_names_is_refused(spoilt):
    certificate = f"openssl req -x509 -key {TLS}.key -days 30 -subj /CN={HOST} -out {TLS}.crt"
    product = spoilt(
        f"cp {TLS}.crt /root/kept.crt; {certificate}; systemctl reload nginx",
        f"mv /root/kept.crt {TLS}.crt; systemctl reload nginx",
    )
    assert "subjectAltName" in refused(product, "hostname.mismatch")["hostname.mismatch"]["message"]


def test_without_a_tls_server_the_certificate_is_not_known_but_in_a_file(spoilt):
    product = spoilt("systemctl stop nginx", "systemctl start nginx")
    refused(product, "hostname.unknown")
    product.configure(f"[hostname]\ncertificate = {TLS}.crt\n")
    assert product.check() == (0, {})


# --- space ------------------------------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def large(tmp_path_factory):
    """Media of a package that takes 8 MiB in each of two directories, and the small one that it replaces."""
    root = tmp_path_factory.mktemp("large")
    new = make_rpm(root, PRODUCT, VERSION, large=("/boot/scenario", "/srv/scenario"))
    return make_package_media(root / "media", new), make_rpm(root, PRODUCT, OLD)


@pytest.fixture
def small_one(large, spoilt, ready):
    media, old = large
    ready.appliance.put(old, "/root/old.rpm")
    spoilt("rpm -i /root/old.rpm", f"rpm -e {PRODUCT}; rm /root/old.rpm")
    ready.appliance.offer(media)
    ready.configure(PACKAGES)
    return ready


def test_a_root_file_system_that_is_almost_full_is_refused(spoilt):
    fill = "fallocate -l $(( $(df --output=avail -B1 / | tail -1) - 100 * 1024 * 1024 )) /root/fill"
    product = spoilt(fill, "rm /root/fill")
    assert refused(product, "space.insufficient")["space.insufficient"]["message"].startswith("/: ")


@pytest.mark.parametrize("where, options", [("/boot", "size=4M"), ("/srv", "size=4M"), ("/boot", "nr_inodes=1")])
def test_each_file_system_has_what_its_packages_take(small_one, spoilt, where, options):
    product = spoilt(f"mount -t tmpfs -o {options} tmpfs {where}", f"umount {where}")
    _, found = product.check()
    assert found["space.insufficient"]["message"].startswith(f"{where}: ")
    assert found["space.insufficient"]["severity"] == "refusal"


def test_what_fits_is_not_refused(small_one):
    assert small_one.check() == (0, {})


# --- packages ---------------------------------------------------------------------------------------------------
def test_a_repository_that_cannot_be_solved_is_refused(small_one, tmp_path):
    new = make_rpm(tmp_path, PRODUCT, VERSION, requires="what-nobody-has")
    small_one.appliance.offer(make_package_media(tmp_path / "media", new))
    found = refused_by_run(small_one, "packages.unsolvable")
    assert "what-nobody-has" in found["packages.unsolvable"]["message"]


# --- services ---------------------------------------------------------------------------------------------------
def test_services_that_are_not_well_are_warned_of(ready):
    ready.appliance.run("printf 'echo journal: Offline' >/root/status.sh")
    ready.configure("[verify]\nunits = sshd.service not-there-yet.service\n"
                    "status_command = /root/status.sh\nrun_as = root\n")  # fmt: skip
    message = warned(ready, "services.unhealthy")["services.unhealthy"]["message"]
    assert message.startswith("journal is unhealthy")


def test_a_status_report_that_hangs_does_not_hang_the_preflight(ready):
    ready.appliance.run("printf 'sleep 1000' >/root/status.sh")
    ready.configure("[verify]\nstatus_command = /root/status.sh\nrun_as = root\n")
    warned(ready, "services.unhealthy")


def test_the_operators_own_checks_are_heard(spoilt):
    check = "printf '#!/bin/sh\\necho \"the backup is $1 its time\"; exit 1\\n'"
    product = spoilt(
        f"{check} >{CHECKS}/required/10-backup; cp {CHECKS}/required/10-backup {CHECKS}/wanted/; chmod +x {CHECKS}/*/*",
        f"rm {CHECKS}/*/*",
    )
    found = refused_by_run(product, "check.failed")
    assert "the backup is before its time" in found["check.failed"]["message"]
    product.appliance.run(f"rm {CHECKS}/required/10-backup")
    warned(product, "check.failed")
    product.appliance.run(f"chown 1 {CHECKS}/wanted/10-backup")
    assert "others than root" in warned(product, "check.failed")["check.failed"]["message"]


# --- sshd -------------------------------------------------------------------------------------------------------
def test_an_sshd_that_is_masked_or_missing_is_refused_unless_it_is_not_managed(spoilt):
    product = spoilt("systemctl mask --quiet sshd", "systemctl unmask --quiet sshd")
    assert "masked" in refused_by_run(product, "sshd.unmanageable")["sshd.unmanageable"]["message"]
    product.configure("[sshd]\nunit = dropbear.service\n")
    assert "not installed" in refused(product, "sshd.unmanageable")["sshd.unmanageable"]["message"]
    product.configure("[sshd]\nmanage = no\n")
    assert product.check() == (0, {})


def test_an_sshd_that_is_known_by_an_alias_is_enabled_by_its_own_name(spoilt):
    alias = "/etc/systemd/system/opensshd.service"
    product = spoilt(
        f"systemctl disable --quiet sshd; ln -s /usr/lib/systemd/system/sshd.service {alias}; systemctl daemon-reload",
        f"rm -f {alias}; systemctl daemon-reload; systemctl enable --quiet sshd",
    )
    product.configure("[sshd]\nunit = opensshd.service\n")
    product.upgrade().waits_for_the_reboot()
    assert product.appliance.output("systemctl is-enabled sshd.service") == "enabled"


def test_an_sshd_that_its_socket_starts_is_left_to_it(spoilt):
    units = "/etc/systemd/system/sshd"
    product = spoilt(
        f"printf '[Socket]\\nListenStream=127.0.0.1:2222\\nAccept=yes\\n' >{units}.socket; "
        f"printf '[Service]\\nExecStart=/usr/sbin/sshd -i\\nStandardInput=socket\\n' >{units}@.service; "
        "systemctl daemon-reload; systemctl disable --quiet sshd; systemctl start sshd.socket",
        f"systemctl stop sshd.socket; rm {units}.socket {units}@.service; systemctl daemon-reload; "
        "systemctl enable --quiet sshd",
    )
    upgrade = product.upgrade()
    upgrade.waits_for_the_reboot()
    assert any("sshd.socket listens" in message for message in upgrade.told("stage-finished"))
    assert product.appliance.run("systemctl is-enabled sshd", check=False).stdout.strip() == "disabled"


# --- the snapshot -----------------------------------------------------------------------------------------------
@pytest.fixture
def unconfirmed(ready, spoilt):
    spoilt("rm -f /var/lib/um-upgrade/snapshot.ini", "rm -f /var/lib/um-upgrade/snapshot.ini")
    ready.configure(REQUIRED)
    return ready


def test_a_snapshot_must_be_confirmed_for_this_version_and_in_its_time(unconfirmed):
    product = unconfirmed
    refused_by_run(product, "snapshot.unconfirmed")
    product.appliance.run(f"{CONFIRM} 1s; sleep 2")
    refused(product, "snapshot.expired")
    product.appliance.run(f"echo 4.2.9 >/opt/scenario/version; {CONFIRM} 1h; echo {OLD} >/opt/scenario/version")
    found = refused(product, "snapshot.unconfirmed")
    assert "4.2.9" in found["snapshot.unconfirmed"]["message"]
    product.appliance.run(f"{CONFIRM} 1h")
    assert product.check() == (0, {})


RPCTOOL = f"""#!/bin/sh
[ "$*" = "info-get guestinfo.um-upgrade.snapshot" ] || exit 1
echo "name=nightly; version={OLD}; valid-until=$(date -u -d @$(( $(date +%s) + 3600 )) +%Y-%m-%dT%H:%M:%SZ)"
"""


def test_the_hypervisor_may_confirm_it(unconfirmed, spoilt):
    tool = "/usr/local/bin/vmware-rpctool"
    product = spoilt(f"cat >{tool} <<'END'\n{RPCTOOL}END\nchmod +x {tool}", f"rm {tool}")
    assert product.check() == (0, {})


# --- a reboot that is due, and the clock ------------------------------------------------------------------------
@pytest.mark.parametrize(
    "due, over",
    [
        ("shutdown -r +600 2>/dev/null", "shutdown -c 2>/dev/null"),
        ("touch /run/reboot-required", "rm /run/reboot-required"),
        ("mv /lib/modules/$(uname -r) /lib/modules/kept", "mv /lib/modules/kept /lib/modules/$(uname -r)"),
    ],
)
def test_a_reboot_that_is_due_is_refused(spoilt, due, over):
    refused_by_run(spoilt(due, over), "reboot.pending")


@pytest.mark.parametrize("year, certificate", [(1980, "certificate.not-yet-valid"), (2080, "certificate.expired")])
def test_a_clock_that_cannot_be_right_is_named(spoilt, year, certificate):
    product = spoilt(
        f"date +%s >/run/then; cut -d. -f1 /proc/uptime >>/run/then; date -s {year}-06-01 >/dev/null",
        "date -s @$(( $(head -1 /run/then) + $(cut -d. -f1 /proc/uptime) - $(tail -1 /run/then) )) >/dev/null",
    )
    _, found = product.check()
    assert {"clock.implausible", certificate} <= set(found)
    assert str(year) in found["clock.implausible"]["message"]
