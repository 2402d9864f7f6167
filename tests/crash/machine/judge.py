"""What an upgrade must have become, however often it was killed: looks, and names what is not so."""
import fcntl
import json
import pathlib

from ledger import DATA, NEW, OLD, STATE, guards, is_mounted
from machine import CRASH, loop_devices, printed

STAGES = "find authenticate mount preflight prepare apply reboot verify".split()
ENDS = {"stage-finished", "stage-failed", "refused"}
CLOSED = {"succeeded": NEW, "succeeded-with-warnings": NEW, "refused": OLD, "failed": OLD, "needs-manual": None}


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
        "changes": len((DATA / "changes").read_text().splitlines()),
        "data": (DATA / "records").read_text(),
        "events": new_events(),
    }


def violations(facts, process=None):
    """What is not as it must be, when that process was killed once; none: nobody was."""
    return [*record(facts), *product(facts, process), *remains(facts), *story(facts)]


def record(facts):
    fields, outcome = facts["fields"], facts["fields"].get("outcome")
    if outcome not in CLOSED:
        yield f"the record is not closed: {facts['record'] or 'there is none'}"
    if outcome == "needs-manual" and not (fields.get("reason") and fields.get("message")):
        yield "needs-manual without a reason and a message"
    if facts["filed"] != {f"{fields.get('id')}.ini": facts["record"]}:
        yield f"the history holds {facts['filed']}, the record is {facts['record']}"


def product(facts, process):
    outcome, version = facts["fields"].get("outcome"), facts["version"]
    if version not in (OLD, NEW) or version != (CLOSED.get(outcome) or version):
        yield f"the version is '{version}', and the outcome '{outcome}'"
    if facts["verified"]:
        yield f"the version is '{version}', and rpm --verify says '{facts['verified']}'"
    if facts["data"] != "1 2 3\n":
        yield f"of the product's data is left: '{facts['data']}'"
    # A change that came to its end is not made again; one that was cut off is, once.
    if facts["changes"] > (2 if process == "apply" else 1) or (version == NEW and facts["changes"] == 0):
        yield f"the change was made {facts['changes']} times"


def remains(facts):
    for what in ("left", "guards", "loop", "mounted"):
        if facts[what]:
            yield f"{what}: {facts[what]}"
    if not facts["lock is free"]:
        yield "the lock is held"


def story(facts):
    """An upgrade begins once and ends, and no stage begins before the end of the one before is told.

    Who goes on after a kill tells again what it does again, so that no entry is missing for good. The beginning and the
    end may be told twice: each is recorded by a call of its own.
    """
    events, identity, outcome = facts["events"], facts["fields"].get("id"), facts["fields"].get("outcome")
    told = [[event, stage] for _, event, stage, _ in events]
    if {owner for owner, *_ in events} != {identity}:
        yield f"the journal tells of the upgrades {sorted({owner for owner, *_ in events})}, the record of {identity}"
        return
    if [event for event, _ in told].count("upgrade-started") not in (1, 2) or told[0][0] != "upgrade-started":
        yield f"it does not begin: {told}"
    ended = [told_outcome for _, event, _, told_outcome in events if event == "upgrade-finished"]
    if set(ended) != {outcome} or len(ended) > 2 or told[-1][0] != "upgrade-finished":
        yield f"it does not end as {outcome}: {told}"
    begun = None
    for event, stage in told:
        if event == "stage-started" and begun:
            yield f"{stage} starts while {begun} is at work: {told}"
        if event == "stage-started":
            begun = stage
        elif event in ENDS | {"upgrade-started", "upgrade-resumed", "upgrade-finished"}:
            begun = None
    if outcome in ("succeeded", "succeeded-with-warnings"):
        for stage in STAGES:
            if ["stage-started", stage] not in told or ["stage-finished", stage] not in told:
                yield f"{stage} is not told from beginning to end: {told}"
