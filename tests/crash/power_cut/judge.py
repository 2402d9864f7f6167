"""What may be said of an appliance after a power cut: pure decisions over what look() saw before and afterwards."""

FULL = {"succeeded", "succeeded-with-warnings"}
BACK = {"refused", "failed"}


class Judgement:
    """violations: what must never be; remarks: what a reader should know.

    heard: the events as the host heard them; plan: kind and enabled of the cut; new: the package set of 4.7.
    """

    def __init__(self, before, after, heard, plan, new):
        self.violations, self.remarks = [], []
        self._before, self._after, self._heard, self._plan, self._new = before, after, heard, plan, new
        self._upgrade = after["record"].get("upgrade")
        self.outcome = self._judge_outcome()
        self._judge_always()

    def _expect(self, name, found, wanted):
        if found != wanted:
            if isinstance(found, list) and isinstance(wanted, list):
                found, wanted = (sorted(set(a) - set(b)) for a, b in ((found, wanted), (wanted, found)))
                self.violations.append(f"{name}: too many {found}, missing {wanted}")
            else:
                self.violations.append(f"{name}: {found!r}, not {wanted!r}")

    def _judge_outcome(self):
        """Wholly old, wholly new, or a person is asked for where that is documented: the word for it."""
        after, plan = self._after, self._plan
        if not self._upgrade:
            self._judge_old()
            # A stage after the first is said to begin once it stands in the record.
            stages = {event.get("UM_STAGE") for event in self._heard if event["UM_EVENT"] == "stage-started"}
            if stages - {"find"}:
                self.violations.append(f"the record is gone, and these had begun: {' '.join(sorted(stages))}")
            if plan["enabled"]:
                self.violations.append("silence: the media are there, the unit is enabled, and nothing was begun")
            return "nothing-begun"
        outcome = self._upgrade["outcome"]
        if outcome is None:
            self.violations.append(f"silence: open in {self._upgrade['stage']}, and nobody is at work")
            return "open"
        self._judge_story(self._upgrade["id"], outcome)
        if outcome in FULL:
            self._judge_new()
        elif outcome in BACK:
            self._judge_old()
        else:
            self._expect("reason", self._upgrade["reason"], "interrupted")
            if not (self._upgrade["message"] and self._upgrade["hint"]):
                self.violations.append("a person is asked for without a word")
            if plan["kind"] != "script" or "\nchange = begun\n" not in after["state"]:
                self.violations.append(f"needs-manual where it goes on by itself: {self._upgrade['message']}")
        return outcome

    def _judge_old(self):
        for look in ("packages", "enabled", "active", "failed", "status", "schema", "verify"):
            self._expect(look, self._after[look], self._before[look])

    def _judge_new(self):
        after = self._after
        self._expect("packages", after["packages"], self._new)
        self._expect("rpm -Va", after["verify"], [])
        self._expect("active units", after["active"], sorted({*self._before["active"], "vmware-um-schedule.service"}))
        self._expect("failed units", after["failed"], self._before["failed"])
        self._expect("status.sh", after["status"].splitlines()[-1:], ["vCloud Usage Meter 4.7.0.0: Running"])
        self._expect("schema", after["schema"], "2")

    def _judge_always(self):
        after, before = self._after, self._before
        self._expect("the store's integrity", after["store"], "ok")
        for look in ("mounts", "loops", "guards"):
            self._expect(look, after[look], before[look])
        left = [name for name in after["kept"] if name == "work" or "tmp" in name or "partial" in name]
        self._expect("left behind", left, [])
        self._expect("history", len(after["closed"]), int(bool(self._upgrade and self._upgrade["outcome"])))
        errors = [line for line in after["kernel"] if "EXT4-fs" in line or "I/O error" in line]
        self._expect("the kernel's errors", errors, [])
        if after["litter"]:
            self.remarks.append(f"litter: {' '.join(after['litter'])}")

    def _judge_story(self, upgrade, outcome):
        events = [event for event in self._after["events"] if event.get("UM_UPGRADE_ID") == upgrade]
        kinds = [event["UM_EVENT"] for event in events]
        last = events[-1] if events else {}
        self._expect("the story's end", (last.get("UM_EVENT"), last.get("UM_OUTCOME")), ("upgrade-finished", outcome))
        if kinds.count("upgrade-started") > 1 or kinds.count("upgrade-finished") > 2:
            self.violations.append(f"a story that begins or ends more than once: {' '.join(kinds)}")
        if self._upgrade["attempts"] > 1 and "upgrade-resumed" not in kinds:
            self.violations.append(f"a story without its interruption: {' '.join(kinds)}")
        self._judge_lost_entries(upgrade)

    def _judge_lost_entries(self, upgrade):
        """The host heard what the journal said. What a cut takes from it is at most what came after a stage began."""
        kept = {identity(event) for event in self._after["events"]}
        heard = [event for event in self._heard if event.get("UM_UPGRADE_ID") == upgrade]
        lost = [event for event in heard if identity(event) not in kept]
        if not lost:
            return
        self.remarks.append(f"{len(lost)} journal entries went with the power")
        rest = heard[heard.index(lost[0]) + 1 :]
        if any(event["UM_EVENT"] == "stage-started" and event["_BOOT_ID"] == lost[0]["_BOOT_ID"] for event in rest):
            self.violations.append(f"journal: {describe(lost[0])} was lost, though a later stage had begun")


def identity(event):
    return event["_BOOT_ID"], event["__MONOTONIC_TIMESTAMP"], event["UM_EVENT"]


def describe(event):
    return " ".join(filter(None, [event["UM_EVENT"], event.get("UM_STAGE"), event.get("UM_OUTCOME")]))
