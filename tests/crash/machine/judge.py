"""What an upgrade must have become, however often it was killed: looks, and names what is not so."""
import fcntl
import json
import pathlib

from ledger import DATA, DUE, NEW, OLD, RECORDS, ROLLBACK, SETTINGS, STATE, guards, is_mounted
from machine import CRASH, loop_devices, printed

STAGES = "find authenticate mount preflight prepare apply reboot verify".split()
ENDS = {"stage-finished", "stage-failed", "refused"}
# How a story may end, and which version is there then. One that fails is rolled back, wherever it was cut off.
SUCCEEDED = {"succeeded", "succeeded-with-warnings"}
CLOSED = {
    "forth": {"succeeded": NEW, "succeeded-with-warnings": NEW, "refused": OLD, "failed": OLD},
    "back": {"rolled-back": OLD},
}
KEPT = {"kept", "manifest", "ballast", "temporary"}  # what must not outlive an upgrade that was rolled back
BEFORE = "1 2 3\n"
CONVERTED = "1 2 3\n4 5 6\n"
SETTINGS_BEFORE = {"ledger.conf": f"for = {OLD}\n", "local.conf": "local\n"}


def new_events():
    """The agent's events since the last look, oldest first."""
    printed("journalctl", "--sync")
    fields = "UM_UPGRADE_ID,UM_EVENT,UM_STAGE,UM_OUTCOME"
    entries = printed("journalctl", "--quiet", "--output=json", f"--output-fields={fields}",
                      f"--cursor-file={CRASH}/cursor", "SYSLOG_IDENTIFIER=um-upgrade")  # fmt: skip
    entries = [json.loads(line) for line in entries.splitlines()]
    return [[entry.get(field, "") for field in fields.split(",")] for entry in entries if "UM_EVENT" in entry]


