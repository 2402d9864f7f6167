"""The judge of tests/crash/syscalls has nothing to say of a whole upgrade, and something of each one that is not."""
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent / "machine"))

import judge  # noqa: E402

STORY = [
    ["id", "upgrade-started", "", ""],
    *(["id", event, stage, ""] for stage in judge.STAGES for event in ("stage-started", "stage-finished")),
    ["id", "upgrade-finished", "", "succeeded"],
]
RECORD = "id = id\noutcome = succeeded\n"
WHOLE = {
    "record": RECORD, "fields": {"id": "id", "outcome": "succeeded"}, "filed": {"id.ini": RECORD},
    "left": [], "guards": [], "mounted": False, "loop": [], "lock is free": True,
    "version": judge.NEW, "verified": "", "changes": 1, "data": "1 2 3\n", "events": STORY,
}  # fmt: skip
STOPPED = {"id": "id", "outcome": "needs-manual"}
SPOILT = {
    "open": {"fields": {"id": "id"}},
    "not filed": {"filed": {}},
    "filed as another": {"filed": {"id.ini": "id = id\n"}},
    "filed twice": {"filed": {"id.ini": RECORD, "other.ini": RECORD}},
    "old, and said to be new": {"version": judge.OLD},
    "new, and said to have failed": {"fields": {"id": "id", "outcome": "failed"}},
    "needs a person, and says not why": {"fields": STOPPED, "events": [*STORY[:-1], [*STORY[-1][:3], "needs-manual"]]},
    "a broken package": {"verified": "S.5......  /opt/ledger/version"},
    "changed twice": {"changes": 2},
    "changed by nobody": {"changes": 0},
    "data lost": {"data": ""},
    "a temporary file": {"left": ["/var/lib/um-upgrade/state.ini.new"]},
    "a reboot guard": {"guards": ["/run/systemd/system/reboot.target.d/um-upgrade.conf"]},
    "a mount": {"mounted": True},
    "a loop device": {"loop": ["/var/lib/um-upgrade/media/x.iso"]},
    "a lock": {"lock is free": False},
    "no beginning": {"events": STORY[1:]},
    "no end": {"events": STORY[:-1]},
    "another end": {"events": [*STORY[:-1], ["id", "upgrade-finished", "", "failed"]]},
    "another upgrade that never ends": {"events": [["other", "upgrade-started", "", ""], *STORY]},
    "a stage without a beginning": {"events": [*STORY[:3], *STORY[4:]]},
    "a stage without an end": {"events": [*STORY[:4], *STORY[5:]]},
}


def test_a_whole_upgrade():
    assert judge.violations(WHOLE) == []


def test_a_kill_that_makes_the_change_and_the_end_come_twice():
    again = [*STORY[:-2], ["id", "upgrade-resumed", "verify", ""], *STORY[-3:], STORY[-1]]
    assert judge.violations({**WHOLE, "changes": 2, "events": again}, "apply") == []


@pytest.mark.parametrize("spoil", SPOILT.values(), ids=SPOILT.keys())
def test_what_is_not_whole(spoil):
    assert judge.violations({**WHOLE, **spoil})
