"""Small media made on the spot: signed as genuine ones are, whatever they hold."""
import os
import pathlib
import tempfile

from .cache import build
from .products import STEM, keys

CONTENT = {"upgrade-um.sh": "#!/bin/bash\n", "repo/repodata/repomd.xml": "<repomd/>\n"}


def plant(root, files):
    """Files by their paths: a text, or bytes, is a file's, a Path where a symbolic link leads to, None a directory."""
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if content is None:
            path.mkdir()
        elif isinstance(content, pathlib.Path):
            path.symlink_to(content)
        else:
            path.write_bytes(content if isinstance(content, bytes) else content.encode())
            path.chmod(0o755)


def make_iso(out, files, size=4 << 20):
    """out/STEM.iso with these files, filled up to size; the rest is a hole, which is quickly copied."""
    iso = out / f"{STEM}.iso"
    with tempfile.TemporaryDirectory() as root:
        plant(pathlib.Path(root), files)
        build("xorriso", "-as", "mkisofs", "-quiet", "-rock", "-joliet", "-volid", "UM", "-o", iso, root)
    os.truncate(iso, max(size, iso.stat().st_size))
    return iso


def sign(iso):
    """Manifest, certificate and signature beside a file that is called an ISO, and the directory of them all."""
    name = iso.name.removesuffix(".iso")
    out, key = iso.parent, keys() / "signer.key"
    (out / f"{name}.mf").write_text(build("sha1sum", iso).split()[0] + f"  {iso.name}\n")
    (out / f"{name}.crt").write_bytes((keys() / "signer.pem").read_bytes())
    build("openssl", "dgst", "-sha1", "-sign", key, "-out", out / f"{name}.sign", out / f"{name}.mf")
    return out
