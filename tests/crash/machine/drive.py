"""Runs in the machine: upgrades the ledger again and again, and kills the agent at one system call after the other.

    drive.py prepare     readies the machine
    drive.py points      one upgrade unharmed; prints the calls by which the agent changes anything, a JSON each
    drive.py trial       reads such a call: an upgrade that is killed there, started again, and judged; prints it all
"""
import json
import sys
import time

import calls
import judge
import ledger
from machine import end_at_work, settled, start

STARTS = 8  # an upgrade that was killed once has long ended by then


def upgrade(killed=None):
    """Starts the agent until the record is closed: as an operator does, and as a boot does."""
    start("um-upgrade.service")
    for _ in range(STARTS):
        settled()
        if ledger.closed():
            return
        if ledger.reboot_asked_for() or killed == "verify":
            ledger.boot()
        else:
            start("um-upgrade.service")
    raise TimeoutError(f"the upgrade was started {STARTS} times and is not closed")


def points():
    ledger.reset()
    judge.new_events()
    for process in calls.PROCESSES:
        calls.trace(process)
    upgrade()
    if wrong := judge.violations(judge.look()):
        sys.exit("\n".join(["an upgrade that nobody harmed:", *wrong]))
    for process in calls.PROCESSES:
        for point in calls.points(process):
            yield point


def trial(point):
    begin = time.monotonic()
    ledger.reset()
    wrong = []
    try:
        with calls.kill_later(point):
            upgrade(point["process"])
    except TimeoutError as error:
        wrong.append(str(error))
        end_at_work()
    facts, killed = judge.look(), calls.killed_at(point)
    if killed != point["what"]:
        wrong.append(f"killed at '{killed}' instead")
    wrong += judge.violations(facts, point["process"])
    outcome = facts["fields"].get("outcome", "open")
    return {**point, "outcome": outcome, "violations": wrong, "seconds": round(time.monotonic() - begin, 1)}


def main():
    if sys.argv[1:] == ["prepare"]:
        ledger.prepare()
    elif sys.argv[1:] == ["points"]:
        for point in points():
            print(json.dumps(point))
    elif sys.argv[1:] == ["trial"]:
        print(json.dumps(trial(json.load(sys.stdin))))
    else:
        sys.exit(__doc__)


main()
