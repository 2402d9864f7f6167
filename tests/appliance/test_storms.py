"""What goes on around an upgrade: D-Bus and systemd restart, the agent is killed or stopped, somebody reboots.

One machine serves all, and none of these reboots it.
"""
import pytest

from harness.appliance import MEDIA_DIRECTORY
from harness.held import Held, HeldRun
from harness.machine import wait_until
from harness.products import VERSION
from harness.small import APPLY, NEW, OLD

AT_WORK = "/run/at-work"
# A script that works until the test lets it end.
HOLD = f"touch {AT_WORK}; while [ -e {AT_WORK} ]; do sleep 0.2; done\n"


@pytest.fixture
def at_work(product):
    """An upgrade whose script is at work."""
    product.offer(HOLD + NEW)
    product.start()
    product.wait_for_file(AT_WORK)
    yield product
    product.appliance.run(f"rm -f {AT_WORK}")
    product.wait_ended()


def let_it_end(product):
    """Lets the script end, and waits until the change is complete and the reboot asked for."""
    product.appliance.run(f"rm {AT_WORK}")
    product.wait_for("reboot-requested")
    upgrade = product.seen(product.wait_ended())
    upgrade.waits_for_the_reboot()
    assert product.version() == VERSION
    return upgrade


# --- D-Bus and systemd ------------------------------------------------------------------------------------------
STORMS = [
    "systemctl restart dbus.service",
    "systemctl kill --signal=KILL dbus.service",
    "systemctl stop dbus.socket dbus.service; sleep 5; systemctl start dbus.socket",
    "systemctl daemon-reload",
    "systemctl daemon-reexec",
]


def test_the_change_and_who_waits_for_it_survive_restarts_of_dbus_and_systemd(product):
    # The agent looks every second whether the change has ended: each storm meets it.
    product.offer("".join(f"{storm}; sleep 2\n" for storm in STORMS) + NEW)
    product.start()  # and does not wait: systemctl itself does not survive all of this
    product.wait_for("reboot-requested")
    upgrade = product.seen(product.wait_ended())
    upgrade.waits_for_the_reboot()
    assert (upgrade.attempts, upgrade.warnings(), product.version()) == (1, [], VERSION)


# --- the agent is killed ----------------------------------------------------------------------------------------
def start_again(product):
    product.appliance.run("systemctl start um-upgrade")
    return product.seen(0)


def test_killed_while_it_looks_for_media_it_leaves_no_trace(product):
    product.offer(NEW)
    before = product.record()
    with Held(product.appliance, "um-upgrade run", (MEDIA_DIRECTORY, "getdents64")) as run:
        assert run.halts()
        run.signal("KILL")
        assert run.ended()[0] == 128 + 9
    assert product.record() == before
    upgrade = start_again(product)
    upgrade.waits_for_the_reboot()
    assert (upgrade.attempts, upgrade.stages("upgrade-resumed")) == (1, [])


def kill_in(product, stage):
    with HeldRun(product.appliance) as run:
        assert run.reaches(stage)
        run.signal("KILL")
        assert run.ended()[0] == 128 + 9
    killed = product.record()
    assert (killed["stage"], killed["outcome"]) == (stage, None)
    return killed["id"]


# Two for each upgrade, because a third attempt is its last one.
@pytest.mark.parametrize("stages", [("authenticate", "mount"), ("preflight", "prepare"), ("apply", "reboot")])
def test_killed_in_a_stage_it_goes_on_at_the_next_start(product, stages):
    product.offer(NEW)
    (killed,) = {kill_in(product, stage) for stage in stages}
    upgrade = start_again(product)
    assert (upgrade.id, upgrade.outcome, upgrade.stage) == (killed, None, "reboot")
    assert (upgrade.stages("stage-finished").count("apply"), product.version()) == (1, VERSION)
    # The reboot is left to the operator here: there is nothing to go on with.
    assert upgrade.stages("upgrade-resumed") == [stage for stage in stages if stage != "reboot"]


def test_killed_while_the_change_is_at_work_it_is_taken_up_at_once(at_work):
    at_work.appliance.run("systemctl kill --kill-who=main --signal=KILL um-upgrade")
    at_work.wait_for("upgrade-resumed", "apply")
    at_work.appliance.run(f"rm {AT_WORK}")
    at_work.wait_for("reboot-requested")
    assert at_work.wait_ended("um-upgrade-verify") == 0
    upgrade = at_work.seen(0)
    upgrade.waits_for_the_reboot()
    assert upgrade.stages("upgrade-resumed") == ["apply"]
    assert upgrade.attempts == 1
    assert at_work.version() == VERSION


