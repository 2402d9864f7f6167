"""The judge of power cuts: each thing that must never be is found, and nothing else is complained of."""
import collections
import copy
import pathlib
import re
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from power_cut.judge import Judgement  # noqa: E402
from power_cut.trial import WEIGHTS, plan  # noqa: E402
from harness.picture import lost  # noqa: E402

ID = "6f1c"
NEW = ["base-1", "product-4.7"]
BEFORE = {
    "packages": ["base-1", "product-4.3"], "verify": [], "enabled": ["nginx"], "active": ["nginx.service"],
    "failed": [], "status": "vCloud Usage Meter 4.3.0.0: Running", "schema": "1", "store": "ok", "mounts": [],
    "loops": [], "guards": [], "kernel": [], "litter": [], "kept": ["history", "media", "state.ini"],
    "closed": [], "events": [], "files": {"/etc/hosts": "old"}, "rollback": [], "due": False,
    "record": {"upgrade": None},
}  # fmt: skip


def event(kind, at, boot="second", **fields):
    return {"UM_EVENT": kind, "UM_UPGRADE_ID": ID, "_BOOT_ID": boot, "__MONOTONIC_TIMESTAMP": str(at), **fields}


def story(outcome, *before_the_end, **end):
    return [
        event("upgrade-started", 1, "first"),
        event("stage-started", 2, "first", UM_STAGE="apply"),
        event("upgrade-resumed", 3),
        *(event(kind, 4 + number) for number, kind in enumerate(before_the_end)),
        event("upgrade-finished", 9, UM_OUTCOME=outcome, **end),
    ]


def closed(outcome, **fields):
    """An appliance whose upgrade was interrupted once, and ended so; what differs from BEFORE is given."""
    upgrade = {
        "id": ID, "outcome": outcome, "stage": "verify", "attempts": 2, "reason": None, "message": "m", "hint": "h"
    }  # fmt: skip
    upgrade.update(fields.pop("upgrade", {}))
    after = {"record": {"upgrade": upgrade}, "closed": [ID]}
    return {**copy.deepcopy(BEFORE), **after, "events": story(outcome), **fields}


def whole(**fields):
    new = {
        "packages": NEW, "active": ["nginx.service", "vmware-um-schedule.service"], "schema": "2",
        "status": "vCloud Usage Meter 4.7.0.0: Running", "rollback": [ID, f"{ID}/kept", f"{ID}/manifest"],
    }  # fmt: skip
    return closed("succeeded", **{**new, **fields})


ROLLBACK = ("rollback-started", "rollback-finished")


def rolled_back(reason="interrupted", **fields):
    upgrade = {"reason": reason, "message": "rolled back: everything is as before", **fields.pop("upgrade", {})}
    ends = {
        "rollback": [ID, f"{ID}/added", f"{ID}/data"], "events": story("rolled-back", *ROLLBACK, UM_REASON=reason)
    }  # fmt: skip
    return closed("rolled-back", upgrade=upgrade, **{**ends, **fields})


def needs_manual(reason):
    return closed("needs-manual", upgrade={"reason": reason}, packages=NEW, schema="2")


def judge(after, kind="packages", enabled=True, heard=()):
    judgement = Judgement(BEFORE, after, list(heard), {"kind": kind, "enabled": enabled}, NEW)
    return judgement.outcome, judgement.violations


@pytest.mark.parametrize(
    "after, options, outcome",
    [
        (whole(), {}, "succeeded"),
        (closed("failed"), {}, "failed"),
        (closed("refused"), {}, "refused"),
        (BEFORE, {"enabled": False}, "nothing-begun"),
        (rolled_back(), {"kind": "script"}, "rolled-back"),
        (rolled_back(), {"kind": "failing"}, "rolled-back"),
        (rolled_back("script.failed"), {"kind": "failing"}, "rolled-back"),
        (rolled_back(rollback=[ID, f"{ID}/stores"]), {"kind": "failing"}, "rolled-back"),
        (closed("failed"), {"kind": "failing"}, "failed"),
    ],
)
def test_what_may_be(after, options, outcome):
    assert judge(after, **options) == (outcome, [])


