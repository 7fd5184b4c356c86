"""The storm's provider: it registers people, makes offers, reports results, and hears the outcomes;
like any client it repeats a call under one idempotency key until it is answered."""

import hmac
import json
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from random import Random
from typing import Any

import httpx

from app.ledger import keys
from tests.chaos.people import iin_of, phone_of
from tests.e2e.house import REGISTERED, House, until

SERVICE = "birth-benefit"
AT_ONCE = 25
REPORTING = 4  # at the same time
AGAIN_S = 0.25
PATIENCE_S = 120.0
SECRET = "s" * 32


class Hook:
    """The provider's own server. While it is wild it sometimes fails, before or after taking."""

    def __init__(self, seed: int) -> None:
        self.events: list[dict[str, Any]] = []
        self.wrong: list[str] = []
        self._octets: dict[str, bytes] = {}
        self._refused: set[str] = set()
        self._taken: set[str] = set()
        self.is_wild = False
        lock, random = threading.Lock(), Random(seed)

        class Taking(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                size = int(self.headers["Content-Length"])
                octets = self.rfile.read(size)
                if len(octets) < size:
                    return  # who posted was killed in mid-sentence
                hook.check(octets, self.headers["Jauap-Signature"])
                self.send_response(hook.take(json.loads(octets)))
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:
                return

        hook = self
        self._lock, self._random = lock, random
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Taking)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}/"

    def check(self, octets: bytes, signature: str) -> None:
        """What comes is signed (docs/webhooks.md), and under one id always the same octets."""
        at, _, mac = signature.removeprefix("t=").partition(",v1=")
        told = hmac.new(SECRET.encode(), f"{at}.".encode() + octets, sha256).hexdigest()
        event = json.loads(octets)["id"]
        with self._lock:
            if not hmac.compare_digest(told, mac):
                self.wrong.append(f"{event}: not signed by the secret")
            if self._octets.setdefault(event, octets) != octets:
                self.wrong.append(f"{event}: came again with other octets")

    def take(self, event: dict[str, Any]) -> int:
        """The status of the answer to one event; each is refused once at most, before or after it
        was taken."""
        with self._lock:
            chance = self._random.random()
            if self.is_wild and chance < 0.1 and event["id"] not in self._refused:
                self._refused.add(event["id"])
                if chance < 0.05:
                    self.events.append(event)
                return 503
            self._taken.add(event["id"])
            self.events.append(event)
            return 204

    def owed(self) -> set[str]:
        """What was refused and has not come again."""
        with self._lock:
            return self._refused - self._taken

    def accepted(self) -> set[str]:
        """The offers whose yes has been heard of."""
        with self._lock:
            return {e["data"]["id"] for e in self.events if e["type"] == "offer.accepted"}

    def close(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@dataclass(slots=True)
class Provider:
    """Works in a thread of its own from `start` until `finish`."""

    house: House
    hook: Hook
    many: int
    offers: dict[str, str] = field(default_factory=dict)  # id by reference
    repeated: int = 0
    _key: str = ""
    _http: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=10))
    _over: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None
    error: BaseException | None = None

    def open(self) -> None:
        """Gets a key, registers everybody and asks for webhooks."""
        with self.house.runtime() as rt, rt.unit() as unit:
            scopes = [keys.Scope.REGISTRY, keys.Scope.PROVIDER, keys.Scope.AUDITOR]
            _, self._key = keys.add(unit.tx, "storm", scopes, unit.now, "storm")
        people = [
            {"iin": iin_of(n), "phone": phone_of(n), "language": "kk", "registered_at": REGISTERED}
            for n in range(self.many)
        ]
        consents = [
            {"iin": p["iin"], "purpose": "personal-data", "reference": f"c-{p['iin']}",
             "given_at": REGISTERED}
            for p in people
        ]  # fmt: skip
        told = self.call("POST", "/v1/registry/recipients", {"recipients": people})
        assert told == {"accepted": self.many, "rejected": []}, told
        told = self.call("POST", "/v1/registry/consents", {"consents": consents})
        assert told == {"accepted": self.many, "rejected": []}, told
        body = {"url": self.hook.url, "events": ["*"], "secret": SECRET}
        self.call("POST", "/v1/webhooks", body, "hook")

    def start(self, seconds: float) -> None:
        """Makes the offers, spread over so many seconds, and reports on those accepted."""

        def work() -> None:
            try:
                self._work(seconds)
            except BaseException as error:
                self.error = error

        self._thread = threading.Thread(target=work)
        self._thread.start()

    def _work(self, seconds: float) -> None:
        begun, made = time.monotonic(), 0
        rendered: set[str] = set()
        while made < self.many or not self._over.is_set():
            if made < self.many and time.monotonic() - begun >= seconds * made / self.many:
                self._offer(range(made, min(made + AT_ONCE, self.many)))
                made += AT_ONCE
            fresh = sorted(self.hook.accepted() - rendered)
            with ThreadPoolExecutor(REPORTING) as pool:
                list(pool.map(self._report, fresh))
            rendered.update(fresh)
            self._over.wait(0.1)

    def _report(self, offer: str) -> None:
        self.call("POST", f"/v1/offers/{offer}/result", {"result": "rendered"}, offer)

    def _offer(self, numbers: Sequence[int]) -> None:
        rows = [{"service": SERVICE, "iin": iin_of(n), "reference": f"r-{n}"} for n in numbers]
        key = f"batch-{numbers[0]}"
        told = self.call("POST", "/v1/offer-batches", {"offers": rows}, key)
        assert told["accepted"] == len(rows), told

    def finish(self) -> None:
        """Every yes that was heard of has been reported on."""
        self._over.set()
        if self._thread is not None:
            self._thread.join()
        self._http.close()
        if self.error is not None:
            raise self.error

    def call(self, method: str, path: str, body: object = None, key: str = "") -> Any:
        """One call, repeated until the web process lives and has answered it."""
        headers = {"Authorization": f"Bearer {self._key}"}
        if key:
            headers["Idempotency-Key"] = key
        end = time.monotonic() + PATIENCE_S
        while True:
            try:
                answer = self._http.request(
                    method, self.house.url + path, json=body, headers=headers
                )
                if answer.status_code < 429:
                    assert answer.is_success, f"{path}: {answer.status_code} {answer.text}"
                    return answer.json() if answer.content else None
            except httpx.TransportError:
                pass
            assert self.house.process is not None and self.house.process.poll() is None, "it ended"
            assert time.monotonic() < end, f"{path} was not answered in {PATIENCE_S} s"
            self.repeated += 1
            time.sleep(AGAIN_S)

    def states(self) -> dict[str, str]:
        """By reference, the state of every offer."""
        found: dict[str, str] = {}
        cursor = ""
        while True:
            page = self.call("GET", f"/v1/offers?limit=200{cursor}")
            for offer in page["items"]:
                found[offer["reference"]] = offer["state"]
                self.offers[offer["reference"]] = offer["id"]
            if not page.get("next"):
                return found
            cursor = f"&cursor={page['next']}"

    def until_closed(self, seconds: float) -> dict[str, str]:
        """Waits until every offer has its outcome and every accepted one its result."""
        known: dict[str, str] = {}

        def is_over() -> bool:
            known.update(self.states())
            open_ = {"made", "sent", "awaiting", "accepted"}
            return len(known) == self.many and not open_ & set(known.values())

        try:
            until(is_over, seconds, "every offer has its outcome", every=2)
        except AssertionError as error:
            left = {r: s for r, s in known.items() if s in ("made", "sent", "awaiting", "accepted")}
            some = dict(list(left.items())[:10])
            found = f"{len(known)} offers, {len(left)} open, such as {some}"
            raise AssertionError(f"{error}: {found}") from self.error
        return known
