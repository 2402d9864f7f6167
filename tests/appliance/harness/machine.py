"""One QEMU machine: started from an overlay, driven over ssh and QMP, on loopback only."""
import os
import pathlib
import re
import shutil
import socket
import subprocess
import tempfile
import time

from .qmp import Qmp

# Software emulation works everywhere. Its processor is a plain one, because emulating wide vectors is slow.
ACCELERATOR = os.environ.get("UM_QEMU_ACCELERATOR", "tcg,thread=multi")
PROCESSOR = os.environ.get("UM_QEMU_CPU", "qemu64,+rdrand" if ACCELERATOR.startswith("tcg") else "host")
# Limits only end what hangs; a slow machine may stretch them.
PATIENCE = float(os.environ.get("UM_PATIENCE", "1"))

KERNEL_ARGUMENTS = (
    "console=ttyS0 quiet mitigations=off audit=0 apparmor=0 selinux=0 random.trust_cpu=on nokaslr "
    "modprobe.blacklist=kvm_amd,kvm_intel,evdev,serio_raw,fuse,qemu_fw_cfg,ppdev,parport_pc"
)


class Unreachable(Exception):
    """The machine does not answer over ssh: it is booting, or gone."""


class CommandFailed(Exception):
    """A command in the machine ended with another status than 0."""


def wait_until(what, condition, limit=300):
    """What condition() returns as soon as it is true; limit seconds are far more than it should take."""
    end = time.monotonic() + limit * PATIENCE
    while True:
        begin = time.monotonic()
        result = condition()
        if result:
            return result
        now = time.monotonic()
        if now > end:
            raise TimeoutError(f"gave up after {limit * PATIENCE:.0f} s: {what}")
        # Each look inside is work for the machine. It is given four times as long for its own.
        time.sleep(min(max(0.75, 4 * (now - begin)), 5))


def _unless_gone(function, path, problem):
    """For rmtree(): ssh's master process removes its socket by itself when the machine is gone."""
    if not issubclass(problem[0], FileNotFoundError):
        raise problem[1]


