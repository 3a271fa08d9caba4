"""The log: one line an event, for people or for machines, without secrets.

The only file that reads the wall clock: what needs the time of day is given `wall_clock`.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Protocol
from urllib.parse import quote

from twisted.logger import (
    FilteringLogObserver,
    ILogObserver,
    LogEvent,
    LogLevel,
    LogLevelFilterPredicate,
    formatEvent,
)
from twisted.python.failure import Failure
from zope.interface import implementer

from rapida_tw.config import Log

HIDDEN = "***"

_SECRET_NAMES = (
    r"(?:x-)?api[-_]?key|authorization|proxy-authorization|secret(?:[-_]key)?|password"
    r"|(?:account|auth)[-_]token|private[-_]key"
)
# A name as in a query, a header line, a repr of headers or JSON; then its value.
_NAMED = re.compile(
    rf"""((?:\b|_)(?:{_SECRET_NAMES})(?:['"]?\s*(?:[:=]|%3d)|['"]\s*,)\s*"""
    r"""[\[(]?\s*(?:b?['"])?(?:bearer |basic |digest )?)[^\s&'"\]),;<>]+""",
    re.IGNORECASE,
)
_SECRET_FIELD = re.compile(rf"(?:{_SECRET_NAMES}|token)", re.IGNORECASE)
_KEY = re.compile(r"\b(rpd-[\w-]{4})[\w-]{8,}")  # its beginning tells people which key it was
_PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----[^-]*")
_USERINFO = re.compile(r"(://[^\s/:@]*:)[^\s/@]+@")

# What could end a line, move a cursor or not be written as UTF-8 (lone surrogates).
_CONTROLS = (*range(32), *range(127, 160), 0x2028, 0x2029, *range(0xD800, 0xE000))
_ESCAPED = {code: repr(chr(code))[1:-1] for code in _CONTROLS}
_ESCAPED_BUT_LINES = {code: text for code, text in _ESCAPED.items() if chr(code) != "\n"}
_COLOURS = {LogLevel.warn: "33", LogLevel.error: "31", LogLevel.critical: "1;31"}
_COLOURS[LogLevel.debug] = "2"
# Twisted's HTTP client tells of the beginning and the end of each connection: several a call.
_QUIET = "twisted.web.client"

# What Twisted's older log adds to its events beside the `log_` fields: nothing of it is news.
_LEGACY_FIELDS = frozenset(("message", "time", "system", "format", "isError", "why", "failure"))


def wall_clock() -> float:
    """Seconds since the epoch, UTC; may jump. For stamps, never for waiting."""
    return time.time()


class Redactor:
    """Takes secrets out of text: those it was told, and what looks like one."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        known = {form for secret in secrets for form in (secret, quote(secret, safe=""))}
        # The longest first: a secret may begin with another one.
        longest_first = sorted(known, key=len, reverse=True)
        self._known = re.compile("|".join(map(re.escape, longest_first))) if known else None

    def __call__(self, text: str) -> str:
        if self._known is not None:
            text = self._known.sub(HIDDEN, text)
        text = _PRIVATE_KEY.sub(HIDDEN, text)
        text = _NAMED.sub(rf"\1{HIDDEN}", text)
        text = _KEY.sub(rf"\1{HIDDEN}", text)
        return _USERINFO.sub(rf"\1{HIDDEN}@", text)


class Stream(Protocol):
    """As much of a text file as the log needs; twistd's `LogFile` has no more."""

    def write(self, text: str, /) -> object: ...
    def flush(self) -> object: ...


def observer(
    settings: Log, stream: Stream, redact: Redactor, *, colour: bool = False
) -> ILogObserver:
    """What writes the events that `settings` let through to `stream`, a line each."""
    usual = LogLevel.levelWithName(settings.level)
    levels = LogLevelFilterPredicate(usual)
    if usual is LogLevel.info:
        levels.setLogLevelForNamespace(_QUIET, LogLevel.warn)
    for namespace, level in settings.levels.items():
        levels.setLogLevelForNamespace(namespace, LogLevel.levelWithName(level))
    lines = JsonLines(redact) if settings.format == "json" else TextLines(redact, colour)
    return FilteringLogObserver(Writer(lines, stream), [levels])


class TextLines:
    """`2026-11-21 07:07:50.123 info  rapida_tw.calls: text`, local time, a failure below it."""

    def __init__(self, redact: Redactor, colour: bool = False) -> None:
        self._redact = redact
        self._colour = colour

    def __call__(self, event: LogEvent) -> str:
        stamp = datetime.fromtimestamp(event["log_time"]).astimezone()
        level = event["log_level"]
        # A caller's text must not be able to write lines of its own.
        text = self._redact(formatEvent(event)).translate(_ESCAPED)
        milliseconds = stamp.microsecond // 1000
        line = (
            f"{stamp:%Y-%m-%d %H:%M:%S}.{milliseconds:03d} {level.name:<8} "
            f"{event.get('log_namespace', '-')}: {text}"
        )
        traceback = _traceback(event)
        if traceback:
            line += "\n" + self._redact(traceback).rstrip().translate(_ESCAPED_BUT_LINES)
        if self._colour and level in _COLOURS:
            line = f"\x1b[{_COLOURS[level]}m{line}\x1b[0m"
        return line + "\n"


class JsonLines:
    """One object a line: time (RFC 3339, UTC), level, logger, message, the event's fields."""

    def __init__(self, redact: Redactor) -> None:
        self._redact = redact

    def __call__(self, event: LogEvent) -> str:
        stamp = datetime.fromtimestamp(event["log_time"], UTC)
        entry = dict(self._fields(event))
        entry |= {
            "time": stamp.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": event["log_level"].name,
            "logger": event.get("log_namespace", "-"),
            "message": self._redact(formatEvent(event)),
        }
        traceback = _traceback(event)
        if traceback:
            entry["traceback"] = self._redact(traceback)
        return json.dumps(entry) + "\n"

    def _fields(self, event: LogEvent) -> Iterator[tuple[str, Any]]:
        legacy = event.get("log_namespace") == "log_legacy"
        for name, value in event.items():
            if name.startswith("log_") or (legacy and name in _LEGACY_FIELDS):
                continue
            yield name, HIDDEN if _SECRET_FIELD.search(name) else self._plain(value)

    def _plain(self, value: Any) -> Any:
        """What JSON has is kept; of everything else, its text."""
        if value is None or isinstance(value, bool | int):
            return value
        if isinstance(value, float) and abs(value) < float("inf"):
            return value
        if isinstance(value, Mapping):
            return {
                str(name): HIDDEN if _SECRET_FIELD.search(str(name)) else self._plain(item)
                for name, item in value.items()
            }
        if isinstance(value, list | tuple):
            return [self._plain(item) for item in value]
        try:
            return self._redact(str(value))
        except Exception as error:
            # A broken __str__ is a bug elsewhere; the event that shows it should still be seen.
            return f"<{type(value).__name__} without text: {type(error).__name__}>"


@implementer(ILogObserver)
class Writer:
    """Writes and flushes each line, so that the last words of a crash are there."""

    def __init__(self, lines: TextLines | JsonLines, stream: Stream) -> None:
        self._lines = lines
        self._stream = stream

    def __call__(self, event: LogEvent) -> None:
        self._stream.write(self._lines(event))
        self._stream.flush()


def _traceback(event: LogEvent) -> str:
    failure = event.get("log_failure")
    return failure.getTraceback() if isinstance(failure, Failure) else ""
