"""The system calls by which the agent changes anything, as strace tells them, and how it is killed at one of them."""
import collections
import contextlib
import pathlib
import re
import subprocess
import threading

from machine import CRASH, output, wait_until

# Two stories: an upgrade, and one that fails and is rolled back. The proof is the verification of what was rolled back.
PROCESSES = {"forth": ("run", "apply", "verify"), "back": ("run", "apply", "rollback", "proof")}
CHANGING = (
    "write writev pwrite64 pwritev sendfile copy_file_range openat truncate ftruncate fallocate "
    "fsync fdatasync sync syncfs rename renameat renameat2 unlink unlinkat rmdir mkdir mkdirat mknod mknodat "
    "link linkat symlink symlinkat "
    "chmod fchmod fchmodat chown fchown fchownat lchown utimensat "
    "setxattr lsetxattr fsetxattr removexattr lremovexattr fremovexattr "
    "mount umount2 fsmount move_mount ioctl fcntl sendmsg sendto clone clone3 fork vfork kill tgkill exit_group"
).split()
# Of those, what changes nothing: a question, a descriptor of the process itself, a call that failed.
ASKING = re.compile(
    r"openat\((?!.*\b(O_CREAT|O_TRUNC|O_WRONLY|O_RDWR)\b)|fcntl\(.*F_(GET|SETFD|SETSIG|DUPFD)"
    r"|ioctl\(.*(TCGETS|TIOCGPTN|TIOCGWINSZ)|.*\) += -1 E"
)
ASKING_D_BUS = ("sendmsg D-Bus LoadUnit", "sendmsg D-Bus ListUnitsByNames", "sendmsg D-Bus Get ", "sendmsg D-Bus Hello")
# Files that are kept, or taken from there, one after the other: of each call, so many are tried.
ALIKE, ENOUGH = re.compile(r"/kept/\d+/\d+\b"), 4
# How often `run` looks after the change, while it waits, depends on time. What comes after is counted from the call
# that ends the wait.
WAIT_ENDS = "umount2"


def log(process):
    return CRASH / f"{process}.strace"


def lines(process):
    return [line for line in log(process).read_text(errors="replace").splitlines() if re.match(r"\w+\(", line)]


def show(line):
    """What a call does, without what differs each time."""
    line = re.split(r" <unfinished|\) += ", line)[0]
    call = line.partition("(")[0]
    if call in ("sendmsg", "sendto"):
        return f"{call} {message(line)}"
    words = re.findall(r'<(/[^>]*)>|"(/[^"]*)"|\b([A-Z]+_?CTL_[A-Z_]+|LOOP_\w+|TIOC\w+|F_[A-Z_]+)\b', line)
    text = " ".join([call, *("".join(word) for word in words if word[0] != "/")])
    return re.sub(r"[0-9a-f]{8}-[0-9a-f-]{27}", "ID", text)


def message(line):
    event, stage = re.search(r"UM_EVENT=([\w-]+)", line), re.search(r"UM_STAGE=(\w+)", line)
    if event:
        return f"journal {event[1]} {stage[1] if stage else ''}".rstrip()
    if "/run/systemd/journal/socket" in line:
        return "journal"
    # Of a call over D-Bus: the member, what it is asked about (the last text), and the object (what stands before the
    # header's field 3, which is the member).
    member = re.search(r"\\3\\1s\\0.{1,4}?\\0\\0\\0([A-Z]\w+)\\0", line)
    asked = re.findall(r'([A-Za-z][\w.@-]+)\\0*"', line)
    thing = re.search(r"(\w+)(?:\\0)+\\3\\1s", line)
    words = [member and member[1], asked and asked[-1], thing and thing[1]]
    return " ".join(["D-Bus", *(word for word in words if word)])


def trace(process, *more):
    """The next start of that process runs under strace."""
    # -y tells the path behind a descriptor; without -f the programs that the agent starts go untraced.
    (CRASH / process).write_text(f"-y -s 600 -o {log(process)} -e trace={','.join(CHANGING)} {' '.join(more)}\n")


def points(story, process):
    """Where that process can be killed, from the trace of a story in which nobody was.

    What only asks is of no interest, unless it follows a change: that is the moment right after it, when somebody else
    may be at work on what was asked for.
    """
    counts, alike, found, after, changed = collections.Counter(), collections.Counter(), [], None, False
    for line in lines(process):
        call, what = line.partition("(")[0], show(line)
        counts[call] += 1
        asks = ASKING.match(line) or what.startswith(ASKING_D_BUS)
        alike[call] += bool(ALIKE.search(what)) and not asks
        if ALIKE.search(what) and alike[call] > ENOUGH:
            continue
        if not asks or (changed and what.startswith(ASKING_D_BUS)):
            place = {"story": story, "process": process, "after": after, "call": call, "nth": counts[call]}
            found.append({**place, "what": what})
        changed = not asks
        if call == WAIT_ENDS:
            after, counts = WAIT_ENDS, collections.Counter()
    return found


def killing(point):
    return f"-e inject={point['call']}:signal=KILL:when={point['nth']}"


@contextlib.contextmanager
def kill_later(point):
    """Within, that process is killed when it comes to that call for the first time."""
    if not point["after"]:
        trace(point["process"], killing(point))
        yield
        return
    # strace counts from where it begins to trace: a first one, which can be told to end (-I 1), stops the process after
    # the wait, a second one takes over.
    trace(point["process"], "-I 1", f"-e inject={point['after']}:signal=STOP:when=1")
    tracer = threading.Thread(target=take_over, args=[point])
    tracer.start()
    yield
    tracer.join()


def take_over(point):
    stopped = log(point["process"])
    wait_until(
        "the agent stops after the wait", lambda: stopped.exists() and "--- stopped by SIGSTOP" in stopped.read_text()
    )
    process = int(output("systemctl", "show", "--property=MainPID", "--value", "um-upgrade.service"))
    subprocess.run(["kill", "-TERM", str(tracer_of(process))], check=True)
    wait_until("the first strace lets go", lambda: tracer_of(process) == 0)
    # log() is opened anew: what it holds at the end is of the second one.
    traced = f"strace -p {process} -y -s 600 -o {stopped} -e trace={','.join(CHANGING)} {killing(point)}"
    subprocess.Popen(traced.split(), stderr=subprocess.DEVNULL)
    wait_until("the second strace takes over", lambda: tracer_of(process) != 0)
    subprocess.run(["kill", "-CONT", str(process)], check=True)


def tracer_of(process):
    status = pathlib.Path(f"/proc/{process}/status").read_text()
    return int(re.search(r"TracerPid:\s+(\d+)", status)[1])


def killed_at(point):
    """What the process was about to do when it was killed; empty when it came to its end."""
    # systemd ends strace with the rest of the unit, perhaps before it has told of the kill.
    ended = "+++ exited with" in log(point["process"]).read_text(errors="replace")
    return "" if ended else show(lines(point["process"])[-1])
