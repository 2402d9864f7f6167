#!/usr/bin/python3 -S
"""The web interface behind nginx: says who it is. An emulated machine would import http.server for seconds."""
import socketserver

import store


class Page(socketserver.StreamRequestHandler):
    def handle(self):
        while self.rfile.readline().strip():
            pass  # whatever is asked for, the answer is the same
        body = f"vCloud Usage Meter {store.release()['VERSION']}\n".encode()
        head = f"HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\nContent-Length: {len(body)}\r\n\r\n"
        self.wfile.write(head.encode() + body)


class Server(socketserver.TCPServer):
    allow_reuse_address = True


if __name__ == "__main__":
    Server(("127.0.0.1", 8443), Page).serve_forever()
