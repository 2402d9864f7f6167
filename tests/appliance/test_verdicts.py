"""What the verification after the boot comes to. Each scenario is an upgrade of a moment and a real reboot."""
import pytest

from harness.machine import wait_until
from harness.small import NEW

CHECKS = "/etc/um-upgrade/checks.d"
UNITS = "/etc/systemd/system"
# A report of its own, and units that the scenarios bring. The time for them to come up is short.
CONFIGURATION = """[reboot]
policy = now
[verify]
units = sshd.service scenario.service
status_command = /opt/scenario/status.sh
run_as = usagemeter
deadline = 30s
"""
WELL = "[Service]\\nExecStart=sleep infinity\\n[Install]\\nWantedBy=multi-user.target\\n"
REPORT = "/opt/scenario/status.sh"
OTHER = "scenario-sshd.service"


def unit(text):
    """A command that makes scenario.service this one; systemctl reenable loads it, too."""
    return f"printf '{text}' >{UNITS}/scenario.service; systemctl reenable --quiet scenario\n"


def reports(script):
    """A command that makes the product's report this script's."""
    return f"cat >{REPORT} <<'END'\n{script}\nEND\n"


@pytest.fixture
def prepared(product):
    """An appliance whose product is well; what the upgrades of the scenarios do to it is rolled back."""
    appliance = product.appliance
    appliance.run(unit(WELL) + reports("echo journal: Running") + "systemctl start scenario")
    product.configure(CONFIGURATION)
    yield product
    appliance.run(
        f"systemctl disable --now --quiet scenario; rm -f {UNITS}/scenario.service {CHECKS}/*/*; echo um.example.test "
        ">/etc/hostname; hostname um.example.test; systemctl enable --quiet sshd"
    )


def verdict(product, spoil):
    """The upgrade that spoils this, as it stands after the reboot and the verification."""
    product.offer(spoil + NEW)
    boot = product.appliance.boot_id()
    product.start()
    product.appliance.wait_reboot(boot)
    wait_until("the upgrade has its verdict", lambda: product.glance().get("outcome"))
    return product.seen(product.wait_ended("um-upgrade-verify"))


def reasons(upgrade, kind):
    return {event["UM_REASON"] for event in upgrade.events
            if event["UM_EVENT"] == kind and event["UM_STAGE"] == "verify"}  # fmt: skip


def test_everything_that_is_wrong_is_in_one_list_and_fails_the_unit(prepared):
    check = "printf '#!/bin/sh\\n[ $1 = before ]\\n'"
    prepared.appliance.run(f"{check} >{CHECKS}/required/api; chmod +x {CHECKS}/required/api")
    crashes = "[Service]\\nExecStart=sleep 20\\nRestart=always\\nRestartSec=1\\n"
    crashes += "[Install]\\nWantedBy=multi-user.target\\n"
    upgrade = verdict(
        prepared,
        unit(crashes) + reports("echo journal: Offline") + "echo photon-machine >/etc/hostname\n"
        "echo 'ERROR Failed to process journal=>read' >>/opt/vmware/var/logs/login.log\n",
    )
    upgrade.ended("needs-manual", "verify.unit", 8, "scenario.service does not stay up")
    assert reasons(upgrade, "stage-failed") == {
        "verify.unit", "verify.status", "hostname.mismatch", "verify.check", "verify.journal-error",
    }  # fmt: skip
    told = "\n".join(upgrade.told("stage-failed"))
    for word in ("journal is Offline", "photon-machine", "/opt/vmware/var/logs/um-upgrade.log", "login.log"):
        assert word in told
    assert prepared.appliance.is_active("sshd.service")
    failed = prepared.appliance.output("systemctl list-units --failed --no-legend --plain")
    assert "um-upgrade-verify.service" in failed


@pytest.mark.parametrize("script, word", [("sleep 1000", "did not end"), ("true", "names no state")])
def test_a_report_that_says_nothing_fails(prepared, script, word):
    verdict(prepared, reports(script)).ended("needs-manual", "verify.status", 8, word)


def test_what_is_worth_a_look_is_said_and_no_failure(prepared):
    appliance = prepared.appliance
    # Another sshd than the one by which the scenario looks: the upgrade masks it.
    prepared.configure(CONFIGURATION + f"[sshd]\nunit = {OTHER}\n")
    appliance.run(
        f"printf '{WELL}' >/usr/lib/systemd/system/{OTHER}; systemctl daemon-reload; systemctl enable --quiet --now "
        f"{OTHER}; systemctl stop scenario; echo 'WARN slow' >/opt/vmware/var/logs/vmware-journal.log"
    )
    upgrade = verdict(
        prepared,
        unit("[Service]\\nType=oneshot\\nExecStart=false\\n[Install]\\nWantedBy=sshd.service\\n")
        + reports("echo journal: Running with errors") + f"systemctl mask --quiet {OTHER}\n",
    )  # fmt: skip
    assert upgrade.outcome == "succeeded-with-warnings", upgrade.message
    assert "Do not revert the virtual machine to its snapshot any more: usage data" in upgrade.message
    assert reasons(upgrade, "warning") == {"verify.unit", "verify.status", "sshd.unmanageable"}
    told = "\n".join(upgrade.told("warning"))
    assert "was also unhealthy before the upgrade" in told  # it had been stopped
    assert "/opt/vmware/var/logs/vmware-journal.log" in told


def test_an_sshd_that_the_upgrade_disabled_is_enabled_and_runs(prepared):
    # The boot does not start it: but for the agent nobody could look.
    upgrade = verdict(prepared, "systemctl disable --quiet sshd\n")
    assert upgrade.outcome == "succeeded", upgrade.message
    assert prepared.appliance.output("systemctl is-enabled sshd") == "enabled"


def test_a_unit_that_starts_for_ever_has_a_deadline(prepared):
    # Wanted by sshd, so that nothing of the boot waits for it.
    starting = "[Service]\\nType=notify\\nTimeoutStartSec=infinity\\nExecStart=sleep infinity\\n"
    upgrade = verdict(prepared, unit(f"{starting}[Install]\\nWantedBy=sshd.service\\n"))
    upgrade.ended("needs-manual", "verify.deadline", 8, "scenario.service is still activating")
