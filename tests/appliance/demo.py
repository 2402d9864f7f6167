"""The demonstration: an appliance at 4.3 upgrades itself to 4.7 through a real reboot."""
import concurrent.futures
import subprocess
import sys
import textwrap
import time

from harness import products
from harness.appliance import SERVICES_4_7, SNAPSHOT, Appliance
from harness.cache import BuildFailed
from harness.machine import CommandFailed, Unreachable, wait_until

STARTED = time.monotonic()
UNITS = "um-upgrade-apply.service um-upgrade.service um-upgrade-verify.service"
STATUS = f"systemctl show --property=StatusText --value {UNITS}"


def say(text):
    """One line of progress with the minutes and seconds since the start."""
    minutes, seconds = divmod(int(time.monotonic() - STARTED), 60)
    print(f"{minutes:2}:{seconds:02}  {text}"[:79], flush=True)


def heading(text):
    print(f"\n== {text} {'=' * (74 - len(text))}\n", flush=True)


def build_everything():
    """What does not depend on each other is built at the same time: the Debian root mostly waits for downloads."""
    products.keys()
    with concurrent.futures.ThreadPoolExecutor() as pool:
        jobs = {
            pool.submit(products.debian): "Debian root for the appliance",
            pool.submit(lambda: (products.packages(), products.carrier())): "usage meter 4.3 and 4.7, upgrade media",
            pool.submit(products.agent): "um-upgrade RPM",
        }
        for job in concurrent.futures.as_completed(jobs):
            job.result()
            say(f"built: {jobs[job]}")
    products.image()
    say("built: the appliance's disk")


def follow(appliance, boot):
    """Shows what the agent says about its progress, until the machine reboots."""
    shown, again = None, 0
    while appliance.in_this_boot():
        try:
            texts = appliance.run(STATUS, limit=30).stdout.split("\n")
        except (Unreachable, CommandFailed, subprocess.TimeoutExpired):
            texts = []  # systemd is executing itself anew, or the machine is on its way down
        text = next((text.strip() for text in texts if text), None)
        if text and text != shown and time.monotonic() >= again:
            shown, again = text, time.monotonic() + 4
            say(f"  {text}")
        time.sleep(0.5)
    appliance.wait_reboot(boot, limit=900)


def upgrade(appliance):
    appliance.wait_up()
    appliance.wait_active("vmware-um-journal.service", "vmware-um-login.service")
    appliance.wait_records()
    before = appliance.product_version()
    say(f"the appliance runs {before}: {len(appliance.acknowledged())} usage records, schema {appliance.schema()}")
    appliance.install_agent()
    say("um-upgrade is installed by dnf, the release root is pinned")
    appliance.drop_media()
    say("the media are in /var/lib/um-upgrade/media")
    appliance.run(SNAPSHOT)
    say("the operator has confirmed the snapshot")
    boot = appliance.boot_id()
    say("systemctl start um-upgrade")
    appliance.run("systemctl start --no-block um-upgrade")
    follow(appliance, boot)
    say("the appliance has rebooted")
    wait_until(
        "the upgrade is closed",
        lambda: any(event["UM_EVENT"] == "upgrade-finished" for event in appliance.events()),
    )
    appliance.wait_active(*SERVICES_4_7)
    say("the upgrade is closed")
    return before


def tell(appliance):
    """The story from the journal alone."""
    upgrade_id = appliance.events()[-1]["UM_UPGRADE_ID"]
    heading(f"journalctl UM_UPGRADE_ID={upgrade_id}")
    boot = None
    events = appliance.events(upgrade_id)
    for event in events:
        if boot not in (None, event["_BOOT_ID"]):
            print("         ---- reboot ----")
        boot = event["_BOOT_ID"]
        clock = time.strftime("%H:%M:%S", time.gmtime(int(event["__REALTIME_TIMESTAMP"]) / 1e6))
        print(textwrap.fill(event["MESSAGE"], 79, initial_indent=f"{clock} {event['UM_EVENT']:<17} ",
                            subsequent_indent=" " * 27))  # fmt: skip
    return events[-1]


def main():
    heading("Building")
    build_everything()
    heading("Upgrading")
    with Appliance("demo", carrier=products.carrier() / "disk.raw", processors=2) as appliance:
        before = upgrade(appliance)
        last = tell(appliance)
        heading("Services")
        print(appliance.output("runuser -u usagemeter /opt/vmware/cloudusagemetering/scripts/status.sh"))
        print(f"sshd: {appliance.output('systemctl is-active sshd')}, {appliance.output('systemctl is-enabled sshd')}")
        heading("Usage records")
        lost = appliance.lost_records()
        print(f"acknowledged: {len(appliance.acknowledged())}   lost: {len(lost)}   schema: {appliance.schema()}\n")
        after = appliance.product_version()
    outcome = last.get("UM_OUTCOME", "unknown")
    if lost or outcome != "succeeded" or before == after:
        sys.exit(f"The upgrade from {before} to {after} ended as '{outcome}', with {len(lost)} records lost.")
    minutes, seconds = divmod(int(time.monotonic() - STARTED), 60)
    took = f"{minutes} min {seconds} s"
    print(f"Upgraded: cloudusagemetering {before} -> {after} through a reboot, no record lost ({took}).")


if __name__ == "__main__":
    try:
        main()
    except (BuildFailed, CommandFailed, TimeoutError) as failure:
        sys.exit(f"demo: {failure}")