# --- the change is killed ---------------------------------------------------------------------------------------
def kill_the_change(product):
    product.appliance.run(f"systemctl kill --signal=KILL {APPLY}; rm -f {AT_WORK}")
    return product.wait_ended()


def test_a_script_that_was_cut_off_needs_a_person(at_work):
    status = kill_the_change(at_work)
    at_work.seen(status).ended("needs-manual", "interrupted", 10, "before the change was complete")
    assert at_work.version() == OLD


def test_a_script_that_may_be_repeated_is_run_again_at_once(product):
    product.offer(f"[ -e /run/second ] || {{ touch /run/second; {HOLD} }}; {NEW}", repeatable=True)
    product.start()
    product.wait_for_file(AT_WORK)
    assert kill_the_change(product) == 0
    product.appliance.run("rm /run/second")
    upgrade = product.seen(0)
    upgrade.waits_for_the_reboot()
    assert (upgrade.attempts, upgrade.warnings(), product.version()) == (2, ["interrupted"], VERSION)


# --- requests to stop -------------------------------------------------------------------------------------------
def test_stopped_before_the_change_it_cancels_and_nothing_was_changed(product):
    product.offer(NEW, size=200 << 20)  # whose digest takes its time
    product.start()
    product.wait_for("stage-started", "authenticate")
    product.appliance.run("systemctl stop um-upgrade")
    assert product.appliance.output("systemctl show um-upgrade -p Result --value") == "success"
    upgrade = product.seen()
    assert (upgrade.outcome, upgrade.reason) == ("failed", "interrupted")
    assert "nothing was changed" in upgrade.message and "start um-upgrade again" in upgrade.hint
    assert upgrade.events[-1]["UM_OUTCOME"] == "failed"
    assert "apply" not in upgrade.stages("stage-started")
    assert product.version() == OLD


def test_asked_to_stop_during_the_change_it_says_that_it_cannot_and_goes_on(at_work):
    refused = at_work.appliance.run(f"systemctl stop {APPLY}", check=False)
    assert refused.returncode != 0
    at_work.appliance.run("systemctl stop --no-block um-upgrade")
    at_work.wait_for("warning", "apply")
    upgrade = let_it_end(at_work)
    assert upgrade.warnings() == ["busy"]
    assert any("cannot be stopped" in message for message in upgrade.told("warning"))


def test_the_process_of_the_change_answers_sigterm_and_goes_on(at_work):
    at_work.appliance.run(f"systemctl kill --kill-who=main --signal=TERM {APPLY}")
    at_work.wait_for("warning", "apply")
    upgrade = let_it_end(at_work)
    assert (upgrade.attempts, upgrade.warnings()) == (1, ["busy"])


# --- reboots ----------------------------------------------------------------------------------------------------
LOGIND = "org.freedesktop.login1 /org/freedesktop/login1 org.freedesktop.login1.Manager"
REBOOTS = [
    "systemctl reboot", "reboot", "shutdown -r now", "init 6", "poweroff", "halt", "systemctl start reboot.target",
    f"busctl call {LOGIND} Reboot b false", f"busctl call {LOGIND} PowerOff b false",
]  # fmt: skip


def test_a_reboot_typed_during_the_change_is_refused(at_work):
    boot = at_work.appliance.boot_id()
    # Some of these end with status 0 although they were refused.
    for command in REBOOTS:
        at_work.appliance.run(command, check=False)
        assert at_work.appliance.run("systemctl is-system-running", check=False).stdout.strip() != "stopping", command
    let_it_end(at_work)
    assert at_work.appliance.boot_id() == boot
    targets = ["reboot.target", "poweroff.target", "halt.target", "kexec.target"]
    guarded = at_work.appliance.output(f"systemctl show {' '.join(targets)} -p RefuseManualStart --value").split()
    assert guarded == ["no"] * len(targets)


def test_after_the_change_a_reboot_is_possible_whatever_ended_it(at_work):
    kill_the_change(at_work)
    wait_until(
        "the guard is gone",
        lambda: at_work.appliance.output("systemctl show reboot.target -p RefuseManualStart --value") == "no",
    )
