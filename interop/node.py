"""npm's smpp as a message centre: a process of node, spoken to in JSON lines."""

import json
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.e2e.house import until

HERE = Path(__file__).parent


@dataclass(slots=True)
class NodeSmsc:
    """What node has told so far, and the orders it takes."""

    process: "subprocess.Popen[str]"
    told: list[dict[str, Any]] = field(default_factory=list)
    tags: int = 0

    def listen(self) -> None:
        """Reads what node says until it ends; on a thread of its own."""
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.told.append(json.loads(line))

    def of(self, event: str) -> list[dict[str, Any]]:
        """All events of a kind, in order."""
        return [one for one in self.told if one["event"] == event]

    def wait(self, event: str, number: int = 0, seconds: float = 60) -> dict[str, Any]:
        """The event of that number, from 0; waits for it."""
        until(
            lambda: len(self.of(event)) > number, seconds, f"{event} {number} of {self.told[-5:]}"
        )
        return self.of(event)[number]

    def order(self, what: str, **more: Any) -> None:
        """Gives an order and waits for nothing."""
        assert self.process.stdin is not None
        self.process.stdin.write(json.dumps({"do": what, **more}) + "\n")
        self.process.stdin.flush()

    def ask(self, what: str, **more: Any) -> int:
        """Gives an order that is answered; the status of the answer."""
        self.tags += 1
        tag = self.tags
        self.order(what, tag=tag, **more)
        until(lambda: self._answers(tag), 20, f"{what} is answered")
        return self._answers(tag)[0]

    def _answers(self, tag: int) -> list[int]:
        return [int(one["status"]) for one in self.of("answered") if one["tag"] == tag]

    def write(self, phone: str, text: str, *, esm_class: int = 0, header: bytes = b"") -> int:
        """An SMS from a handset in UCS-2; the status of the deliver_sm_resp."""
        octets = (header + text.encode("utf-16-be")).hex()
        return self.ask("deliver", phone=phone, esm_class=esm_class, data_coding=8, octets=octets)

    def messages(self, phone: str) -> list[str]:
        """The whole texts a handset has got, in the order in which they were complete."""
        open_: dict[str, dict[int, str]] = {}
        found: list[str] = []
        for one in [s for s in self.of("submit") if s["phone"] == phone]:
            if not one["udh"]:
                found.append(one["text"])
                continue
            *_, total, number = header = bytes.fromhex(one["udh"])
            pieces = open_.setdefault(header[:-1].hex(), {})
            pieces[number] = one["text"]
            if len(pieces) == total:
                found.append("".join(pieces[n] for n in sorted(pieces)))
                del open_[header[:-1].hex()]
        return found


@contextmanager
def node_smsc() -> Iterator[NodeSmsc]:
    """Runs for as long as the `with` lasts."""
    node = shutil.which("node")
    assert node is not None, "found no node, expected node 18 or newer on the path"
    process = subprocess.Popen(
        [node, "smsc.js"],
        cwd=HERE,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    smsc = NodeSmsc(process)
    ear = threading.Thread(target=smsc.listen, daemon=True)
    ear.start()
    try:
        smsc.wait("listening", seconds=20)
        yield smsc
    finally:
        process.terminate()
        process.communicate(timeout=10)
        ear.join(10)
