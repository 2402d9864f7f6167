"""A disk with a volatile write cache: what was written since the last flush may go with the power, piece by piece."""
import os
import threading

from .nbd import Server

# What a disk writes whole or not at all; the file system's block, and a real disk's sector.
PIECE = 4096


class PowerLost(OSError):
    """The power went while this operation was at work: it is never answered."""


class VolatileDisk:
    """The file is what reads see; what was there before each write since the last flush is remembered."""

    def __init__(self, path, socket):
        self.size = os.path.getsize(path)
        self.operations = 0  # writes and flushes, since the beginning
        self.stopped = threading.Event()  # at the operation that stop_at() named
        self._stop_at = None
        self._file = os.open(path, os.O_RDWR)
        self._lock = threading.Condition()
        self._unflushed = []  # (offset, what was there, what was written), in order
        self._powered = True
        self._server = Server(socket, self)

    def close(self):
        self._server.close()
        with self._lock:
            self._restore_power()
            os.close(self._file)

    # --- the machine's side -------------------------------------------------------------------------------------
    def read(self, offset, length):
        with self._lock:
            self._expect_power()
            return os.pread(self._file, length, offset)

    def write(self, offset, data):
        with self._lock:
            self._expect_power()
            self._unflushed.append((offset, os.pread(self._file, len(data), offset), data))
            os.pwrite(self._file, data, offset)
            self._count()

    def flush(self):
        with self._lock:
            self._expect_power()
            self._unflushed.clear()
            self._count()

    def _count(self):
        self.operations += 1
        if self.operations == self._stop_at:
            self._powered = False
            self.stopped.set()
            self._expect_power()

    def _expect_power(self):
        """An error would be an answer, and the machine would act on it: who asks without power is kept waiting."""
        if not self._powered:
            self._lock.wait_for(lambda: self._powered)
            raise PowerLost

    def _restore_power(self):
        self._stop_at, self._powered = None, True
        self.stopped.clear()
        self._lock.notify_all()

    # --- the driver's side --------------------------------------------------------------------------------------
    def stop_after(self, operations):
        """So many operations from now on, the last one still done and never acknowledged, nothing works any more."""
        with self._lock:
            self._stop_at = self.operations + operations

    def lose_power(self, random, kept):
        """Forgets what was not flushed, except for a random share of its pieces; power is back afterwards.

        Returns how many pieces were lost, and how many could have been.
        """
        with self._lock:
            for offset, before, _ in reversed(self._unflushed):
                os.pwrite(self._file, before, offset)
            lost = pieces = 0
            for offset, _, written in self._unflushed:
                for start in range(0, len(written), PIECE):
                    pieces += 1
                    if random.random() < kept:
                        os.pwrite(self._file, written[start : start + PIECE], offset + start)
                    else:
                        lost += 1
            self._unflushed.clear()
            self._restore_power()
            return lost, pieces
