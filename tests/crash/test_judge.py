"""The judge of power cuts: each thing that must never be is found, and nothing else is complained of."""
import copy
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from power_cut.judge import Judgement  # noqa: E402

ID = "6f1c"
NEW = ["base-1", "product-4.7"]
BEFORE = {
    "packages": ["base-1", "product-4.3"], "verify": [], "enabled": ["nginx"], "active": ["nginx.service"],
    "failed": [], "status": "vCloud Usage Meter 4.3.0.0: Running", "schema": "1", "store": "ok", "mounts": [],
    "loops": [], "guards": [], "kernel": [], "litter": [], "kept": ["history", "media", "state.ini"],
    "closed": [], "events": [],
    "record": {"upgrade": None}, "state": None,
}  # fmt: skip


def event(kind, at, boot="second", **fields):
    return {"UM_EVENT": kind, "UM_UPGRADE_ID": ID, "_BOOT_ID": boot, "__MONOTONIC_TIMESTAMP": str(at), **fields}


def story(outcome):
    return [
        event("upgrade-started", 1, "first"),
        event("stage-started", 2, "first", UM_STAGE="apply"),
        event("upgrade-resumed", 3),
        event("upgrade-finished", 4, UM_OUTCOME=outcome),
    ]


def closed(outcome, change="done", **fields):
    """An appliance whose upgrade was interrupted once, and ended so; what differs from BEFORE is given."""
    upgrade = {
        "id": ID, "outcome": outcome, "stage": "verify", "attempts": 2, "reason": None, "message": "m", "hint": "h"
    }  # fmt: skip
    upgrade.update(fields.pop("upgrade", {}))
    after = {"record": {"upgrade": upgrade}, "state": f"\nchange = {change}\n", "closed": [ID]}
    return {**copy.deepcopy(BEFORE), **after, "events": story(outcome), **fields}


def whole(**fields):
    new = {
        "packages": NEW, "active": ["nginx.service", "vmware-um-schedule.service"], "schema": "2",
        "status": "vCloud Usage Meter 4.7.0.0: Running",
    }  # fmt: skip
    return closed("succeeded", **{**new, **fields})


def needs_manual(**upgrade):
    return closed("needs-manual", "begun", upgrade={"reason": "interrupted", **upgrade}, packages=NEW, schema="2")


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
        (needs_manual(), {"kind": "script"}, "needs-manual"),
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
        (whole(events=[event("upgrade-started", 0), *story("succeeded")]), {}, "more than once"),
        (closed("failed", packages=NEW), {}, "packages"),
        (closed("refused", schema="2"), {}, "schema"),
        (needs_manual(), {"kind": "packages"}, "goes on by itself"),
        (needs_manual(), {"kind": "repeatable"}, "goes on by itself"),
        (needs_manual(message=""), {"kind": "script"}, "without a word"),
        (needs_manual(reason="verify.unit"), {"kind": "script"}, "reason"),
        (closed("needs-manual", upgrade={"reason": "interrupted"}), {"kind": "script"}, "goes on by itself"),
    ],
)  # fmt: skip
def test_what_must_not_be(after, options, word):
    _, violations = judge(after, **options)
    assert len(violations) == 1 and word in violations[0], violations


def test_a_record_that_was_there_does_not_go_away():
    heard = [event("stage-started", 1, UM_STAGE="find")]
    assert judge(BEFORE, enabled=False, heard=heard) == ("nothing-begun", [])
    heard.append(event("stage-started", 2, UM_STAGE="authenticate"))
    _, violations = judge(BEFORE, enabled=False, heard=heard)
    assert len(violations) == 1 and "the record is gone" in violations[0]


def test_what_the_cut_may_take_from_the_journal():
    heard = story("succeeded")
    kept = whole(events=[heard[0], *heard[2:]])  # the last entry before the cut is gone: that may be
    assert judge(kept, heard=heard) == ("succeeded", [])
    lost = whole(events=heard[1:])  # the one before it is gone, and a stage had begun since
    _, violations = judge(lost, heard=heard)
    assert len(violations) == 1 and "journal: upgrade-started was lost" in violations[0]
