"""Which requests outside of a dialog are refused by the look of them (RFC 3261 8.2.1 to 8.2.3)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from rapida_tw.errors import RemoteProtocolError
from rapida_tw.sip.counters import KNOWN_METHODS
from rapida_tw.sip.parties import uri_of
from rapida_tw.sip.settings import EXTENSIONS, METHODS
from rapida_tw.wire.sip_message import Request
from rapida_tw.wire.sip_timer import SHORTEST, SessionTimer

ALLOW = ", ".join((*METHODS, "REGISTER"))
SDP = "application/sdp"
_TAKEN = ("INVITE", "OPTIONS", "REGISTER")
_IN_DIALOG = ("BYE", "INFO", "UPDATE", "PRACK", "NOTIFY")
_SCHEMES = ("sip", "sips")


@dataclass(frozen=True, slots=True)
class Refusal:
    """A final response, and what it must tell."""

    status: int
    headers: tuple[tuple[str, str], ...] = ()
    phrase: str = ""


def refusal(request: Request, extensions: Collection[str] = EXTENSIONS) -> Refusal | None:
    """Of a request without To tag; None: it may go on."""
    method = request.method
    if method in _IN_DIALOG:
        return Refusal(481)
    if method not in _TAKEN:
        return Refusal(405 if method in KNOWN_METHODS else 501, (("Allow", ALLOW),))
    try:
        scheme = uri_of(request).scheme
    except RemoteProtocolError as error:
        return Refusal(400, (), f"Request-URI: {error}")
    if scheme not in _SCHEMES:
        return Refusal(416)
    unknown = [
        option for option in request.headers.values("Require") if option.lower() not in extensions
    ]
    if unknown:
        return Refusal(420, (("Unsupported", ", ".join(unknown)),))
    return _of_invite(request) if method == "INVITE" else None


def _of_invite(request: Request) -> Refusal | None:
    if "Replaces" in request.headers:
        return Refusal(481)  # of a dialog that is not ours (RFC 3891 3)
    if SessionTimer().refuses(request):
        return Refusal(422, (("Min-SE", str(SHORTEST)),))
    return _of_body(request)


def _of_body(request: Request) -> Refusal | None:
    """A body that we must understand and do not."""
    if not request.body:
        return None
    disposition = request.headers.get("Content-Disposition").lower().replace(" ", "")
    if "handling=optional" in disposition:
        return None
    encodings = request.headers.tokens("Content-Encoding") - {"identity", ""}
    if encodings:
        return Refusal(415, (("Accept-Encoding", "identity"),))
    if not request.sdp:
        return Refusal(415, (("Accept", SDP),))
    return None