@pytest.mark.parametrize(
    "after, options, word",
    [
        (BEFORE, {}, "silence"),
        (closed(None, closed=[]), {}, "silence"),
        (whole(packages=["base-1", "product-4.3", "product-4.7"]), {}, "too many ['product-4.3']"),
        (whole(packages=["base-1"]), {}, "missing ['product-4.7']"),
        (whole(verify=["missing /etc/x"]), {}, "rpm -Va"),
        (whole(active=["nginx.service"]), {}, "active units"),
        (whole(failed=["nginx.service"]), {}, "failed units"),
        (whole(status="vCloud Usage Meter 4.7.0.0: Offline"), {}, "status.sh"),
        (whole(schema="1"), {}, "schema"),
        (whole(store="*** in database main ***"), {}, "integrity"),
        (whole(mounts=["/root/upgrade"]), {}, "mounts"),
        (whole(loops=["/dev/loop0"]), {}, "loops"),
        (whole(guards=["/run/x"]), {}, "guards"),
        (whole(kept=["state.ini", "work"]), {}, "left behind"),
        (whole(closed=[ID, "other"]), {}, "history"),
        (whole(closed=[]), {}, "history"),
        (whole(kernel=["EXT4-fs error (device vda)"]), {}, "kernel"),
        (whole(events=story("succeeded")[:-1]), {}, "the story's end"),
        (whole(events=story("failed")), {}, "the story's end"),
        (whole(events=[*story("")[:2], *story("succeeded")[3:]]), {}, "without its interruption"),
        (whole(events=[event("upgrade-started", 0)] * 2 + story("succeeded")), {}, "more than twice"),
        (closed("failed", packages=NEW), {}, "packages"),
        (closed("refused", schema="2"), {}, "schema"),
        *((needs_manual("interrupted"), {"kind": kind}, "needs-manual: interrupted") for kind in WEIGHTS),
        (needs_manual("rollback.failed"), {"kind": "failing"}, "needs-manual: rollback.failed"),
        (whole(), {"kind": "failing"}, "said to have succeeded"),
        (rolled_back(failed=["um-upgrade.service"]), {"kind": "failing"}, "failed"),
        (rolled_back(closed=[ID, "again"]), {"kind": "failing"}, "history"),
        (rolled_back(), {"kind": "packages"}, "goes on by itself"),
        (rolled_back(), {"kind": "repeatable"}, "goes on by itself"),
        (rolled_back("verify.unit"), {"kind": "script"}, "another reason"),
        (rolled_back("verify.unit"), {"kind": "failing"}, "another reason"),
        (rolled_back("script.failed"), {"kind": "script"}, "another reason"),
        (rolled_back(upgrade={"message": "m"}), {"kind": "failing"}, "the message is"),
        (rolled_back(packages=NEW), {"kind": "failing"}, "packages"),
        (rolled_back(enabled=[]), {"kind": "failing"}, "enabled"),
        (rolled_back(active=[]), {"kind": "failing"}, "active"),
        (rolled_back(failed=["nginx.service"]), {"kind": "failing"}, "failed"),
        (rolled_back(status="vCloud Usage Meter 4.3.0.0: Offline"), {"kind": "failing"}, "status"),
        (rolled_back(schema="2"), {"kind": "failing"}, "schema"),
        (rolled_back(verify=["S.5......  c /etc/x"]), {"kind": "failing"}, "verify"),
        (rolled_back(files={"/etc/hosts": "new"}), {"kind": "failing"}, "/etc/hosts: old -> new"),
        (rolled_back(files={**BEFORE["files"], "/etc/x": "new"}), {"kind": "failing"}, "/etc/x: None -> new"),
        (rolled_back(files={f"/etc/{n}": "new" for n in range(19)}), {"kind": "failing"}, "and 12 more"),
        (closed("failed", files={}), {"kind": "failing"}, "/etc/hosts: old -> None"),
        (rolled_back(due=True), {"kind": "failing"}, "a rollback is due"),
        (whole(due=True), {}, "a rollback is due"),
        (rolled_back(rollback=[ID, f"{ID}/kept"]), {"kind": "failing"}, "of what was kept is left"),
        (rolled_back(rollback=[ID, f"{ID}/manifest"]), {"kind": "failing"}, "of what was kept is left"),
        (rolled_back(rollback=[ID, "other"]), {"kind": "failing"}, "too many ['other']"),
        (closed("failed", rollback=[ID]), {}, "of what was kept is left"),
        (closed("refused", rollback=[ID]), {}, "of what was kept is left"),
        ({**BEFORE, "rollback": [ID]}, {"enabled": False}, "of what was kept is left"),
        (whole(rollback=[]), {}, "cannot be rolled back by hand"),
        (whole(rollback=[ID, f"{ID}/manifest", "other/kept"]), {}, "too many ['other/kept']"),
        (rolled_back(events=story("rolled-back", "rollback-started", UM_REASON="interrupted")), {"kind": "script"},
         "does not tell of the rollback"),
        (rolled_back(events=story("rolled-back", "rollback-finished", UM_REASON="interrupted")), {"kind": "script"},
         "does not tell of the rollback"),
        (rolled_back(events=story("rolled-back", *ROLLBACK)), {"kind": "script"}, "the end's reason"),
    ],
)  # fmt: skip
def test_what_must_not_be(after, options, word):
    _, violations = judge(after, **options)
    assert len(violations) == 1 and word in violations[0], violations


