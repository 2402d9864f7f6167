"""What media may be, where they may lie, and what may stand at the mount point. One machine serves all."""
import json
import pathlib

import pytest

from harness.appliance import MEDIA_DIRECTORY, MOUNT_POINT, SNAPSHOT, running
from harness.media import CONTENT, make_iso, sign
from harness.products import STEM, VERSION, build, keys, media

ISO, OTHER = f"{MEDIA_DIRECTORY}/{STEM}.iso", "/root/other.iso"
READY = (0, [])


def refused(reason):
    return 4, [f"media.{reason}"]


@pytest.fixture(scope="module")
def machine(start, tmp_path_factory):
    machine = start(saved=running())
    machine.answer_for_rpm()
    machine.run(SNAPSHOT)
    machine.run(f"mkdir -p {MOUNT_POINT}")
    machine.small = sign(make_iso(tmp_path_factory.mktemp("small"), CONTENT))
    machine.put(make_iso(tmp_path_factory.mktemp("other"), CONTENT), OTHER)
    return machine


@pytest.fixture
def appliance(machine):
    """Small genuine media in the directory; mounts and loop devices are afterwards what they were before."""
    machine.offer(machine.small)
    with machine.mounts_restored():
        yield machine


# --- genuine media ----------------------------------------------------------------------------------------------
def expect_ready(appliance, *arguments):
    done = appliance.agent("check", "--json", *arguments)
    check = json.loads(done.stdout)
    assert (check["outcome"], check["to_version"]) == ("ready", VERSION)
    assert {finding["reason"] for finding in check["findings"]} == {"digest.weak"}
    assert check["sha256"] == build("sha256sum", media() / f"{STEM}.iso").split()[0]
    signer, certificate = check["signer"], keys() / "signer.pem"
    shown = build("openssl", "x509", "-in", certificate, "-noout", "-fingerprint", "-sha256", "-dates",
                  "-dateopt", "iso_8601")  # fmt: skip
    fingerprint, begins, ends = (line.split("=")[1].replace(" ", "T") for line in shown.splitlines())
    assert signer["subject"] == "CN=Release Signer,O=Example"
    assert signer["fingerprint"] == "sha256:" + fingerprint.replace(":", "").lower()
    assert (signer["not_before"], signer["not_after"]) == (begins, ends)


def test_genuine_media_are_ready_as_a_file(appliance):
    appliance.drop_media()
    expect_ready(appliance)


def test_genuine_media_are_ready_in_the_drive(appliance, iso):
    appliance.insert_cd(iso)
    appliance.run(f"rm {ISO}")
    appliance.drop_media("mf", "crt", "sign")
    expect_ready(appliance)
    appliance.eject_cd()


# --- what the medium holds --------------------------------------------------------------------------------------
SCRIPT, REPOSITORY = {"upgrade-um.sh": CONTENT["upgrade-um.sh"]}, "repodata/repomd.xml"


@pytest.mark.parametrize(
    "files, verdict",
    [
        pytest.param(SCRIPT, READY, id="the script alone"),
        pytest.param({**SCRIPT, REPOSITORY: ""}, READY, id="the script and a repository at the root"),
        pytest.param({**SCRIPT, f"repo/{REPOSITORY}": ""}, READY, id="the script and a repository one folder down"),
        pytest.param({f"a/b/{REPOSITORY}": ""}, refused("content"), id="a repository two folders down"),
        pytest.param({"README": ""}, refused("content"), id="neither"),
        pytest.param({"upgrade-um.sh": pathlib.Path("/bin/true")}, refused("content"), id="the script is a link"),
        pytest.param({"upgrade-um.sh": None, REPOSITORY: ""}, refused("content"), id="the script is a folder"),
    ],
)
def test_a_medium_holds_what_can_be_applied(appliance, tmp_path, files, verdict):
    appliance.offer(sign(make_iso(tmp_path, files)))
    assert appliance.check() == verdict


def ext4(iso):
    build("mkfs.ext4", "-q", "-F", iso)


def only_a_descriptor(iso):
    """libblkid takes it for ISO 9660, the kernel cannot mount it."""
    content = bytearray(64 << 10)
    content[32768:32775] = b"\x01CD001\x01"
    iso.write_bytes(content)


def nothing(iso):
    iso.write_bytes(bytes(64 << 10))


