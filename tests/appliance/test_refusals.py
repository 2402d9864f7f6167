"""What is refused: with its reason word in the journal, its exit code, and nothing changed. One machine serves all."""
import pytest

from harness import products
from harness.appliance import MEDIA_DIRECTORY, SNAPSHOT, running


@pytest.fixture(scope="module")
def appliance(start):
    appliance = start(saved=running())
    appliance.offer(products.light_media())
    appliance.run(SNAPSHOT)
    return appliance


@pytest.fixture
def genuine(appliance):
    """Genuine media and a confirmed snapshot; what a test spoils is put right again after it."""
    confirmation = appliance.output("grep -rl before-4.7 /var/lib/um-upgrade")
    sidecars = f"{MEDIA_DIRECTORY}/*.mf {MEDIA_DIRECTORY}/*.crt {MEDIA_DIRECTORY}/*.sign"
    appliance.run(f"rm -rf /root/kept && mkdir /root/kept && cp -p {sidecars} /root/kept/")
    yield appliance
    appliance.run(f"rm {sidecars}; cp -p /root/kept/* {MEDIA_DIRECTORY}/")
    if appliance.run(f"test -e '{confirmation}'", check=False).returncode != 0:
        appliance.run(SNAPSHOT)


def spoil_manifest(appliance):
    """Another digest for the same name, signed by the right signer: only the comparison can tell."""
    manifest = f"{MEDIA_DIRECTORY}/{products.STEM}.mf"
    appliance.put(products.keys() / "signer.key", "/root/signer.key")
    appliance.run(
        f"sed -i 's/^[0-9a-f]\\{{8\\}}/00000000/' {manifest}; "
        f"openssl dgst -sha1 -sign /root/signer.key -out {MEDIA_DIRECTORY}/{products.STEM}.sign {manifest}; "
        "rm /root/signer.key"
    )


def sign_by_another_key(appliance):
    appliance.put(products.keys() / "stranger.key", "/root/stranger.key")
    appliance.run(
        f"cd {MEDIA_DIRECTORY} && openssl dgst -sha1 -sign /root/stranger.key -out {products.STEM}.sign "
        f"{products.STEM}.mf; rm /root/stranger.key"
    )


def present_a_strangers_certificate(appliance):
    """Signature and certificate fit each other and look right, but nobody pinned that root."""
    sign_by_another_key(appliance)
    appliance.put(products.keys() / "stranger.pem", f"{MEDIA_DIRECTORY}/{products.STEM}.crt")


def forget_the_snapshot(appliance):
    appliance.run("grep -rl before-4.7 /var/lib/um-upgrade | xargs rm")


@pytest.mark.parametrize(
    "spoil, status, reason",
    [
        (spoil_manifest, 5, "manifest.mismatch"),
        (sign_by_another_key, 5, "signature.mismatch"),
        (present_a_strangers_certificate, 5, "certificate.untrusted"),
        (forget_the_snapshot, 6, "snapshot.unconfirmed"),
    ],
)
def test_refused_and_nothing_changed(genuine, spoil, status, reason):
    spoil(genuine)
    before = genuine.picture()
    cursor = genuine.output("journalctl -n 0 --show-cursor").splitlines()[-1].removeprefix("-- cursor: ")

    started = genuine.run("systemctl start um-upgrade", check=False)

    assert started.returncode != 0
    assert genuine.output("systemctl show --property=ExecMainStatus --value um-upgrade") == str(status)
    genuine.run("journalctl --sync")
    events = [e for e in genuine.journal(f"--after-cursor={cursor}", "SYSLOG_IDENTIFIER=um-upgrade") if "UM_EVENT" in e]
    assert [e["UM_REASON"] for e in events if e["UM_EVENT"] == "refused"] == [reason]
    assert [e["UM_OUTCOME"] for e in events if e["UM_EVENT"] == "upgrade-finished"] == ["refused"]
    assert genuine.picture() == before
    assert genuine.lost_records() == set()


def test_check_accepts_the_same_media_unspoilt(genuine):
    before = genuine.picture()
    genuine.agent("check")
    assert genuine.picture() == before
