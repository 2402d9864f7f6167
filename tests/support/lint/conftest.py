"""The checks are programs without a suffix, as they are called."""
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent


@pytest.fixture
def tree(tmp_path):
    """Writes files below a temporary folder and gives that folder."""

    def write(files):
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return tmp_path

    return write


@pytest.fixture
def check():
    """Runs a check and gives its status and its lines."""

    def run(name, *arguments):
        done = subprocess.run([HERE / name, *map(str, arguments)], capture_output=True, text=True)
        assert done.stderr == ""
        return done.returncode, done.stdout.splitlines()

    return run
