"""Logs without people in them: JSON lines on stderr, where phones, IINs and accounts are masked.

The mask looks at every value of every line, whoever logged it, exceptions and other libraries too.
"""

import logging
import re
import sys
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from datetime import date, datetime
from types import TracebackType
from typing import Any, TextIO
from uuid import UUID

import msgspec
import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

MASK = "•••"
MESSAGES = "messages"

# An id is left whole; then accounts (KZ, two digits, 16 more: ISO 13616), phones as people write
# them, and any run of 11 digits or more: a phone, an IIN, a card.
_PEOPLE = re.compile(
    r"(?P<id>\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b)"
    r"|KZ\d{2}(?:[ ]?[0-9A-Z]){16}"
    r"|\+7(?:[\s()-]*\d){10}"
    r"|(?<!\d)[78][\s(-]+[67]\d\d(?:[\s()-]*\d){7}(?!\d)"
    r"|(?<!\d)(?<!\d\.)\d{11,}",
    re.IGNORECASE,
)
_PLAIN = (bool, float, type(None))


def masked(text: str) -> str:
    """`text` without what looks like a phone, an IIN or an account."""
    return _PEOPLE.sub(lambda match: match["id"] or MASK, text)


def _masked_value(value: Any) -> Any:
    if isinstance(value, _PLAIN):
        return value
    if isinstance(value, int):
        return value if abs(value) < 10**10 else masked(str(int(value)))
    if isinstance(value, str):
        return masked(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, Mapping):
        return {masked(str(key)): _masked_value(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_masked_value(inner) for inner in value]
    return masked(repr(value))


def mask(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """The processor; it stands last before the renderer, after exceptions have become text."""
    return {key: _masked_value(value) for key, value in event.items()}


# They tell every address they call, and that of a webhook may carry its provider's secret.
TALKATIVE = ("httpx", "httpcore")


def configure(
    process: str = "jauap",
    *,
    level: int = logging.INFO,
    stream: TextIO | None = None,
    json: bool | None = None,
) -> None:
    """Sets up structlog and the standard `logging` for this process, once, at its start.

    `stream` is stderr unless given; `json` None writes JSON unless the stream is a terminal.
    """
    out = sys.stderr if stream is None else stream
    as_json = not out.isatty() if json is None else json
    shared: list[Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        _named(process),
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )
    handler = Plain(out) if as_json else logging.StreamHandler(out)
    handler.setFormatter(_formatter(shared, as_json))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in TALKATIVE:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))
    sys.excepthook = _uncaught


def tells(logger: str) -> bool:
    """Whether this logger's lines are written at all: the level is info or lower."""
    return logging.getLogger(logger).isEnabledFor(logging.INFO)


def tells_messages() -> bool:
    """The same for lines of single messages."""
    return tells(MESSAGES)


def tell_messages(lines: Sequence[Mapping[str, object]], logger: str = MESSAGES) -> None:
    """Writes lines that are known to hold nothing personal, all at once and without looking at
    every value: there may be thousands a second. On a terminal they look like any other."""
    plain = [h for h in logging.getLogger().handlers if isinstance(h, Plain)]
    if not plain:
        for line in lines:
            structlog.get_logger(logger).info(**line)
        return
    usual = {"level": "info", "logger": logger}
    text = b"\n".join(msgspec.json.encode({**usual, **line}) for line in lines).decode()
    for handler in plain:
        handler.write(text + "\n" if text else "")


class Plain(logging.StreamHandler[TextIO]):
    """Writes JSON lines; whole ones may be handed to it too."""

    def write(self, text: str) -> None:
        """Writes lines that are ready."""
        with self.lock or nullcontext():
            self.stream.write(text)
            self.flush()


def _formatter(shared: list[Processor], as_json: bool) -> structlog.stdlib.ProcessorFormatter:
    renderer: Processor = (
        structlog.processors.JSONRenderer(ensure_ascii=False, sort_keys=True)
        if as_json
        else structlog.dev.ConsoleRenderer(pad_event_to=28)
    )
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[*shared, structlog.stdlib.PositionalArgumentsFormatter()],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.StackInfoRenderer(),
            structlog.processors.format_exc_info,
            mask,
            renderer,
        ],
    )


def _named(process: str) -> Processor:
    def add(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
        event.setdefault("process", process)
        return event

    return add


def _uncaught(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """What would go to stderr unmasked goes to the log."""
    if issubclass(kind, KeyboardInterrupt):
        return
    structlog.get_logger("uncaught").critical(str(kind.__name__), exc_info=(kind, error, trace))