def lock_is_free():
    try:
        with open("/run/um-upgrade/lock", "r+") as lock:
            fcntl.lockf(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return True
    except FileNotFoundError:
        return True
    except OSError:
        return False


def look():
    record = (STATE / "state.ini").read_text() if (STATE / "state.ini").exists() else ""
    version = pathlib.Path("/opt/ledger/version").read_text().strip()
    return {
        "record": record,
        "fields": dict(line.split(" = ", 1) for line in record.splitlines() if " = " in line),
        "filed": {path.name: path.read_text() for path in (STATE / "history").glob("*")},
        "left": [str(path) for path in STATE.rglob("*") if path.suffix == ".new" or path.name == "work"],
        "guards": [str(path) for path in guards()],
        "mounted": is_mounted(),
        "loop": loop_devices(),
        "lock is free": lock_is_free(),
        "version": version,
        "verified": printed("rpm", "--verify", f"ledger-{version}"),
        "running": printed("systemctl", "is-active", "ledger.service"),
        "changes": len((DATA / "changes").read_text().splitlines()),
        "data": RECORDS.read_text(),
        "set aside": [path.read_text() for path in ROLLBACK.glob(f"*/data{RECORDS}")],
        "settings": {
            str(path.relative_to(SETTINGS)): path.read_text() for path in SETTINGS.rglob("*") if path.is_file()
        },
        "kept": sorted(str(path.relative_to(ROLLBACK)) for depth in ("*", "*/*") for path in ROLLBACK.glob(depth)),
        "due": DUE.exists(),
        "events": new_events(),
    }


def violations(story, facts, process=None):
    """What is not as it must be, when that process was killed once; none: nobody was."""
    return [*record(story, facts), *product(story, facts, process), *remains(facts), *what_is_kept(facts), *told(facts)]


def record(story, facts):
    fields = facts["fields"]
    if fields.get("outcome") not in CLOSED[story]:
        yield f"the record is not closed, or otherwise than it may be: {facts['record'] or 'there is none'}"
    if facts["filed"] != {f"{fields.get('id')}.ini": facts["record"]}:
        yield f"the history holds {facts['filed']}, the record is {facts['record']}"


def product(story, facts, process):
    outcome, version = facts["fields"].get("outcome"), facts["version"]
    if version not in (OLD, NEW) or version != CLOSED[story].get(outcome, version):
        yield f"the version is '{version}', and the outcome '{outcome}'"
    if facts["verified"]:
        yield f"the version is '{version}', and rpm --verify says '{facts['verified']}'"
    if facts["running"] != "active":
        yield f"the product is {facts['running']}"
    if facts["data"] != BEFORE:
        yield f"of the product's data is left: '{facts['data']}'"
    # A change that came to its end is not made again; one that was cut off is, once, where the media allow it.
    often = 2 if (story, process) == ("forth", "apply") else 1
    if facts["changes"] > often or (version == NEW and facts["changes"] == 0):
        yield f"the change was made {facts['changes']} times"


def remains(facts):
    for what in ("left", "guards", "loop", "mounted"):
        if facts[what]:
            yield f"{what}: {facts[what]}"
    if not facts["lock is free"]:
        yield "the lock is held"


def what_is_kept(facts):
    """A success can be rolled back by hand. Else what was kept goes, and what was moved aside stays."""
    outcome, identity, left = facts["fields"].get("outcome"), facts["fields"].get("id"), facts["kept"]
    others = [path for path in left if path.split("/")[0] != identity]
    kept = [path for path in left if path.split("/")[-1] in KEPT]
    if facts["due"]:
        yield "a rollback is due"
    if outcome in SUCCEEDED:
        if others or f"{identity}/manifest" not in left:
            yield f"it is not this one alone that can be rolled back by hand: {left}"
        return
    if outcome != "rolled-back":
        if left:
            yield f"of what was kept is left: {left}"
        return
    if others or kept:
        yield f"of what was kept is left: {[*others, *kept]}"
    if facts["settings"] != SETTINGS_BEFORE:
        yield f"the configuration is not as before: {facts['settings']}"
    # The script converts them before it tells of the change.
    if facts["set aside"] != [CONVERTED] and (facts["changes"] or facts["set aside"]):
        yield f"of the data that were converted is left: {facts['set aside']}"


def told(facts):
    """An upgrade begins once and ends, and no stage begins before the end of the one before is told.

    Who goes on after a kill tells again what it does again, so that no entry is missing for good. The beginning and the
    end may be told twice: each is recorded by a call of its own.
    """
    events, identity, outcome = facts["events"], facts["fields"].get("id"), facts["fields"].get("outcome")
    story = [[event, stage] for _, event, stage, _ in events]
    if {owner for owner, *_ in events} != {identity}:
        yield f"the journal tells of the upgrades {sorted({owner for owner, *_ in events})}, the record of {identity}"
        return
    if [event for event, _ in story].count("upgrade-started") not in (1, 2) or story[0][0] != "upgrade-started":
        yield f"it does not begin: {story}"
    ended = [told_outcome for _, event, _, told_outcome in events if event == "upgrade-finished"]
    if set(ended) != {outcome} or len(ended) > 2 or story[-1][0] != "upgrade-finished":
        yield f"it does not end as {outcome}: {story}"
    begun = None
    for event, stage in story:
        if event == "stage-started" and begun:
            yield f"{stage} starts while {begun} is at work: {story}"
        if event == "stage-started":
            begun = stage
        elif event in ENDS | {"upgrade-started", "upgrade-resumed", "upgrade-finished"}:
            begun = None
    if outcome == "rolled-back":
        for event in ("rollback-started", "rollback-finished"):
            if [name for name, _ in story].count(event) not in (1, 2):
                yield f"{event} is not told, or again and again: {story}"
    if outcome in SUCCEEDED:
        for stage in STAGES:
            if ["stage-started", stage] not in story or ["stage-finished", stage] not in story:
                yield f"{stage} is not told from beginning to end: {story}"
