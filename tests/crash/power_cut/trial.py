"""One cut: how it is made, what the appliance does afterwards when it is left alone, and how that is judged."""
import contextlib
import random
import subprocess
import time

from harness.machine import PATIENCE, Unreachable
from harness.picture import lost_records

from . import prepared
from .judge import Judgement, describe
from .looking import look

# Far more than an upgrade takes that begins anew, and than any stall of a shared machine.
LIMIT = 1200
BOOTS = 8
# Media, and how many of all cuts are theirs: packages for the package manager; a script that may be repeated, or not;
# and one that fails at its end, so that the upgrade is rolled back.
WEIGHTS = {"packages": 3, "repeatable": 1, "script": 2, "failing": 4}


class Silence(Exception):
    """The appliance neither goes on nor says why not."""


def rehearsed(kind):
    """Which upgrade without a cut goes the same way."""
    return "failing" if kind == "failing" else "packages"


def plan(seed, number, mode, kinds, rehearsals):
    """Everything that chance decides about a cut, from the seed alone.

    rehearsals: by kind of media, what was measured over the whole of an upgrade without a cut, its proof included.
    """
    chance = random.Random(f"{seed}/{number}")
    made = {
        "number": number,
        "kind": chance.choices(kinds, [WEIGHTS[kind] for kind in kinds])[0],
        "enabled": chance.random() < 0.5,
        "kept": chance.choice([0, 0.5, 0.9]),
        "mode": chance.choice(["time", "write"]),
        "moment": chance.random(),
    }
    if mode != "both":
        made["mode"] = mode
    measured = rehearsals[rehearsed(made["kind"])]
    if made["mode"] == "time":
        made["after"] = round(made["moment"] * measured["processor_time"], 1)
    else:
        made["after"] = 1 + int(made["moment"] * measured["operations"])
    return made


def how(made):
    """A cut in words."""
    unit = "s of processor time" if made["mode"] == "time" else "writes and flushes from prepare on"
    enabled = "enabled" if made["enabled"] else "disabled"
    return f"#{made['number']} {made['kind']}, {enabled}, after {made['after']} {unit}, {made['kept']:.0%} of the cache"


def stage_begun(appliance, stage):
    return any(e["UM_EVENT"] == "stage-started" and e.get("UM_STAGE") == stage for e in appliance.events_heard())


def is_over(appliance):
    """The upgrade was quicker than the one that was measured: an idle machine hardly comes any further."""
    return appliance.boot_is_complete() and any(e["UM_EVENT"] == "upgrade-finished" for e in appliance.events_heard())


def run_to_the_cut(appliance, made):
    """Lets the machine run, reboots included, until the moment of the cut; returns in which boot that is.

    The machine is still on the power then, but for a stopped disk.
    """
    begun, armed, boot = appliance.processor_time(), False, 1
    end = time.monotonic() + LIMIT * PATIENCE
    while time.monotonic() < end:
        if made["mode"] == "time" and appliance.processor_time() - begun >= made["after"]:
            return boot
        if appliance.storage.stopped.is_set() or is_over(appliance):
            return boot
        if made["mode"] == "write" and not armed and stage_begun(appliance, "prepare"):
            appliance.storage.stop_after(made["after"])
            armed = True
        if not appliance.in_this_boot():
            appliance.kill()
            appliance.start()
            boot += 1
        time.sleep(0.05)
    raise Silence("the upgrade did not come to where the cut was due")


def is_settled(appliance):
    """The boot is complete, it asked for no other one, and nobody is at work."""
    reboots = any(event["UM_EVENT"] == "reboot-requested" for event in appliance.events_heard(this_boot=True))
    return not reboots and appliance.boot_is_complete() and appliance.nobody_is_at_work()


def leave_alone(appliance):
    """Boots, and boots again whenever the appliance reboots itself, until nobody is at work. Returns the boots."""
    end = time.monotonic() + LIMIT * PATIENCE
    for boot in range(1, BOOTS + 1):
        appliance.start()
        while appliance.in_this_boot():
            if time.monotonic() > end:
                raise Silence(f"boot {boot} came to no end in {LIMIT * PATIENCE:.0f} s")
            with contextlib.suppress(Unreachable, subprocess.TimeoutExpired):  # on its way down, or slow
                if is_settled(appliance):
                    return boot
            time.sleep(0.5)
        appliance.kill()
    raise Silence(f"{BOOTS} boots, and no end")


def last_stage(appliance):
    stages = [describe(event) for event in appliance.events_heard()]
    return stages[-1] if stages else "before any event"


def orderly_end(appliance):
    """Off, and what the file system check finds wrong with the disk."""
    appliance.power_off()
    checked = subprocess.run(["e2fsck", "-fn", appliance.disk], capture_output=True, text=True)
    return [] if checked.returncode == 0 else [f"e2fsck: {checked.stdout[-600:]}"]


def cut(made):
    """The result of one cut, a plain dictionary; where something was violated, the appliance's directory is kept."""
    begin = time.monotonic()
    result = {**made, "boots": 0, "outcome": "?", "violations": [], "remarks": []}
    with prepared.begun(f"power-{made['number']}", made["kind"], made["enabled"]) as appliance:
        try:
            boot = run_to_the_cut(appliance, made)
            result["at"] = f"boot {boot}, {last_stage(appliance)}"
            result["lost"], result["unflushed"] = appliance.cut(random.Random(made["moment"]), made["kept"])
            result["boots"] = leave_alone(appliance)
            judge(appliance, made, result)
        except Exception as failure:  # whatever it is, the other cuts go on, and this one is no success
            result["violations"].append(f"{type(failure).__name__}: {failure}")
    result["processor_time"] = round(appliance.processor_time())
    if not result["violations"]:
        appliance.disk.unlink()
    result["seconds"] = round(time.monotonic() - begin)
    return result


def judge(appliance, made, result):
    judgement = Judgement(
        prepared.before(), look(appliance), appliance.events_heard(), made, prepared.afterwards()
    )
    result["outcome"] = judgement.outcome
    result["remarks"] += judgement.remarks
    result["violations"] += judgement.violations
    if judgement.outcome != "needs-manual":
        appliance.wait_records()
    lost = lost_records(appliance)
    if lost:
        result["violations"].append(f"usage records were lost: {sorted(lost)}")
    result["violations"] += orderly_end(appliance)
