"""Scripts that misbehave, and scripts that only look as if they did. One machine serves all, without a reboot."""
import pytest

from harness.console import Console
from harness.machine import wait_until
from harness.products import VERSION
from harness.small import NEW, OLD

LOG = "/opt/vmware/var/logs/um-upgrade.log"


def printed(product, upgrade):
    """What the upgrade's script printed, as the journal has it."""
    return [
        entry["MESSAGE"]
        for entry in product.appliance.journal("SYSLOG_IDENTIFIER=upgrade-um", f"UM_UPGRADE_ID={upgrade.id}")
    ]


# --- scripts that fail ------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "script, reason, words",
    [
        pytest.param("exit 7", "script.failed", ["status 7"], id="it ends with status 7"),
        pytest.param("kill -KILL $$", "script.failed", ["status 137"], id="it is killed"),
        pytest.param(
            "echo 'Upgrade failed! Please, revert to latest snapshot.'; exit 0", "packages.incomplete", [OLD, VERSION],
            id="it prints failure and ends with status 0",
        ),
    ],
)  # fmt: skip
def test_a_script_that_fails_needs_a_person(product, script, reason, words):
    product.upgrade(script).ended("needs-manual", reason, 7, *words)
    assert product.version() == OLD


def test_a_script_that_hangs_is_ended_with_all_that_it_started(product):
    product.configure("[apply]\nstall_timeout = 1min\n")
    upgrade = product.upgrade("trap '' HUP TERM; echo working; sleep 12345; sleep 12345")
    upgrade.ended("needs-manual", "script.stalled", 7, "printed nothing")
    assert product.appliance.run("pgrep -f 'sleep 12345'", check=False).returncode != 0


def test_until_a_person_has_decided_nothing_else_is_begun(product):
    first = product.upgrade("exit 1")
    product.offer(NEW)
    again = product.upgrade()
    assert (again.status, again.id, product.version()) == (10, first.id, OLD)
    assert "um-upgrade abandon --why" in again.printed
    product.appliance.agent("abandon", "--why", "it was looked into")
    upgrade = product.upgrade()
    upgrade.waits_for_the_reboot()
    assert upgrade.id != first.id


def test_a_script_that_fills_the_disk_needs_a_person_and_the_record_says_so(product):
    most = "fallocate -l $(($(stat -f -c '%f*%S' /))) /var/fill"
    upgrade = product.upgrade(f"{most}; cat /dev/zero >/var/fill-the-rest; exit 1")
    product.appliance.run("rm /var/fill /var/fill-the-rest")
    assert any("No space left on device" in line for line in printed(product, upgrade))
    upgrade.ended("needs-manual", "script.failed", 7, "status 1")


# --- questions --------------------------------------------------------------------------------------------------
QUESTIONS = [
    ("実行中の vCenter Server 環境に仮想マシンのスナップショットが作成されていますか? (y/n):", "y"),
    ("アップグレード後に再起動することをお勧めします。今すぐ再起動しますか? (y/n)", "n"),
    ("Reboot now(y/n)?", "n"),
    ("Detected wrong hostname. Do you want to continue? (y/n)", "y"),
    ("ホスト名が正しくありません。続行しますか? (y/n)", "y"),
]


def ask(question):
    return f"read -r -p '{question}' answer; echo \"heard: $answer\"; "


def test_questions_are_answered_by_their_meaning(product):
    upgrade = product.upgrade("".join(ask(question) for question, _ in QUESTIONS) + NEW)
    upgrade.waits_for_the_reboot()
    heard = [line for line in printed(product, upgrade) if line.startswith("heard:")]
    assert heard == [f"heard: {answer}" for _, answer in QUESTIONS]
    for (question, answer), told in zip(QUESTIONS, upgrade.told("prompt-answered"), strict=True):
        assert question in told and f"'{answer}'" in told


UNKNOWN = "Which proxy shall be used? "


def test_an_unknown_question_is_not_guessed_at(product):
    upgrade = product.upgrade(ask(UNKNOWN) + NEW)
    upgrade.ended("needs-manual", "script.prompt-unknown", 7, UNKNOWN.strip())
    assert "[prompt." in upgrade.hint
    assert (upgrade.told("prompt-answered"), product.version()) == ([], OLD)


def test_a_question_that_the_configuration_knows_is_answered(product):
    product.configure("[prompt.proxy]\nmatch = which proxy\nanswer = proxy.example.test:3128\n")
    upgrade = product.upgrade(ask(UNKNOWN) + NEW)
    upgrade.waits_for_the_reboot()
    assert "heard: proxy.example.test:3128" in printed(product, upgrade)


