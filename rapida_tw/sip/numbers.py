"""Whom a call goes to: what may be dialled through a trunk, and what never gets into a header."""

from __future__ import annotations

import re
from collections.abc import Collection

from rapida_tw.errors import BadRequest, RemoteProtocolError
from rapida_tw.wire.sip_uri import SipUri

LONGEST = 64  # characters; of an E.164 number 15 digits

_SEPARATORS = re.compile(r"[ ().\-/]")
_LOOKS_LIKE_NUMBER = re.compile(r"\+?[0-9 ().\-/]{1,64}")
# A user part without what begins parameters, a password or another host (RFC 3261 25.1).
_USER = re.compile(rf"\+?[A-Za-z0-9_.!~*'#-]{{1,{LONGEST}}}")


def sip_user(text: str) -> str:
    """A number without its separators, or the user part of an address; `ValueError`."""
    text = text.strip()
    if _LOOKS_LIKE_NUMBER.fullmatch(text):
        text = _SEPARATORS.sub("", text)
    if not _USER.fullmatch(text) or not re.search(r"[A-Za-z0-9*#]", text):
        raise ValueError(f"must be a number, or a user name of at most {LONGEST} characters")
    return text


def callee(number: str, hosts: Collection[str]) -> str:
    """The user part to dial: of a number, of tel:, or of a SIP URI on one of `hosts`.

    `BadRequest`: there is nothing to dial in it, or it is somebody else's: whoever has a trunk's
    password must not be had to call any host at all.
    """
    text = number.strip()
    try:
        if text[:4].lower() not in ("sip:", "tel:") and text[:5].lower() != "sips:":
            return sip_user(text)
        uri = SipUri.parse(text)
        if uri.scheme != "tel" and uri.host not in hosts:
            raise ValueError("must be on the trunk's own host")
        if uri.password is not None or uri.headers:
            raise ValueError("must have neither a password nor headers")
        return sip_user(uri.user)
    except ValueError as error:
        raise BadRequest(f"what is to be dialled {error}") from None
    except RemoteProtocolError as error:
        raise BadRequest(f"what is to be dialled is no address: {error}") from None
