"""TwiML as Twilio reads it: as far as it comes to a bidirectional stream ("<Stream>")."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urljoin
from xml.etree import ElementTree

from rapida_tw.sim.http import HttpAnswer
from rapida_tw.sim.markup import callback, check_media_url, no_stream, read_response
from rapida_tw.sim.phone import CallFailed

_ATTRIBUTES = frozenset(("url", "name", "track", "statusCallback", "statusCallbackMethod"))
_PARAMETER_LIMIT = 500  # characters of name and value together, less than this


@dataclass(frozen=True, slots=True)
class Stream:
    """A `<Connect><Stream>`; `warnings` is what the debugger would show."""

    url: str
    name: str = ""
    status_url: str = ""
    status_method: str = "POST"
    parameters: Mapping[str, str] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()


def read_twiml(answer: HttpAnswer, asked: str, *, tls: bool = True) -> Stream:
    """The stream that the answer of the URL `asked` leads to; `CallFailed` says what it is else.

    `tls` False takes ws as well as wss.
    """
    root = read_response(answer)
    for number, verb in enumerate(root):
        if verb.tag == "Reject" and not number:
            raise CallFailed(f"the call is rejected: {verb.get('reason', 'rejected')}")
        if verb.tag == "Hangup":
            break
        if verb.tag == "Connect":
            return read_stream(verb, asked, tls=tls)
        if verb.tag not in ("Say", "Pause", "Play", "Start"):
            raise CallFailed(f"<{verb.tag}> leads to no stream")
    raise no_stream(root, "Say")


def read_stream(connect: ElementTree.Element, asked: str, *, tls: bool) -> Stream:
    """The stream of a `<Connect>`; `CallFailed` says why there is none."""
    stream = connect.find("Stream")
    if len(connect) != 1 or stream is None:
        raise CallFailed("<Connect> holds no single <Stream>")
    track = stream.get("track", "inbound_track")
    if track != "inbound_track":
        raise CallFailed(f"31941: track {track!r} in a bidirectional stream")
    url = stream.get("url", "")
    if not url:
        raise CallFailed("31923: a stream without url")
    if "//" not in url:  # relative to the document's own
        url = "ws" + urljoin(asked, url).removeprefix("http")
    check_media_url(url, tls=tls)
    if "?" in url or "#" in url:
        raise CallFailed(f"the query of the stream's URL would be lost: {url.partition('?')[0]}")
    status_url, status_method = callback(stream, "statusCallback", "statusCallbackMethod")
    warnings = sorted(f"12200: attribute {name!r}" for name in set(stream.attrib) - _ATTRIBUTES)
    return Stream(
        url,
        stream.get("name", ""),
        status_url,
        status_method,
        _parameters(stream),
        tuple(warnings),
    )


def _parameters(stream: ElementTree.Element) -> dict[str, str]:
    parameters = {}
    for child in stream:
        if child.tag != "Parameter":
            raise CallFailed(f"<{child.tag}> in <Stream>")
        name, value = child.get("name"), child.get("value")
        if not name or value is None:
            raise CallFailed("a <Parameter> without name or value")
        if len(name) + len(value) >= _PARAMETER_LIMIT:
            raise CallFailed(f"parameter {name!r} has {len(name) + len(value)} characters")
        parameters[name] = value
    return parameters
