"""The web process: puts the rooms' endpoints together and serves them."""

import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

import uvicorn
from starlette.applications import Starlette

from app.api import binds, events, notices, tokens, webhooks
from app.api.bulk import Bulk
from app.api.lines import Lines
from app.api.site import application
from app.api.streams import Streams
from app.api.wire import Wire
from app.proactive import api as proactive
from app.proactive.campaigns import api as campaigns
from app.proactive.citizen import api as citizens_offers
from app.proactive.making import api as making
from app.proactive.previews import api as previews
from app.proactive.reviewing import api as reviewing
from app.proactive.searching import api as searching
from app.recipients import api as recipients
from app.recipients.citizen import api as citizens
from app.rooms import open_rooms
from app.runtime import Runtime
from app.wallet.cases import api as wallet_cases
from app.wallet.consents import api as wallet_consents
from app.wallet.effects import api as wallet_effects
from app.wallet.grants import api as wallet_grants
from app.wallet.notices import api as wallet_notices
from app.wallet.systems import api as wallet_systems

ENDPOINTS = (
    *recipients.ENDPOINTS,
    *making.ENDPOINTS,
    *reviewing.ENDPOINTS,  # before offers/{id}, which would take `review` for an id
    *proactive.ENDPOINTS,
    *campaigns.ENDPOINTS,
    *previews.ENDPOINTS,
    *searching.ENDPOINTS,
    *citizens.ENDPOINTS,
    *citizens_offers.ENDPOINTS,
    *notices.ENDPOINTS,
    *wallet_notices.ENDPOINTS,
    *wallet_consents.ENDPOINTS,
    *wallet_cases.ENDPOINTS,
    *wallet_grants.ENDPOINTS,
    *wallet_effects.ENDPOINTS,
    *wallet_systems.ENDPOINTS,
    *events.ENDPOINTS,
    *webhooks.ENDPOINTS,
    *binds.ENDPOINTS,
)
DRAIN = 20  # seconds a stopping server waits for calls that are still being answered
# Seconds an idle connection is kept: longer than proxies and clients keep theirs, or they would
# send a call into one that is being closed.
KEPT = 75


class Server(uvicorn.Server):
    """A server that leaves signals to its process and says when it listens. To stop it from
    another thread, set `should_exit`."""

    def __init__(self, rt: Runtime, on_ready: Callable[[], None] = lambda: None) -> None:
        site = build(rt)
        config = uvicorn.Config(
            site,
            http=Wire,
            timeout_keep_alive=KEPT,
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            lifespan="off",
            timeout_graceful_shutdown=DRAIN,
        )
        super().__init__(config)
        self._on_ready = on_ready
        self._streams: Streams = site.state.streams
        self._bulk: Bulk = site.state.bulk
        self._lines: Lines = site.state.lines

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._on_ready()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        self._streams.close()  # they would be waited for, and never end by themselves
        self._bulk.close()
        await super().shutdown(sockets)
        self._lines.flush()


def build(rt: Runtime) -> Starlette:
    """The whole API over a runtime."""
    if not rt.rooms:
        open_rooms(rt)
    return application(rt, ENDPOINTS, tokens.of_runtime(rt.settings, rt.vault))


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens there; port 0 takes any free one. Raises OSError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.create_server((host, port), family=family, backlog=2048)


def serve(
    rt: Runtime, host: str, port: int, on_ready: Callable[[str], None] = lambda url: None
) -> None:
    """Serves until SIGTERM or SIGINT, then answers what has begun and returns. Tells `on_ready`
    the URL as soon as it listens. Raises OSError where it cannot."""
    with listen(host, port) as sock:
        bound = sock.getsockname()[1]
        shown = f"[{host}]" if ":" in host else host
        server = Server(rt, lambda: on_ready(f"http://{shown}:{bound}"))

        def stop(number: int, frame: FrameType | None) -> None:
            server.should_exit = True

        before = {s: signal.signal(s, stop) for s in (signal.SIGTERM, signal.SIGINT)}
        try:
            server.run(sockets=[sock])
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
