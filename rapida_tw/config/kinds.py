"""What one key of the configuration may hold, and the words that tell a user so.

A `Kind` reads a value as TOML gives it, or as the text of an environment variable stands for it.
It raises `ValueError` for what is not allowed; `allowed` completes the sentence "give ...".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

_SWITCH = {"true": True, "yes": True, "on": True, "1": True}
_SWITCH |= {"false": False, "no": False, "off": False, "0": False}

_LABEL = r"[a-z0-9]([a-z0-9-]*[a-z0-9])?"
_PUBLIC_HOST = re.compile(rf"({_LABEL}(\.{_LABEL})*|\[[0-9a-f:.]+\])(:[0-9]{{1,5}})?")
_ENDPOINT = re.compile(r"[a-z0-9]+:.+")


@dataclass(frozen=True, slots=True)
class Kind:
    """`read` turns a TOML value into ours; `parse` turns text into what TOML would have given."""

    allowed: str
    read: Callable[[Any], Any]
    parse: Callable[[str], Any] = str

    def from_text(self, text: str) -> Any:
        """The TOML value; text that cannot be one stays text, for `read` to refuse."""
        try:
            return self.parse(text)
        except ValueError:
            return text


def setting(default: Any, kind: Kind, *, secret: bool = False) -> Any:
    """A dataclass field for one key.

    A `secret` is kept out of every repr and may also be given as `<key>_file`, the name of a file
    that holds it.
    """
    metadata = {"kind": kind, "secret": secret}
    if isinstance(default, Mapping):
        return field(default_factory=lambda: MappingProxyType(default), metadata=metadata)
    return field(default=default, repr=not secret, metadata=metadata)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(value)
    return value


def _flag(value: Any) -> bool:
    if not isinstance(value, bool):
        raise ValueError(value)
    return value


def _parse_flag(text: str) -> Any:
    return _SWITCH.get(text.strip().lower(), text)


def _parse_number(text: str) -> Any:
    try:
        return int(text)
    except ValueError:
        return float(text)


FLAG = Kind("true or false", _flag, _parse_flag)


def whole(low: int, high: int | None = None) -> Kind:
    """A whole number in a range, both ends included."""

    def read(value: Any) -> int:
        # bool is an int to Python, and "port = true" is still a mistake.
        if type(value) is not int or value < low or (high is not None and value > high):
            raise ValueError(value)
        return value

    reach = f"of at least {low}" if high is None else f"from {low} to {high}"
    return Kind(f"a whole number {reach}", read, int)


def number(low: float = 0.0, high: float | None = None) -> Kind:
    """A number between `low` and `high`, both included."""

    def read(value: Any) -> float:
        outside = isinstance(value, bool) or not isinstance(value, int | float)
        if outside or not (low <= value and (high is None or value <= high)):
            raise ValueError(value)
        return float(value)

    bounds = f"of at least {low:g}" if high is None else f"between {low:g} and {high:g}"
    return Kind(f"a number {bounds}", read, _parse_number)


def seconds(low: float = 0.0) -> Kind:
    """A duration; whole numbers are as good as fractions."""

    def read(value: Any) -> float:
        if type(value) not in (int, float) or not low <= value < float("inf"):
            raise ValueError(value)
        return float(value)

    return Kind(f"a number of seconds, at least {low:g}", read, _parse_number)


def choice(*names: str) -> Kind:
    """One of a few words."""

    def read(value: Any) -> str:
        if value not in names:
            raise ValueError(value)
        return _text(value)

    return Kind("one of " + ", ".join(f'"{name}"' for name in names), read)


def pattern(allowed: str, check: Callable[[str], object]) -> Kind:
    """Text that `check` finds true; what `check` raises as ValueError is a no as well."""

    def read(value: Any) -> str:
        if not check(_text(value)):
            raise ValueError(value)
        return _text(value)

    return Kind(allowed, read)


def several(kind: Kind) -> Kind:
    """A list; in the environment its items are separated by commas."""

    def read(value: Any) -> tuple[Any, ...]:
        if not isinstance(value, list):
            raise ValueError(value)
        return tuple(map(kind.read, value))

    def parse(text: str) -> list[Any]:
        return [kind.from_text(item.strip()) for item in text.split(",") if item.strip()]

    return Kind(f"a list, each item {kind.allowed}", read, parse)


def table(kind: Kind) -> Kind:
    """A table of names to values; in the environment `name=value,name=value`."""

    def read(value: Any) -> Mapping[str, Any]:
        if not isinstance(value, dict):
            raise ValueError(value)
        return MappingProxyType({name: kind.read(item) for name, item in value.items()})

    def parse(text: str) -> dict[str, Any]:
        pairs = [item.partition("=") for item in text.split(",") if item.strip()]
        return {name.strip(): kind.from_text(value.strip()) for name, _, value in pairs}

    return Kind(f"a table, each value {kind.allowed}", read, parse)


def _path(value: Any) -> Path:
    if not _text(value).strip() or "\0" in value:
        raise ValueError(value)
    try:
        return Path(value).expanduser()
    except RuntimeError as error:  # "~somebody" whom this machine does not know
        raise ValueError(value) from error


def _public_host(value: Any) -> str:
    """Keep the host and port of what people paste, which is often a whole address."""
    host = re.sub(r"^[a-z]+://", "", _text(value).strip().lower()).rstrip("/")
    if host and not _PUBLIC_HOST.fullmatch(host):
        raise ValueError(value)
    return host


TEXT = pattern("text", lambda text: True)
PREFIX = pattern('the beginning of a number, such as "+4930"', re.compile(r"\+?[0-9]+").fullmatch)
NAME = pattern("a name", lambda text: text.strip())
SECRET = pattern("at least 16 characters", lambda text: not text or len(text) >= 16)
PATH = Kind("the path of a file or folder", _path)
PORT = whole(0, 65535)  # 0: any free port
ADDRESS = pattern(
    'an IP address of this machine, "0.0.0.0" for all of them, or "localhost"',
    lambda text: text == "localhost" or ip_address(text),
)
EXTERNAL_ADDRESS = pattern("an IP address, or nothing", lambda text: text == "" or ip_address(text))
NETWORK = pattern('an IP address or a network such as "10.0.0.0/8"', lambda text: ip_network(text))
PUBLIC_HOST = Kind('a host name or address, with ":port" if it needs one', _public_host)
ENDPOINT = pattern(
    'a Twisted server endpoint such as "tcp:9007" or "systemd:domain=INET:name=http", or nothing',
    lambda text: text == "" or _ENDPOINT.fullmatch(text),
)


def url(*schemes: str, optional: bool = False) -> Kind:
    """An address that begins with one of `schemes` and `://`."""
    starts = tuple(f"{scheme}://" for scheme in schemes)
    allowed = "an address that starts with " + " or ".join(starts) + ", or nothing" * optional

    def check(text: str) -> bool:
        urlsplit(text).port  # noqa: B018 - raises ValueError for a malformed host or port
        return text.startswith(starts) or (optional and text == "")

    return pattern(allowed, check)
