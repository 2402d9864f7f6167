"""The network block device protocol, as much of it as QEMU speaks to a disk: one export, simple replies, flushes."""
import socket
import struct
import threading

HANDSHAKE, OPTION, OPTION_REPLY = b"NBDMAGIC", b"IHAVEOPT", 0x3E889045565A9
REQUEST, REPLY = 0x25609513, 0x67446698
OPT_ABORT, OPT_INFO, OPT_GO = 2, 6, 7
REP_ACK, REP_INFO, REP_UNSUPPORTED = 1, 3, 0x80000001
# A fixed newstyle server without padding; flags are there, and one of them says that flushes are understood.
# Forced unit access is not offered: QEMU makes a write and a flush of it.
SERVER_FLAGS, EXPORT_FLAGS = 0b11, 0b101
READ, WRITE, DISCONNECT, FLUSH = range(4)


class Server:
    """Serves a store (size, read, write, flush) on a socket, one connection after the other, from a thread."""

    def __init__(self, path, store):
        self._store = store
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.bind(str(path))
        self._socket.listen()
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self):
        """Wakes the thread, which ends."""
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()

    def _accept(self):
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection, connection.makefile("rb") as stream:
                try:
                    if self._negotiate(connection, stream):
                        self._transmit(connection, stream)
                except (EOFError, OSError):
                    pass  # QEMU is gone, as it is after every cut

    def _negotiate(self, connection, stream):
        connection.sendall(HANDSHAKE + OPTION + struct.pack(">H", SERVER_FLAGS))
        read(stream, 4)  # the client's flags
        while True:
            _, option, length = struct.unpack(">8sII", read(stream, 16))
            read(stream, length)

            def reply(kind, data=b"", option=option):
                connection.sendall(struct.pack(">QIII", OPTION_REPLY, option, kind, len(data)) + data)

            if option in (OPT_GO, OPT_INFO):
                reply(REP_INFO, struct.pack(">HQH", 0, self._store.size, EXPORT_FLAGS))
            elif option != OPT_ABORT:
                reply(REP_UNSUPPORTED)
                continue
            reply(REP_ACK)
            if option != OPT_INFO:
                return option == OPT_GO

    def _transmit(self, connection, stream):
        while True:
            magic, _, kind, cookie, offset, length = struct.unpack(">IHHQQI", read(stream, 28))
            assert magic == REQUEST
            data = b""
            if kind == READ:
                data = self._store.read(offset, length)
            elif kind == WRITE:
                self._store.write(offset, read(stream, length))
            elif kind == FLUSH:
                self._store.flush()
            else:
                assert kind == DISCONNECT, f"nothing else was offered: {kind}"
                return
            connection.sendall(struct.pack(">IIQ", REPLY, 0, cookie) + data)


def read(stream, length):
    data = stream.read(length)
    if len(data) < length:
        raise EOFError
    return data
