"""An upgrade unharmed: it measures over what cuts are spread, and proves that the judge has nothing against it."""
import json

from harness.cache import cached
from harness.machine import wait_until

from . import prepared, trial
from .judge import ROLLED_BACK

ENDS = {"packages": "succeeded", "failing": ROLLED_BACK}


class Faulty(Exception):
    """An upgrade that nobody disturbed went wrong."""


def rehearse(kind):
    """processor_time from the start to the end; operations (writes and flushes) from the beginning of prepare on."""

    def make(out):
        with prepared.begun(f"power-rehearsal-{kind}", kind, True) as appliance:
            begun = appliance.processor_time()
            wait_until("prepare begins", lambda: trial.stage_begun(appliance, "prepare"), limit=trial.LIMIT)
            first = appliance.storage.operations
            wait_until("the machine reboots", lambda: not appliance.in_this_boot(), limit=trial.LIMIT)
            appliance.kill()
            trial.leave_alone(appliance)
            measured = {
                "processor_time": appliance.processor_time() - begun,
                "operations": appliance.storage.operations - first,
            }
            made, result = {"kind": kind, "enabled": True}, {"remarks": [], "violations": []}
            trial.judge(appliance, made, result)
        if result["outcome"] != ENDS[kind] or result["violations"]:
            raise Faulty(f"{kind}: {result['outcome']}: {result['violations']}")
        appliance.disk.unlink()
        (out / "measured.json").write_text(json.dumps(measured))

    made = cached(f"rehearsal-of-{kind}", [prepared.ready().name], make)
    return json.loads((made / "measured.json").read_text())
