"""The disk that loses its cache: it must lose what a real one may lose, and nothing else. qemu-io speaks to it."""
import pathlib
import random
import subprocess
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from power_cut.disk import VolatileDisk  # noqa: E402

BLOCK = 8192


@pytest.fixture
def disk(tmp_path):
    path = tmp_path / "disk.raw"
    path.write_bytes(bytes(4 * BLOCK))
    disk = VolatileDisk(path, tmp_path / "socket")
    disk.path, disk.url = path, f"nbd+unix:///?socket={tmp_path}/socket"
    yield disk
    disk.close()


def start(disk, *commands):
    """Works like a machine whose power goes at the end: abort flushes nothing."""
    words = [word for command in [*commands, "abort"] for word in ("-c", command)]
    return subprocess.Popen(
        ["qemu-io", "-t", "writeback", "-f", "raw", *words, disk.url], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def do(disk, *commands):
    start(disk, *commands).communicate()


def blocks(disk):
    """The first byte of each block, where all of it is the same."""
    content = disk.path.read_bytes()
    parts = [content[at : at + BLOCK] for at in range(0, len(content), BLOCK)]
    return [part[0] if len(set(part)) == 1 else "torn" for part in parts]


def test_what_was_flushed_stays_and_the_rest_goes(disk):
    do(disk, "write -P 1 0 16k", "flush", "write -P 2 8k 16k", "write -P 3 8k 8k")
    assert blocks(disk) == [1, 3, 2, 0]
    assert disk.lose_power(random.Random(1), kept=0) == (6, 6)
    assert blocks(disk) == [1, 1, 0, 0]


def test_some_of_the_rest_may_stay(disk):
    do(disk, "write -P 1 0 32k", "flush", "write -P 2 0 32k")
    assert disk.lose_power(random.Random(1), kept=1) == (0, 8)
    assert blocks(disk) == [2, 2, 2, 2]
    do(disk, "write -P 3 0 32k")
    lost, unflushed = disk.lose_power(random.Random(1), kept=0.5)
    assert (0 < lost < 8, unflushed) == (True, 8)
    assert set(blocks(disk)) <= {2, 3, "torn"} and blocks(disk) not in ([2] * 4, [3] * 4)


def test_a_forced_write_is_a_flush(disk):
    do(disk, "write -f -P 1 0 8k", "write -P 2 8k 8k")
    disk.lose_power(random.Random(1), kept=0)
    assert blocks(disk) == [1, 0, 0, 0]


def test_it_stops_at_an_operation_and_answers_nobody_until_the_power_is_back(disk):
    disk.stop_after(2)
    client = start(disk, "write -P 1 0 8k", "write -P 2 8k 8k", "write -P 3 16k 8k")
    assert disk.stopped.wait(60)
    with pytest.raises(subprocess.TimeoutExpired):
        client.wait(1)
    assert blocks(disk) == [1, 2, 0, 0]
    client.kill()
    client.communicate()
    disk.lose_power(random.Random(1), kept=1)
    assert blocks(disk) == [1, 2, 0, 0]
    do(disk, "write -P 4 24k 8k")
    assert blocks(disk) == [1, 2, 0, 4]
