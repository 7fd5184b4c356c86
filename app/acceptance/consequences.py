"""What the values of a bind mean for people, said before the first of them is asked.

Pure: binds to sentences. None of it is a fault; each is something that an engineer should know.
"""

from collections.abc import Sequence
from ipaddress import ip_address

from smpp.binds import Bind


def of_bind(bind: Bind) -> list[str]:
    """What is notable about one bind."""
    found: list[str] = []
    if not bind.receipts:
        found.append(
            "receipts = false: without receipts no reply window ever starts, so offers are refused "
            "on this bind; only answers and notices leave by it"
        )
    elif not bind.receipt_time_zone:
        found.append(
            'receipt_time_zone = "": the 24 hours count from a receipt\'s arrival, which is never '
            "earlier than the handset's"
        )
    if bind.long_message in ("sar", "payload"):
        found.append(
            f'long_message = "{bind.long_message}": many SMSCs ignore it without an error, and the '
            "handset gets pieces or half a text; let the echo send three segments first"
        )
    if bind.tls is None and _is_public(bind.host):
        found.append(
            "tls = false to a public address: passwords and people's answers travel readable; a "
            "VPN or TLS is expected"
        )
    if bind.tls is not None and bind.tls.pin_sha256 and bind.tls.ca is None:
        found.append("tls.pin_sha256 without tls.ca: when the network renews its certificate, "
                     "the bind ends until the pin is changed")  # fmt: skip
    if bind.validity_period > 86_400:
        found.append(
            f"validity_period = {bind.validity_period}: a question may turn up after its day"
        )
    if bind.enquire_link_interval + bind.response_timeout > 120:
        found.append(
            "enquire_link_interval + response_timeout: a dead link is found only after "
            f"{bind.enquire_link_interval + bind.response_timeout:g} s"
        )
    return found


def of_networks(binds: Sequence[Bind]) -> list[str]:
    """What is notable about the binds of each network together."""
    found: list[str] = []
    for network in sorted({b.network for b in binds}):
        kinds = {b.bind for b in binds if b.network == network}
        if kinds == {"transmitter"}:
            found.append(f"{network}: only transmitters, so no answer and no receipt ever comes")
        if kinds == {"receiver"}:
            found.append(f"{network}: only receivers, so nothing can be sent")
    return found


def _is_public(host: str) -> bool:
    try:
        return ip_address(host).is_global
    except ValueError:
        return False  # a name may lead anywhere