class Machine:
    def __init__(
        self, directory, image, ssh_key, *, base=None, saved=None, carrier=None, cd=None, power_cuts=False,
        processors=1, disks=(),
    ):  # fmt: skip
        """base is the disk to start from (the image's own when None); carrier and cd are raw files to attach.

        saved: what save() left, in the place of base: the first start goes on where that machine stood. The machine
        must have the same devices.
        power_cuts: keep the host's cache honest, so that kill() is a power cut and not more than that.
        processors: one is best where two machines share two processors: emulated ones wait for each other.
        disks: raw files to attach for writing, as /dev/disk/by-id/virtio-disk0 and so on.
        """
        self.directory = pathlib.Path(directory)
        self.directory.mkdir(parents=True, exist_ok=True)
        self.disk = self.directory / "disk.qcow2"
        self.acknowledgements = self.directory / "acknowledgements"
        self.console = self.directory / "console.log"
        self._image, self._ssh_key, self._carrier, self._cd = image, ssh_key, carrier, cd
        self._cache = "writeback" if power_cuts else "unsafe"
        if saved:
            base = saved / "disk.qcow2"
        self._memory = saved / "memory" if saved else None
        self._base = (base, "qcow2") if base else (image / "disk.raw", "raw")
        self._processors, self._disks = processors, disks
        self._process = None
        self._scratch = None
        self._qmp = None
        self._port = None

    # --- the machine itself -------------------------------------------------------------------------------------
    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.kill()

    def start(self):
        """Powers the machine on, or lets a saved one go on; the disk stays what it was at the last power-off."""
        if not self.disk.exists():
            base, form = self._base
            subprocess.run(
                ["qemu-img", "create", "-q", "-f", "qcow2", "-b", str(base), "-F", form, str(self.disk)], check=True
            )
        # Control sockets live in a directory with a short name: their paths may have 100 characters only.
        self._scratch = pathlib.Path(tempfile.mkdtemp(prefix="um-"))
        ours, theirs = socket.socketpair()
        with open(self.directory / "qemu.log", "ab") as log:
            self._process = subprocess.Popen(
                self._command_line(theirs.fileno()), stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                pass_fds=[theirs.fileno()],
            )  # fmt: skip
        theirs.close()
        self._qmp = Qmp(ours)
        self._port = int(re.search(r"HOST_FORWARD\S*\s+\S+\s+\S+\s+(\d+)", self._connections())[1])
        if self._memory:
            self._memory = None  # the next start is a boot
            wait_until("the machine goes on", lambda: self._qmp("query-status")["status"] == "running")

    def _connections(self):
        """What QEMU's user network forwards, and who is connected."""
        return self._qmp("human-monitor-command", **{"command-line": "info usernet"})

    def _disk_drive(self):
        """The disk as QEMU finds it: file, format, options."""
        return self.disk, "qcow2", f"cache={self._cache}"

    def _command_line(self, control):
        def drive(name, path, form, *more):
            return ["-drive", ",".join([f"id={name},if=none,file={path},format={form}", *more])]

        command = [
            "setpriv", "--pdeathsig", "KILL",  # a machine does not outlive who drives it
            "qemu-system-x86_64", "-nodefaults", "-no-user-config", "-machine", "q35", "-display", "none",
            "-accel", ACCELERATOR, "-cpu", PROCESSOR, "-smp", str(self._processors), "-m", "1024",
            # A reset ends QEMU, and the next boot is a new one: an emulator full of the old kernel's code takes a
            # minute to unpack the new one over it.
            "-action", "reboot=shutdown",
            "-kernel", str(self._image / "vmlinuz"), "-initrd", str(self._image / "initrd"),
            "-append", KERNEL_ARGUMENTS,
            "-chardev", f"socket,id=control,fd={control}", "-mon", "chardev=control,mode=control",
            "-chardev", f"file,id=console,path={self.console},append=on", "-serial", "chardev:console",
            "-netdev", "user,id=net,restrict=on,hostfwd=tcp:127.0.0.1:0-:22", "-device", "virtio-net-pci,netdev=net",
            "-device", "virtio-rng-pci",
            *drive("disk", *self._disk_drive()), "-device", "virtio-blk-pci,drive=disk",
            "-device", "virtio-scsi-pci", "-device", "scsi-cd,id=cd" + (",drive=medium" if self._cd else ""),
            "-chardev", f"file,id=usage,path={self.acknowledgements},append=on", "-device", "virtio-serial-pci",
            "-device", "virtserialport,chardev=usage,name=usage-acknowledgements",
        ]  # fmt: skip
        if self._cd:
            command += drive("medium", self._cd, "raw", "readonly=on")
        for number, path in enumerate(self._disks):
            command += drive(f"disk{number}", path, "raw", f"cache={self._cache}")
            command += ["-device", f"virtio-blk-pci,drive=disk{number},serial=disk{number}"]
        if self._carrier:
            command += drive("carrier", self._carrier, "raw", "readonly=on")
            command += ["-device", "virtio-blk-pci,drive=carrier,serial=carrier"]
        if self._memory:
            command += ["-incoming", f"exec:cat '{self._memory}'"]
        return command

    def save(self, directory):
        """Stops the machine for good: directory/memory and the disk are what it was."""
        # A connection would be one of nobody in each machine that goes on from here.
        subprocess.run([*self.ssh(), "-O", "exit"], stderr=subprocess.DEVNULL, check=True)
        wait_until("nobody is connected", lambda: not re.search(r"TCP\[(?!HOST_FORWARD)", self._connections()))
        self._qmp("migrate", uri=f"exec:cat >'{directory}/memory'")
        wait_until("the memory is saved", lambda: self._qmp("query-migrate")["status"] in ("completed", "failed"))
        assert self._qmp("query-migrate")["status"] == "completed"
        self.kill()

    def set_clock(self):
        """For a machine that was saved: its clock stood still meanwhile. What the leap starts has ended afterwards."""
        self.run(f"date --set=@{time.time():.3f} >/dev/null")
        wait_until("no job waits", lambda: self.output("systemctl list-jobs --no-legend") == "")

    def kill(self):
        """Cuts the power."""
        if self._process:
            self._process.kill()
            self._process.wait()
            self._process = None
            shutil.rmtree(self._scratch, onerror=_unless_gone)

    def power_off(self):
        """Shuts the machine down in order and waits until it is off."""
        self.run("systemctl poweroff", check=False)
        wait_until("the machine is off", lambda: not self.in_this_boot())
        self.kill()

    def insert_cd(self, iso):
        self._cd = iso
        self._qmp("blockdev-change-medium", id="cd", filename=str(iso), format="raw")
        wait_until("the medium is readable", lambda: self.run("blkid -p /dev/cdrom", check=False).returncode == 0)

    def eject_cd(self):
        self._cd = None
        self._qmp("eject", id="cd", force=True)

    # --- what runs in it ----------------------------------------------------------------------------------------
    def ssh(self, *options):
        """The ssh command line up to the command to run; one connection serves them all."""
        return [
            "ssh", "-q", "-F", "none", "-p", str(self._port), "-i", str(self._ssh_key), *options,
            "-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "BatchMode=yes",
            "-o", "ConnectTimeout=20", "-o", "ServerAliveInterval=10", "-o", "ServerAliveCountMax=6",
            "-o", "ControlMaster=auto", "-o", "ControlPersist=yes", "-o", f"ControlPath={self._scratch}/ssh",
            "root@127.0.0.1",
        ]  # fmt: skip

    def run(self, command, *, check=True, input=None, limit=900):
        """Runs a shell command as root in the machine."""
        if self._process.poll() is not None:
            raise Unreachable(f"QEMU is not running; see {self.directory}/qemu.log")
        done = subprocess.run(
            [*self.ssh(), command], input=input, capture_output=True, text=True, timeout=limit * PATIENCE,
            **({"stdin": subprocess.DEVNULL} if input is None else {}),
        )  # fmt: skip
        if done.returncode == 255:
            raise Unreachable(command)
        if check and done.returncode != 0:
            raise CommandFailed(f"{command}: status {done.returncode}\n{done.stdout}{done.stderr}")
        return done

    def output(self, command):
        """What a command prints that must succeed, without the last line's end."""
        return self.run(command).stdout.rstrip("\n")

    def put(self, source, target):
        """Copies a small file into the machine."""
        with open(source, "rb") as stream:
            subprocess.run([*self.ssh(), f"cat >'{target}'"], stdin=stream, check=True)

    def boot_id(self):
        return self.output("cat /proc/sys/kernel/random/boot_id")

    def wait_up(self, limit=300):
        """Waits until this boot answers over ssh."""
        begin = time.monotonic()

        def answers():
            # QEMU accepts the connection whether anybody listens inside or not; only sshd sends a greeting. A slow
            # machine is given longer: each look is work for its sshd, which drops connections when it has too many.
            patience = 3 + (time.monotonic() - begin) / 10
            try:
                with socket.create_connection(("127.0.0.1", self._port), timeout=patience) as connection:
                    return connection.recv(4) == b"SSH-" and self.run("true", check=False, limit=60).returncode == 0
            except (OSError, Unreachable, subprocess.TimeoutExpired):
                return False

        wait_until("ssh answers", answers, limit)
        return self

    def in_this_boot(self):
        """Whether the machine is still in the boot that it was started into."""
        return self._process.poll() is None

    def wait_reboot(self, old_boot_id, limit=600):
        """Waits until the machine has gone from the given boot into another one that answers."""
        wait_until("the machine reboots", lambda: not self.in_this_boot(), limit)
        self.kill()
        self.start()
        self.wait_up()
        assert self.boot_id() != old_boot_id