@pytest.mark.parametrize("spoil", [ext4, only_a_descriptor, nothing])
def test_an_authentic_file_that_is_no_iso_is_refused(appliance, tmp_path, spoil):
    iso = make_iso(tmp_path, CONTENT)
    spoil(iso)
    appliance.offer(sign(iso))
    assert appliance.check() == refused("filesystem")


# --- what stands at the mount point -----------------------------------------------------------------------------
@pytest.mark.parametrize("stale", [[OTHER], [ISO], [OTHER, ISO]], ids=["other", "same", "stacked"])
def test_stale_media_are_unmounted(appliance, stale):
    for iso in stale:
        appliance.run(f"mount -o loop,ro {iso} {MOUNT_POINT}")
    assert appliance.check() == READY
    assert MOUNT_POINT not in appliance.mounts()


def test_stale_media_in_use_are_left_alone(appliance):
    appliance.run(f"mount -o loop,ro {OTHER} {MOUNT_POINT}")
    found = appliance.mounts()
    appliance.run(f"systemd-run -q --unit=visitor -p Type=exec -p WorkingDirectory={MOUNT_POINT} sleep infinity")
    try:
        assert appliance.check() == refused("filesystem")
        assert appliance.mounts() == found
    finally:
        appliance.run("systemctl stop visitor")
    assert appliance.check() == READY
    assert MOUNT_POINT not in appliance.mounts()


@pytest.mark.parametrize("mount", ["-t tmpfs tmpfs", "--bind /etc", "-o loop /root/data.img"])
def test_any_other_file_system_there_is_left_alone(appliance, mount):
    appliance.run("truncate -s 1M /root/data.img && mkfs.ext4 -q -F /root/data.img")
    appliance.run(f"mount {mount} {MOUNT_POINT}")
    found = appliance.mounts()
    assert appliance.check() == refused("filesystem")
    assert appliance.mounts() == found
    appliance.run(f"umount {MOUNT_POINT}")


# --- where the media lie ----------------------------------------------------------------------------------------
PARENT = str(pathlib.Path(MEDIA_DIRECTORY).parent)
# How others than root could exchange the media, what the agent is told, and how that ends.
PLACES = {
    "a directory for everybody": (f"chmod 0777 {MEDIA_DIRECTORY}", [], f"chmod 0700 {MEDIA_DIRECTORY}"),
    "a sticky directory": (f"chmod 1777 {MEDIA_DIRECTORY}", [], f"chmod 0700 {MEDIA_DIRECTORY}"),
    "a directory for the group": (f"chmod 0770 {PARENT}", [], f"chmod 0700 {PARENT}"),
    "somebody's directory": (f"chown nobody {PARENT}", [], f"chown root {PARENT}"),
    "an ISO under /tmp": (f"mkdir /tmp/um && cp {MEDIA_DIRECTORY}/* /tmp/um/", ["--media", f"/tmp/um/{STEM}.iso"],
                          "rm -r /tmp/um"),
    "a linked ISO": (f"mv {ISO} /root/real.iso && ln -s /root/real.iso {ISO}", [], "rm /root/real.iso"),
    "a linked directory": (f"mv {MEDIA_DIRECTORY} /root/moved && ln -s /root/moved {MEDIA_DIRECTORY}", [],
                           f"rm {MEDIA_DIRECTORY} && mv /root/moved {MEDIA_DIRECTORY}"),
    "a link on the way": (f"ln -s {PARENT} /root/way", ["--media", f"/root/way/media/{STEM}.iso"], "rm /root/way"),
    "a pipe for an ISO": (f"rm {ISO} && mkfifo {ISO}", [], "true"),
    "a pipe for a manifest": (f"cd {MEDIA_DIRECTORY} && rm {STEM}.mf && mkfifo {STEM}.mf", [], "true"),
    "a pipe for a certificate": (f"cd {MEDIA_DIRECTORY} && rm {STEM}.crt && mkfifo {STEM}.crt", [], "true"),
}  # fmt: skip


@pytest.mark.parametrize("prepare, arguments, clean", PLACES.values(), ids=PLACES.keys())
def test_what_others_could_exchange_is_refused(appliance, prepare, arguments, clean):
    appliance.run(prepare)
    try:
        assert appliance.check(*arguments) == refused("insecure")
    finally:
        appliance.run(clean)
