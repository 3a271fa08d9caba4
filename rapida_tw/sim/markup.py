"""The XML with which a server answers Twilio, Plivo and Telnyx: `<Response>` and what it says."""

from __future__ import annotations

from urllib.parse import urlsplit
from xml.etree import ElementTree

from rapida_tw.sim.http import HttpAnswer
from rapida_tw.sim.phone import CallFailed

_TYPES = ("text/xml", "application/xml")


def read_response(answer: HttpAnswer) -> ElementTree.Element:
    """The `<Response>` of an answer; `CallFailed` says what it is else."""
    if not 200 <= answer.status < 300:
        raise CallFailed(f"the webhook got {answer.reason}")
    if answer.content_type not in _TYPES:
        raise CallFailed(f"the answer is {answer.content_type or 'of no type'} and not XML")
    try:
        root = ElementTree.fromstring(answer.body)
    except ElementTree.ParseError as error:
        raise CallFailed(f"the answer is no XML: {error}") from None
    if root.tag != "Response":
        raise CallFailed(f"the answer is <{root.tag}> and not <Response>")
    return root


def no_stream(response: ElementTree.Element, say: str) -> CallFailed:
    """The call ends before there is a stream; what the caller hears by `<say>` is told."""
    said = " ".join((verb.text or "").strip() for verb in response.iter(say))
    return CallFailed(f"the answer ends the call: {said or 'without a word'}")


def check_media_url(url: str, *, tls: bool) -> None:
    """`CallFailed` for what no carrier dials. `tls` False takes ws as well as wss."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        raise CallFailed(f"the stream's URL {url!r} is malformed") from None
    if parts.scheme not in (("wss",) if tls else ("wss", "ws")):
        raise CallFailed(f"the stream's URL {url!r} is not wss")
    if not parts.hostname:
        raise CallFailed(f"the stream's URL {url!r} has no host")


def callback(element: ElementTree.Element, url: str, method: str) -> tuple[str, str]:
    """The address and the method in those two attributes; "" where nobody is to be told."""
    address, how = element.get(url, ""), element.get(method, "POST").upper()
    if address and urlsplit(address).scheme not in ("http", "https"):
        raise CallFailed(f"{url} {address!r} is no absolute URL")
    if how not in ("GET", "POST"):
        raise CallFailed(f"{method} {how!r}")
    return address, how