@pytest.mark.parametrize(
    "acknowledged, stored, set_aside, numbers",
    [
        ([1, 2, 3], {1, 2, 3, 4}, set(), []),
        ([1, 2, 3], {1, 3}, set(), [2]),
        ([1, 2, 2], {1, 2}, set(), [2]),  # the first one is gone: a store gives each number once
        ([1, 2, 3, 4, 3], {1, 2, 3}, {1, 2, 3, 4}, []),  # rolled back to 2; 3 is given anew
        ([1, 2, 3, 4, 3], {1, 2, 3}, {1, 2, 3}, [4]),
        ([1, 2, 3, 4, 3], {1, 2, 3}, {1, 2, 4}, [3]),
        ([1, 2, 3, 4, 3], {1, 2}, {1, 2, 3, 4}, [3]),
        ([1, 2, 3, 4, 3], {1, 2, 3}, set(), [3, 4]),
    ],
)
def test_a_record_is_in_the_store_or_set_aside(acknowledged, stored, set_aside, numbers):
    assert lost(collections.Counter(acknowledged), [stored, set_aside]) == set(numbers)


def test_a_record_that_was_there_does_not_go_away():
    heard = [event("stage-started", 1, UM_STAGE="find")]
    assert judge(BEFORE, enabled=False, heard=heard) == ("nothing-begun", [])
    heard.append(event("stage-started", 2, UM_STAGE="authenticate"))
    _, violations = judge(BEFORE, enabled=False, heard=heard)
    assert len(violations) == 1 and "the record is gone" in violations[0]


def test_what_the_cut_may_take_from_the_journal():
    started, apply, *rest = story("succeeded")
    assert judge(whole(events=[started, *rest]), heard=[started, apply]) == ("succeeded", [])
    # A stage that has only been said to begin may not have come as far as the journal's way to the disk.
    assert judge(whole(events=rest), heard=[started, apply]) == ("succeeded", [])
    answered = event("prompt-answered", 3, "first")
    assert judge(whole(events=[started, apply, *rest]), heard=[started, apply, answered]) == ("succeeded", [])
    _, violations = judge(whole(events=[apply, *rest]), heard=[started, apply, answered])
    assert len(violations) == 1 and "journal: upgrade-started was lost" in violations[0]


REHEARSALS = {kind: {"processor_time": 100, "operations": 1000} for kind in ("packages", "failing")}


def plans(count, kinds=tuple(WEIGHTS), seed=1):
    return [plan(seed, number, "both", kinds, REHEARSALS) for number in range(1, count + 1)]


def test_a_plain_run_has_cuts_of_all_kinds_in_the_whole_of_the_story():
    made = plans(100)
    assert {one["kind"] for one in made} == set(WEIGHTS)
    for mode, whole_story in ("time", 100), ("write", 1000):
        moments = [one["after"] for one in made if one["mode"] == mode]
        assert min(moments) < 0.1 * whole_story and max(moments) > 0.9 * whole_story


def test_the_sample_of_the_whole_run_goes_forth_and_back():
    lists = (pathlib.Path(__file__).resolve().parents[1] / "CMakeLists.txt").read_text()
    count, seed = re.search(r"/power --cuts (\d+) --seed (\d+)\)", lists).groups()
    sample = {(one["kind"], one["mode"]) for one in plans(int(count), seed=seed)}
    assert {"failing", "packages"} < {kind for kind, _ in sample} and {mode for _, mode in sample} == {"time", "write"}


def test_kinds_can_be_chosen():
    assert {one["kind"] for one in plans(20, ("failing", "script"))} == {"failing", "script"}
