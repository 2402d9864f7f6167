"""What keeps an upgrade from its end boot after boot: it ends, with a person if need be. One machine serves all."""
import subprocess

from harness.machine import Unreachable, wait_until
from harness.products import VERSION
from harness.small import NEW, OLD, PRODUCT

LIMIT = 3  # attempts of the change, and of the verification
# A machine that dies of what it runs. Its journal is safe by then, so that the story can be read.
DIE = "journalctl --sync; echo b >/proc/sysrq-trigger; sleep 1000\n"
# A unit without which the boot has not ended, and a timer that does not wait as long as the shipped one.
NEVER_READY = r"""
printf '[Timer]\nOnBootSec=\nOnBootSec=5s\n' >um-upgrade-resume.timer.d/test.conf
printf '%s\n' '[Unit]' Before=multi-user.target '[Service]' Type=oneshot TimeoutStartSec=infinity \
    'ExecStart=sleep infinity' '[Install]' WantedBy=multi-user.target >never-ready.service
"""


def verify_by(product, script, more=""):
    """The report of the new product's services is this script's."""
    well = f"grep -qx {VERSION} {PRODUCT} || {{ echo Running; exit; }}\n"  # the preflight asks as well
    product.appliance.run("cat >/root/status.sh", input=well + script)
    product.configure(f"[verify]\nunits = sshd.service\nstatus_command = /root/status.sh\nrun_as = root\n{more}")


def test_killed_in_the_verification_it_verifies_again_at_once(product):
    verify_by(product, "if mkdir /run/at-work; then sleep 1000; fi\necho Running\n", "[reboot]\npolicy = now\n")
    product.offer(NEW)
    boot = product.appliance.boot_id()
    product.start()
    product.appliance.wait_reboot(boot)
    product.wait_for_file("/run/at-work")
    product.appliance.run("systemctl kill --signal=KILL um-upgrade-verify")
    product.wait_ended("um-upgrade-verify")
    # Nobody starts anything: um-upgrade-resume.service does.
    wait_until("the upgrade has its verdict", lambda: product.glance().get("outcome"))
    upgrade = product.seen()
    assert upgrade.outcome == "succeeded", upgrade.message
    assert upgrade.stages("upgrade-resumed") == ["verify"]


def test_a_boot_that_does_not_come_to_its_end_is_verified_all_the_same(product):
    product.appliance.run(f"""
        cd /etc/systemd/system && mkdir um-upgrade-resume.timer.d && {NEVER_READY}
        systemctl daemon-reload && systemctl --quiet enable never-ready.service""")
    verify_by(product, "echo Running\n", "[reboot]\npolicy = now\n")
    product.offer(NEW)
    boot = product.appliance.boot_id()
    product.start()
    product.appliance.wait_reboot(boot)
    wait_until("the upgrade has its verdict", lambda: product.glance().get("outcome"))
    upgrade = product.seen()
    assert upgrade.outcome == "succeeded", upgrade.message
    assert product.appliance.run("systemctl is-active multi-user.target", check=False).stdout.strip() == "inactive"
    product.appliance.run("systemctl disable --now never-ready.service && rm -r /etc/systemd/system/*resume.timer.d")


def test_a_change_that_takes_the_machine_down_each_time_ends_with_a_person(product):
    product.offer(DIE, repeatable=True)
    product.start()
    assert product.boot_until_closed(LIMIT) == LIMIT
    upgrade = product.seen(product.wait_ended("um-upgrade-verify"))
    upgrade.ended("needs-manual", "interrupted", 10, "apply")
    assert (upgrade.attempts, product.version()) == (LIMIT, OLD)
    assert "um-upgrade abandon --why" in product.appliance.agent("run", check=False).stdout


def test_a_verification_that_takes_the_machine_down_each_time_ends_with_a_person(product):
    verify_by(product, DIE, "[reboot]\npolicy = now\n")
    product.offer(NEW)
    product.start()
    assert product.boot_until_closed(1 + LIMIT) == 1 + LIMIT
    upgrade = product.seen(product.wait_ended("um-upgrade-verify"))
    upgrade.ended("needs-manual", "interrupted", 10, "verify")
    assert product.version() == VERSION


def test_an_agent_that_dies_before_it_can_count_its_boots_reboots_no_more_in_the_end(product):
    appliance = product.appliance
    product.configure("[rollback]\nmode = auto\nprotect = /etc\n")
    failed = product.upgrade("exit 7")
    assert (failed.status, failed.outcome) == (7, None)
    agent, aside, count = "/usr/sbin/um-upgrade", "/root/um-upgrade", "/var/lib/um-upgrade/rollback-boots"
    appliance.run(f"""
        mv {agent} {aside}; printf '#!/bin/sh\nkill -SEGV $$\n' >{agent}; chmod 0755 {agent}
        truncate --size=19 {count}; systemctl reboot""", check=False)  # fmt: skip

    def settled():
        try:
            return not appliance.in_this_boot() or appliance.run(
                "systemctl is-system-running", check=False).stdout.strip() in ("running", "degraded")  # fmt: skip
        except (Unreachable, subprocess.TimeoutExpired):
            return False

    wait_until("the machine goes down", lambda: not appliance.in_this_boot())
    boots = 0
    while not appliance.in_this_boot():
        boots += 1
        assert boots <= 3, "it goes on and on"
        appliance.kill()
        appliance.start()
        wait_until("the machine goes down, or the boot has ended", settled, limit=600)
    assert boots == 3
    appliance.run(f"mv -f {aside} {agent}; systemctl start um-upgrade-verify.service", check=False)
    appliance.run("systemctl reboot", check=False)
    product.boot_until_closed(2)
    product.wait_ended("um-upgrade-verify")
    upgrade = product.seen()
    assert (upgrade.id, upgrade.outcome) == (failed.id, "rolled-back"), upgrade.message
    assert appliance.run(f"ls {count}", check=False).stdout == ""
