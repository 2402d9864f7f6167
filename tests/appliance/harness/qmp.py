"""QEMU's machine protocol over a connected socket: one command, one answer."""
import json


class QmpError(Exception):
    """QEMU refused a command."""


class Qmp:
    def __init__(self, connection):
        self._stream = connection.makefile("rw", encoding="utf-8")
        self._read()  # the greeting
        self("qmp_capabilities")

    def __call__(self, command, **arguments):
        json.dump({"execute": command, "arguments": arguments}, self._stream)
        self._stream.write("\n")
        self._stream.flush()
        while True:
            answer = self._read()
            if "error" in answer:
                raise QmpError(f"{command}: {answer['error']['desc']}")
            if "return" in answer:
                return answer["return"]
            # anything else is an event, and nobody here waits for one

    def _read(self):
        line = self._stream.readline()
        if not line:
            raise QmpError("QEMU closed its control socket")
        return json.loads(line)
