"""Small packages made on the spot, and media of them."""
import pathlib
import re
import subprocess
import tempfile

from .cache import PROJECT, build
from .products import agent, make_media

OWN_SPEC = PROJECT / "rpm" / "um-upgrade.spec"


def _rpmbuild(out, spec):
    with tempfile.TemporaryDirectory() as work:
        file = pathlib.Path(work) / "package.spec"
        file.write_text(spec)
        macros = (f"_topdir {work}", "_build_id_links none", "_binary_payload w.ufdio", "__os_install_post %{nil}")
        defined = [word for macro in macros for word in ("--define", macro)]
        build("rpmbuild", "-bb", "--quiet", "--nodeps", *defined, file)
        (built,) = pathlib.Path(work, "RPMS").rglob("*.rpm")
        out.mkdir(parents=True, exist_ok=True)
        return built.rename(out / built.name)


def make_rpm(out, name, version, *, requires=None, large=(), **scriptlets):
    """out/NAME-VERSION-1.noarch.rpm with one file of its own, and scriptlets such as post="exit 1".

    large: directories that get 8 MiB each.
    """
    lines = [
        f"Name: {name}", f"Version: {version}", "Release: 1", "Summary: Part of a scenario", "License: Apache-2.0",
        "BuildArch: noarch", *([f"Requires: {requires}"] if requires else []),
        "%description", "Part of a scenario.", "%install",
        f"install -d %{{buildroot}}/opt/scenario; echo {version} >%{{buildroot}}/opt/scenario/{name}",
        *(f"install -d %{{buildroot}}{at}; truncate -s 8M %{{buildroot}}{at}/{name}" for at in large),
        *(line for when, script in scriptlets.items() for line in (f"%{when}", script)),
        "%files", f"/opt/scenario/{name}", *(f"{at}/{name}" for at in large), "",
    ]  # fmt: skip
    return _rpmbuild(out, "\n".join(lines))


def make_newer_agent(out):
    """The agent's own package with a higher release: the same files, the specification's scriptlets."""
    with tempfile.TemporaryDirectory() as payload:
        unpack = "rpm2cpio \"$1\" | cpio --quiet -id --directory \"$2\""
        subprocess.run(["bash", "-o", "pipefail", "-c", unpack, "unpack", agent(), payload], check=True)
        spec = re.sub(r"^Release: .*$", "Release: 2", OWN_SPEC.read_text(), flags=re.MULTILINE)
        install = f"%install\ncp -a {payload}/. %{{buildroot}}/\nrm -r %{{buildroot}}/usr/lib/.build-id\n\n%post\n"
        spec, count = re.subn(r"^%prep$.*?^%post$", install, spec, flags=re.MULTILINE | re.DOTALL)
        assert count == 1
        return _rpmbuild(out, spec)


def make_package_media(out, *rpms):
    """Media in the directory out that hold these packages and no script."""
    with tempfile.TemporaryDirectory() as directory:
        for rpm in rpms:
            (pathlib.Path(directory) / rpm.name).symlink_to(rpm)
        out.mkdir()
        make_media(out, "--no-script", rpms=directory)
    return out
