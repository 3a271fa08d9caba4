"""What REFER and its NOTIFYs carry (RFC 3515, RFC 3420): a target, and how the way to it goes."""

from __future__ import annotations

import re

from rapida_tw.errors import LocalProtocolError, RemoteProtocolError
from rapida_tw.wire.sip_uri import Address, SipUri

FRAGMENT = "message/sipfrag;version=2.0"
LONGEST = 512  # characters of a target

_STATUS = re.compile(
    rb"SIP/2\.0[ \t]+([1-6][0-9]{2})(?![0-9])[ \t]*([^\r\n]{0,120})", re.IGNORECASE
)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\ud800-\udfff]")
_SCHEME = re.compile(r"(?:sips?|tel):", re.IGNORECASE)
_NUMBER = re.compile(r"\+?[0-9*#A-Da-d]{1,32}")
# As a dialplan's extension may be called. Without a dot, which would make it look like a host.
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,63}")
_SEPARATORS = re.compile(r"[ ().\-/]")  # people write them, RFC 3966 calls them visual


def target(text: str, host: str, port: int | None = None) -> SipUri:
    """Where a call is to go: a sip:, sips: or tel: URI as it is, or a number or name at `host`.

    `LocalProtocolError` when it is none of these, also for what would break out of a header.
    """
    text = text.strip(" ")
    if len(text) > LONGEST:
        raise LocalProtocolError("the target is too long")
    if _CONTROL.search(text):
        raise LocalProtocolError("the target has control characters")
    if _SCHEME.match(text):
        try:
            uri = SipUri.parse(text)
        except RemoteProtocolError as error:
            raise LocalProtocolError(f"the target is no URI: {error}") from None
        if any(_CONTROL.search(part) for header in uri.headers for part in header):
            raise LocalProtocolError("the target has control characters")
        return uri
    if _NAME.fullmatch(text):
        return SipUri(host, port, text)
    number = _SEPARATORS.sub("", text)
    if _NUMBER.fullmatch(number):
        return SipUri(host, port, number.upper())
    raise LocalProtocolError("the target is neither a number, nor a name, nor a URI")


def refer_to(uri: SipUri) -> str:
    """The value of Refer-To, always in <>: without them ; and ? would be the header's."""
    return str(Address(uri))


def fragment(status: int, phrase: str = "") -> bytes:
    """How far it is, for a NOTIFY."""
    clean = _CONTROL.sub(" ", phrase)[:100]
    return f"SIP/2.0 {status} {clean}\r\n".encode("utf-8", "replace")


def progress(body: bytes) -> tuple[int, str]:
    """Status and phrase of a NOTIFY's body; `RemoteProtocolError`."""
    found = _STATUS.match(body.lstrip(b"\r\n "))
    if found is None:
        raise RemoteProtocolError("no status line in the fragment")
    return int(found[1]), _CONTROL.sub(" ", found[2].decode("utf-8", "replace")).strip()