# `read -n 1` takes no line feed, `read -e` edits the line itself; behind the notice nobody reads; and the last one asks
# on a terminal that the script has closed before.
READS = """
read -r -n 1 -p 'Reboot now? (y/n) ' one; echo
read -r -p 'Detected wrong hostname. Continue? (y/n) ' two
read -r -e -p 'Reboot now? (y/n) ' three
echo 'At the end you are asked: Reboot now? (y/n)'; sleep 17
read -r -p 'Is a snapshot of it created? (y/n) ' four
exec </dev/null >/dev/null 2>&1; sleep 1
{ read -r -p 'Reboot now? (y/n) ' five; echo "heard: $one $two $three $four $five"; } </dev/tty >/dev/tty 2>&1
"""


def test_no_answer_is_taken_for_another_question_however_the_script_reads(product):
    upgrade = product.upgrade(READS + NEW)
    upgrade.waits_for_the_reboot()
    assert "heard: n y n y n" in printed(product, upgrade)
    assert len(upgrade.told("prompt-answered")) == 5


def test_lines_that_only_look_like_questions_are_waited_out(product):
    lines = ["Generating initramfs:", "Are the services down yet?"]
    # Longer than a question may stand unanswered; nobody reads the terminal meanwhile.
    upgrade = product.upgrade("".join(f"printf '{line}'; sleep 17; echo ' done'; " for line in lines) + NEW)
    upgrade.waits_for_the_reboot()
    assert {f"{line} done" for line in lines} <= set(printed(product, upgrade))


# --- output -----------------------------------------------------------------------------------------------------
def test_output_is_cleaned_for_journal_and_log_however_it_is_cut(product):
    pieces = [
        r"\033[1;3", r"2mInstalling\033[0m\n",  # a colour
        r"10 %%\r20 %%\r", r"100 %% done\r\n",  # a line that overwrites itself
        r"\343\202", r"\242\343\203\203\343\203\227\n",  # アップ, cut within a character
        r"\377\376 is no text\n",
    ]  # fmt: skip
    script = "".join(f"printf '{piece}'; sleep 0.7; " for piece in pieces)
    upgrade = product.upgrade(script + NEW)
    upgrade.waits_for_the_reboot()
    lines = ["Installing", "100 % done", "アップ", "\N{REPLACEMENT CHARACTER}" * 2 + " is no text"]
    assert printed(product, upgrade) == lines
    log = product.appliance.output(f"tail -n 5 {LOG}").splitlines()[:-1]
    assert [line.partition(" ")[2] for line in log] == lines


# --- the reboot -------------------------------------------------------------------------------------------------
def test_a_reboot_that_is_left_to_the_operator_is_not_asked_for(product):
    first = product.upgrade(NEW)
    first.waits_for_the_reboot()
    again = product.upgrade()
    assert (again.status, again.id, again.stage) == (0, first.id, "reboot")
    assert "reboot" in again.printed
    assert product.appliance.run("test -e /run/systemd/shutdown/scheduled", check=False).returncode != 0


def test_a_reboot_with_notice_is_scheduled_and_everybody_is_told(product):
    product.configure("[reboot]\npolicy = notice\nnotice = 10min\n")
    with Console(product.appliance) as somebody:
        upgrade = product.upgrade(NEW)
        upgrade.waits_for_the_reboot()
        scheduled = product.appliance.output("cat /run/systemd/shutdown/scheduled")
        somebody.expect("reboot", limit=60)
        product.appliance.run("shutdown -c")
    assert "MODE=reboot" in scheduled.splitlines()


# --- a person -----------------------------------------------------------------------------------------------------
def test_at_a_terminal_the_two_questions_are_asked_also_where_an_old_confirmation_lies_around(product):
    product.configure("[snapshot]\nconfirmation = required\n[reboot]\npolicy = now\n")
    product.offer(NEW)
    product.appliance.agent("confirm-snapshot", "--name", "of last year", "--valid-for", "1s")
    wait_until("the confirmation has expired", lambda: "snapshot.expired" in product.check()[1])
    with Console(product.appliance) as person:
        status, printed = person.command(
            "um-upgrade run", [("vCenter Server environment? (y/n):", "y"), ("Reboot now? (y/n)", "n")]
        )
    assert "FAILED" not in printed
    product.seen(status, printed).waits_for_the_reboot()
