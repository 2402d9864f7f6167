"""Runs in the machine: upgrades the ledger again and again, and kills the agent at one system call after the other.

    drive.py prepare     readies the machine
    drive.py points      each story unharmed; prints the calls by which the agent changes anything, a JSON each
    drive.py trial       reads such a call: an upgrade that is killed there, started again, and judged; prints it all
"""
import json
import sys
import time

import calls
import judge
import ledger
from machine import end_at_work, settled, start

MISSES = 5  # in a row, and something else is wrong
STARTS = 8  # an upgrade that was killed once has long ended by then


def upgrade(killed=None):
    """Starts the agent until the record is closed: as an operator does, and as a boot does."""
    start("um-upgrade.service")
    for _ in range(STARTS):
        settled()
        if ledger.closed():
            start("um-upgrade-verify.service")  # as a timer does every day: it gives back what nobody needs any more
            return
        if ledger.reboot_asked_for() or killed in ("verify", "rollback", "proof"):
            ledger.boot()
        else:
            start("um-upgrade.service")
    raise TimeoutError(f"the upgrade was started {STARTS} times and is not closed")


def points():
    for story, processes in calls.PROCESSES.items():
        ledger.reset(story)
        judge.new_events()
        for process in processes:
            calls.trace(process)
        upgrade()
        if wrong := judge.violations(story, judge.look()):
            sys.exit("\n".join([f"{story}, and nobody harmed it:", *wrong]))
        for process in processes:
            yield from calls.points(story, process)


def attempt(point):
    """Harms one upgrade there. Returns its outcome, what it was killed at, and what is wrong with the end."""
    ledger.reset(point["story"])
    wrong = []
    try:
        with calls.kill_later(point):
            upgrade(point["process"])
    except TimeoutError as error:
        wrong.append(str(error))
        end_at_work()
    facts = judge.look()
    wrong += judge.violations(point["story"], facts, point["process"])
    return facts["fields"].get("outcome", "open"), calls.killed_at(point), wrong


def trial(point):
    """How often the agent asks systemd while it waits for a unit depends on time, so a count may lead to a call beside
    the one that is meant. Such an upgrade is judged, too, and the trial is made again.
    """
    begin = time.monotonic()
    for _ in range(MISSES):
        outcome, killed, wrong = attempt(point)
        if wrong or killed == point["what"]:
            break
    else:
        wrong = [f"killed at '{killed}' instead, {MISSES} times"]
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
