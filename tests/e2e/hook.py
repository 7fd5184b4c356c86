"""A provider's own server: takes webhooks and remembers them."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self


class Hook:
    """Listens on a free port while its `with` lasts; `events` are the bodies in their order."""

    def __init__(self) -> None:
        events: list[dict[str, Any]] = []

        class Taking(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                octets = self.rfile.read(int(self.headers["Content-Length"]))
                events.append(json.loads(octets))
                self.send_response(204)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                return

        self.events = events
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Taking)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def offers(self) -> list[str]:
        """The offers that were told of, once for each event with an id of its own."""
        return [str(event["data"]["id"]) for event in {e["id"]: e for e in self.events}.values()]
