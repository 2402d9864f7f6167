"""What may be said of an appliance after a power cut: pure decisions over what look() saw before and afterwards."""
from harness.picture import differences

FULL = {"succeeded", "succeeded-with-warnings"}
BACK = {"refused", "failed"}
ROLLED_BACK = "rolled-back"
# Of which kinds of media an upgrade is rolled back, and why. The others go on by themselves, whatever cuts them off.
ROLLED_BACK_FOR = {"script": {"interrupted"}, "failing": {"script.failed", "interrupted"}}
# What must not outlive an upgrade that was rolled back. What was moved aside does, and notes of the agent's own may.
KEPT = {"kept", "manifest", "ballast", "temporary"}
SHOWN = 8  # of many differences


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
                found, wanted = (listed(set(a) - set(b)) for a, b in ((found, wanted), (wanted, found)))
                self.violations.append(f"{name}: too many {found}, missing {wanted}")
            else:
                self.violations.append(f"{name}: {found!r}, not {wanted!r}")

    def _judge_outcome(self):
        """Wholly old or wholly new, and nobody is asked for: the word for it."""
        plan = self._plan
        if not self._upgrade:
            self._judge_old()
            self._expect("of what was kept is left", self._after["rollback"], [])
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
            if plan["kind"] == "failing":
                self.violations.append(f"the media's script fails, and the upgrade is said to have {outcome}")
            self._judge_new()
        elif outcome in BACK:
            self._judge_old()
        elif outcome == ROLLED_BACK:
            self._judge_rolled_back()
        else:
            self.violations.append(f"{outcome}: {self._upgrade['reason']}: {self._upgrade['message']}")
        self._judge_what_is_kept(self._upgrade["id"], outcome)
        return outcome

    def _judge_old(self):
        for look in ("packages", "enabled", "active", "failed", "status", "schema", "verify"):
            self._expect(look, self._after[look], self._before[look])
        changed = differences(*({"files": seen["files"]} for seen in (self._before, self._after)))
        self._expect("files", changed, [])

    def _judge_rolled_back(self):
        reason, message, kind = self._upgrade["reason"], self._upgrade["message"], self._plan["kind"]
        if kind not in ROLLED_BACK_FOR:
            self.violations.append(f"rolled back where it goes on by itself: {message}")
        elif reason not in ROLLED_BACK_FOR[kind]:
            self.violations.append(f"rolled back for another reason: {reason}: {message}")
        if not message.startswith("rolled back: "):
            self.violations.append(f"rolled back, and the message is: {message}")
        self._judge_old()

    def _judge_what_is_kept(self, upgrade, outcome):
        """A success can be rolled back by hand. Else what was kept goes, and what was moved aside stays."""
        stores, due = self._after["rollback"], self._after["due"]
        if due:
            self.violations.append("a rollback is due, and the record is closed")
        others = [path for path in stores if path.split("/")[0] != upgrade]
        kept = [path for path in stores if path.split("/")[-1] in KEPT]
        if outcome in FULL:
            self._expect("kept for a rollback", others, [])
            if f"{upgrade}/manifest" not in stores:
                self.violations.append("what succeeded cannot be rolled back by hand")
        elif outcome == ROLLED_BACK:
            self._expect("of what was kept is left", sorted({*others, *kept}), [])
        elif outcome in BACK:
            self._expect("of what was kept is left", stores, [])

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
        if kinds.count("upgrade-started") > 2 or kinds.count("upgrade-finished") > 2:
            self.violations.append(f"a story that begins or ends more than twice: {' '.join(kinds)}")
        if self._upgrade["attempts"] > 1 and "upgrade-resumed" not in kinds:
            self.violations.append(f"a story without its interruption: {' '.join(kinds)}")
        if outcome == ROLLED_BACK:
            self._expect("the end's reason", last.get("UM_REASON"), self._upgrade["reason"])
            if not {"rollback-started", "rollback-finished"} <= set(kinds):
                self.violations.append(f"a story that does not tell of the rollback: {' '.join(kinds)}")
        self._judge_lost_entries(upgrade)

    def _judge_lost_entries(self, upgrade):
        """The host heard what the journal said. Beginning a stage ends with the journal on disk: what a cut takes
        from it is at most what came since, and a stage of which nothing more was heard may not have got that far."""
        kept = {identity(event) for event in self._after["events"]}
        heard = [event for event in self._heard if event.get("UM_UPGRADE_ID") == upgrade]
        lost = [event for event in heard if identity(event) not in kept]
        if not lost:
            return
        self.remarks.append(f"{len(lost)} journal entries went with the power")
        rest = [event for event in heard[heard.index(lost[0]) + 1 :] if event["_BOOT_ID"] == lost[0]["_BOOT_ID"]]
        if any(event["UM_EVENT"] == "stage-started" for event in rest[:-1]):
            self.violations.append(f"journal: {describe(lost[0])} was lost, though a later stage had begun")


def listed(items):
    """The first of them, in order, and how many more there are."""
    items = sorted(items)
    return items[:SHOWN] + ([f"and {len(items) - SHOWN} more"] if len(items) > SHOWN else [])


def identity(event):
    return event["_BOOT_ID"], event["__MONOTONIC_TIMESTAMP"], event["UM_EVENT"]


def describe(event):
    return " ".join(filter(None, [event["UM_EVENT"], event.get("UM_STAGE"), event.get("UM_OUTCOME")]))
