"""TwiML as Twilio reads it: as far as it comes to a bidirectional stream ("<Stream>")."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urljoin, urlsplit
from xml.etree import ElementTree

from rapida_tw.sim.http import HttpAnswer
from rapida_tw.sim.phone import CallFailed

_TYPES = ("text/xml", "application/xml")
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
    if not 200 <= answer.status < 300:
        raise CallFailed(f"11200: {answer.reason}")
    if answer.content_type not in _TYPES:
        raise CallFailed(f"12300: the TwiML is {answer.content_type or 'of no type'}")
    try:
        root = ElementTree.fromstring(answer.body)
    except ElementTree.ParseError as error:
        raise CallFailed(f"12100: {error}") from None
    if root.tag != "Response":
        raise CallFailed(f"12100: <{root.tag}> where <Response> is due")
    said = []
    for number, verb in enumerate(root):
        if verb.tag == "Say":
            said.append((verb.text or "").strip())
        elif verb.tag == "Reject" and not number:
            raise CallFailed(f"rejected: {verb.get('reason', 'rejected')}")
        elif verb.tag == "Hangup":
            break
        elif verb.tag == "Connect":
            return _stream(verb, asked, tls)
        elif verb.tag not in ("Pause", "Play", "Start"):
            raise CallFailed(f"12100: <{verb.tag}> leads to no stream")
    raise CallFailed(f"the TwiML ends the call: {' '.join(said) or 'without a word'}")


def _stream(connect: ElementTree.Element, asked: str, tls: bool) -> Stream:
    streams = connect.findall("Stream")
    if len(connect) != 1 or not streams:
        raise CallFailed("12100: <Connect> holds no single <Stream>")
    stream = streams[0]
    _check_track(stream)
    status_url = stream.get("statusCallback", "")
    if status_url and urlsplit(status_url).scheme not in ("http", "https"):
        raise CallFailed(f"statusCallback {status_url!r} is no absolute URL")
    status_method = stream.get("statusCallbackMethod", "POST").upper()
    if status_method not in ("GET", "POST"):
        raise CallFailed(f"statusCallbackMethod {status_method!r}")
    warnings = [f"12200: attribute {name!r}" for name in set(stream.attrib) - _ATTRIBUTES]
    return Stream(
        _url(stream.get("url", ""), asked, tls),
        stream.get("name", ""),
        status_url,
        status_method,
        _parameters(stream),
        tuple(sorted(warnings)),
    )


def _url(url: str, asked: str, tls: bool) -> str:
    if not url:
        raise CallFailed("31923: a stream without url")
    if "//" not in url:
        url = "ws" + urljoin(asked, url).removeprefix("http")
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise CallFailed(f"31923: {url!r}") from None
    if parts.scheme not in (("wss",) if tls else ("wss", "ws")):
        raise CallFailed(f"31922: {url!r} is not wss")
    if not parts.hostname:
        raise CallFailed(f"31923: {url!r}")
    if "?" in url or "#" in url:
        raise CallFailed(f"the query of {parts.scheme}://{parts.netloc}{parts.path} would be lost")
    return url


def _check_track(stream: ElementTree.Element) -> None:
    track = stream.get("track", "inbound_track")
    if track != "inbound_track":
        raise CallFailed(f"31941: track {track!r} in a bidirectional stream")


def _parameters(stream: ElementTree.Element) -> dict[str, str]:
    parameters = {}
    for child in stream:
        if child.tag != "Parameter":
            raise CallFailed(f"12100: <{child.tag}> in <Stream>")
        name, value = child.get("name"), child.get("value")
        if not name or value is None:
            raise CallFailed("a <Parameter> without name or value")
        if len(name) + len(value) >= _PARAMETER_LIMIT:
            raise CallFailed(f"parameter {name!r} has {len(name) + len(value)} characters")
        parameters[name] = value
    return parameters
