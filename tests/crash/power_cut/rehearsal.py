"""The upgrade unharmed: it measures over what cuts are spread, and proves that the judge has nothing against it."""
import json

from harness.cache import cached
from harness.machine import wait_until

from . import prepared, trial
from .judge import Judgement
from .looking import look


class Faulty(Exception):
    """An upgrade that nobody disturbed went wrong."""


def rehearse():
    """processor_time from the start to the end; operations (writes and flushes) from apply to the reboot."""

    def make(out):
        with prepared.begun("power-rehearsal", "packages", True) as appliance:
            begun = appliance.processor_time()
            wait_until("apply begins", lambda: trial.stage_begun(appliance, "apply"), limit=trial.LIMIT)
            first = appliance.storage.operations
            wait_until("the machine reboots", lambda: not appliance.in_this_boot(), limit=trial.LIMIT)
            operations = appliance.storage.operations - first
            appliance.kill()
            trial.leave_alone(appliance)
            measured = {"processor_time": appliance.processor_time() - begun, "operations": operations}
            plan = {"kind": "packages", "enabled": True}
            judgement = Judgement(
                prepared.before(), look(appliance), appliance.events_heard(), plan, prepared.afterwards()
            )
            faults = judgement.violations + trial.orderly_end(appliance)
        if judgement.outcome != "succeeded" or faults:
            raise Faulty(f"{judgement.outcome}: {faults}")
        (out / "measured.json").write_text(json.dumps(measured))

    made = cached("power-rehearsal", [prepared.ready().name], make)
    return json.loads((made / "measured.json").read_text())
