"""Opens the connection of a bind, with TLS where it asks for it, and says in words why it cannot.

The only place that knows sockets' and TLS's own errors; nothing of SMPP.
"""

import asyncio
import hashlib
import hmac
import socket
import ssl
import struct
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

from smpp.binds import Bind, Tls

P = TypeVar("P", bound=asyncio.Protocol)


class DialError(Exception):
    """No connection; the message is for the engineer."""


async def dial(bind: Bind, protocol: Callable[[], P]) -> P:
    """Connects within `response_timeout` and returns the protocol. Raises DialError."""
    loop = asyncio.get_running_loop()
    where = f"{bind.host}:{bind.port}"
    try:
        context = _context(bind.tls) if bind.tls else None
        async with asyncio.timeout(bind.response_timeout):
            transport, made = await loop.create_connection(
                protocol, bind.host, bind.port, ssl=context
            )
    except TimeoutError:
        raise DialError(f"no answer from {where} within {bind.response_timeout:g} s") from None
    except ssl.SSLError as error:
        raise DialError(f"TLS with {where}: {error.reason or error}") from None
    except ConnectionRefusedError:
        raise DialError(f"nothing listens at {where}") from None
    except socket.gaierror:
        raise DialError(f"the name {bind.host} is not known") from None
    except UnicodeError:
        raise DialError(f"{bind.host!r} cannot be the name of a machine") from None
    except OSError as error:
        raise DialError(f"no connection to {where}: {_words(error, bind)}") from None
    if bind.tls and bind.tls.pin_sha256 and not _is_pinned(transport, bind.tls.pin_sha256):
        transport.abort()
        raise DialError(f"TLS with {where}: the certificate is not the one of pin_sha256")
    return made


def quicken(transport: asyncio.BaseTransport) -> None:
    """Sets TCP_NODELAY: Nagle's waiting for a delayed acknowledgement costs 40 ms a message."""
    sock = transport.get_extra_info("socket")
    if sock is not None:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)


def forget(transport: asyncio.BaseTransport) -> None:
    """Lets closing reset the connection: the kernel tries nothing more of it behind our back. A
    socket that is closed already says so by OSError, or under uvloop by ValueError."""
    sock = transport.get_extra_info("socket")
    if sock is not None:
        with suppress(OSError, ValueError):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def _words(error: OSError, bind: Bind) -> str:
    """asyncio has no words for a peer that hangs up while TLS begins."""
    if not error.strerror and not str(error) and bind.tls:
        return (
            "closed during the TLS handshake (the port speaks no TLS, or the network wants our "
            "certificate)"
        )
    return error.strerror or str(error) or type(error).__name__


def _context(tls: Tls) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=str(tls.ca) if tls.ca else None)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    if tls.cert:
        context.load_cert_chain(tls.cert, tls.key)
    if tls.pin_sha256 and not tls.ca:
        # The pin says more than any authority could, and networks' certificates are their own.
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _is_pinned(transport: asyncio.BaseTransport, pin: str) -> bool:
    certificate = transport.get_extra_info("ssl_object").getpeercert(binary_form=True)
    return hmac.compare_digest(hashlib.sha256(certificate or b"").hexdigest(), pin.lower())
