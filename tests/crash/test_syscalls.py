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
    "version": judge.NEW, "verified": "", "running": "active", "changes": 1, "data": "1 2 3\n", "events": STORY,
    "settings": {}, "set aside": [], "kept": ["id", "id/kept", "id/manifest"], "due": False,
}  # fmt: skip
STOPPED = {"id": "id", "outcome": "needs-manual"}
STORY_BACK = [
    *STORY[: 2 * judge.STAGES.index("apply") + 2], ["id", "stage-failed", "apply", ""],
    ["id", "rollback-started", "", ""], ["id", "reboot-requested", "", ""],
    ["id", "stage-started", "verify", ""], ["id", "stage-finished", "verify", ""],
    ["id", "rollback-finished", "", ""], ["id", "upgrade-finished", "", "rolled-back"],
]  # fmt: skip
RECORD_BACK = "id = id\noutcome = rolled-back\n"
BACK = {
    **WHOLE, "record": RECORD_BACK, "fields": {"id": "id", "outcome": "rolled-back"}, "filed": {"id.ini": RECORD_BACK},
    "version": judge.OLD, "events": STORY_BACK, "settings": judge.SETTINGS_BEFORE,
    "set aside": ["1 2 3\n4 5 6\n"], "kept": ["id", "id/added", "id/data"],
}  # fmt: skip
SPOILT = {
    "open": {"fields": {"id": "id"}},
    "not filed": {"filed": {}},
    "filed as another": {"filed": {"id.ini": "id = id\n"}},
    "filed twice": {"filed": {"id.ini": RECORD, "other.ini": RECORD}},
    "old, and said to be new": {"version": judge.OLD},
    "new, and said to have failed": {"fields": {"id": "id", "outcome": "failed"}},
    "needs a person": {"fields": STOPPED, "events": [*STORY[:-1], [*STORY[-1][:3], "needs-manual"]]},
    "a broken package": {"verified": "S.5......  /opt/ledger/version"},
    "not running": {"running": "inactive"},
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
    "no rollback by hand": {"kept": []},
    "kept files of another one": {"kept": [*WHOLE["kept"], "other"]},
    "a rollback is due": {"due": True},
    "rolled back, though it goes on by itself": BACK,
}
SPOILT_BACK = {
    "not rolled back": WHOLE,
    "new": {"version": judge.NEW},
    "a broken package": {"verified": "S.5......  c /etc/ledger/ledger.conf"},
    "changed twice": {"changes": 2},
    "data of the new version": {"data": "1 2 3\n4 5 6\n", "set aside": []},
    "data lost that the new version wrote": {"set aside": []},
    "of those data a part": {"set aside": ["1 2 3\n"]},
    "data set aside twice": {"set aside": 2 * BACK["set aside"]},
    "configuration edited": {"settings": {**judge.SETTINGS_BEFORE, "ledger.conf": "other\n"}},
    "configuration added": {"settings": {**judge.SETTINGS_BEFORE, "converted/ledger": "converted\n"}},
    "configuration lost": {"settings": {"ledger.conf": judge.SETTINGS_BEFORE["ledger.conf"]}},
    "kept files": {"kept": [*BACK["kept"], "id/kept"]},
    "the list of kept files": {"kept": [*BACK["kept"], "id/manifest"]},
    "kept files of another one": {"kept": [*BACK["kept"], "other"]},
    "a rollback is due": {"due": True},
    "a rollback that is not told of": {"events": [*STORY_BACK[:-2], STORY_BACK[-1]]},
    "a rollback that begins again and again": {"events": [*STORY_BACK[:-6], *3 * [STORY_BACK[-6]], *STORY_BACK[-5:]]},
    "a stage without an end": {"events": [event for event in STORY_BACK if event[1] != "stage-failed"]},
    "another end": {"events": [*STORY_BACK[:-1], ["id", "upgrade-finished", "", "needs-manual"]]},
}


def test_a_whole_upgrade():
    assert judge.violations("forth", WHOLE) == []


def test_one_that_was_rolled_back():
    assert judge.violations("back", BACK) == []
    # Cut off before it wrote anything.
    assert judge.violations("back", {**BACK, "changes": 0, "set aside": [], "kept": ["id"]}, "apply") == []


def test_a_kill_that_makes_the_change_and_the_end_come_twice():
    again = [*STORY[:-2], ["id", "upgrade-resumed", "verify", ""], *STORY[-3:], STORY[-1]]
    assert judge.violations("forth", {**WHOLE, "changes": 2, "events": again}, "apply") == []


@pytest.mark.parametrize("spoil", SPOILT.values(), ids=SPOILT.keys())
def test_what_is_not_whole(spoil):
    assert judge.violations("forth", {**WHOLE, **spoil})


@pytest.mark.parametrize("spoil", SPOILT_BACK.values(), ids=SPOILT_BACK.keys())
def test_what_is_not_as_before(spoil):
    assert judge.violations("back", {**BACK, **spoil}, "apply")
