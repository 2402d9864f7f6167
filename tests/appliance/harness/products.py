"""What the scenarios need, from keys to an appliance with the agent installed; each is made once."""
import functools
import os
import pathlib
import shutil
import subprocess

from .cache import HERE, PROJECT, build, cached

VERSION, BUILD = "4.7.0.0", "21234567"
STEM = f"Usage_Meter_Agent-{VERSION}-{BUILD}_Upgrade"


@functools.cache
def keys():
    """The pinned root and its signer, a stranger's root and signer, and the key for ssh."""
    return cached("keys", [HERE / "make-keys"], lambda out: build(HERE / "make-keys", out))


@functools.cache
def packages():
    """The product and its platform as RPMs: 4.3/ and 4.7/."""
    maker = HERE / "product"
    return cached("packages", [maker], lambda out: build(maker / "make-packages", out))


@functools.cache
def light_packages():
    """Those of 4.7 that show every kind of package, and weigh next to nothing."""
    maker = HERE / "make-light-packages"
    inputs = [maker, packages().name]  # the latter's name tells of the specifications, too
    return cached("light-packages", inputs, lambda out: build(maker, packages() / "4.7", out))


@functools.cache
def debian():
    """The plain Debian root."""
    image = HERE / "image"
    return cached(
        "debian", [image / "make-root", image / "packages.list"], lambda out: build(image / "make-root", out / "root")
    )


@functools.cache
def image():
    """vmlinuz, initrd and the disk of an appliance that runs 4.3."""

    def make(out):
        root = out / "root"
        subprocess.run(["cp", "-a", debian() / "root", root], check=True)
        build(HERE / "image" / "finish-root", root, keys() / "ssh.pub")
        build(HERE / "image" / "install-product", root, packages() / "4.3", HERE / "product" / "base.spec")
        build(HERE / "image" / "make-disk", root, out)
        shutil.rmtree(root)

    return cached("image", [HERE / "image", HERE / "product", debian().name, keys().name], make)


def make_media(out, *options, key="signer.key", certificate="signer.pem", rpms=None):
    """Media in the directory out, as a release engineer makes them; of the product's packages unless told otherwise."""
    build(
        PROJECT / "rpm" / "media" / "make-upgrade-media", "--version", VERSION, "--build", BUILD,
        "--key", keys() / key, "--certificate", keys() / certificate, "--output", out, *options,
        rpms or packages() / "4.7",
    )  # fmt: skip


@functools.cache
def media():
    """Genuine media: .iso, .mf, .crt and .sign."""
    return cached("media", [PROJECT / "rpm" / "media", packages().name, keys().name], make_media)


@functools.cache
def light_media():
    """The same of packages that weigh next to nothing, where weight is not what is tested."""
    inputs = [PROJECT / "rpm" / "media", light_packages().name, keys().name]
    return cached("light-media", inputs, lambda out: make_media(out, rpms=light_packages()))


@functools.cache
def carrier():
    """A disk that carries the media into a machine, which is quicker than copying them over ssh."""

    def make(out):
        build("truncate", "-s", "300M", out / "disk.raw")
        build("mkfs.ext4", "-q", "-F", "-O", "^has_journal", "-m", "0", "-d", media(), out / "disk.raw")

    return cached("carrier", [media().name], make)


@functools.cache
def agent():
    """The project's own RPM, or the one that UM_AGENT_RPM names; its builder knows when there is nothing to do."""
    if "UM_AGENT_RPM" in os.environ:
        return pathlib.Path(os.environ["UM_AGENT_RPM"])
    printed = build(PROJECT / "tests" / "support" / "build-rpm", PROJECT / "build" / "rpm")
    return pathlib.Path(printed.splitlines()[-1])
