#!/usr/bin/python3
"""The web interface behind nginx: says who it is."""
import http.server

import store


class Page(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = f"vCloud Usage Meter {store.release()['VERSION']}\n".encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        """Requests are not worth a journal entry each."""


if __name__ == "__main__":
    http.server.HTTPServer(("127.0.0.1", 8443), Page).serve_forever()
