"""Offer and answer of one call (RFC 3264, RFC 6337), for one audio stream."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from itertools import islice

from rapida_tw.errors import RemoteProtocolError
from rapida_tw.wire.sdp import FOREVER, Agreed, Description, Media, Origin, parse
from rapida_tw.wire.sdp_address import read
from rapida_tw.wire.sdp_agreement import agree
from rapida_tw.wire.sdp_capabilities import Capabilities, answering, audio_line
from rapida_tw.wire.sdp_codecs import Numbers, rtpmaps
from rapida_tw.wire.sdp_crypto import OFFERED, Crypto, OwnKeys, encrypted, lines

__all__ = ["Capabilities", "Negotiator", "NotAcceptable"]

_MOST_USED = 16  # m-lines of an offer that are looked at


class NotAcceptable(RemoteProtocolError):
    """488: their description has nothing that we can do; the text says what they offered."""


class Negotiator:
    """Both roles of one call. What raises changes nothing: the session goes on as it was (8).

    `host`: the address that is advertised, an IP literal; `port`: of RTP, even, RTCP is the next.
    `secure`: the signalling is TLS; with SRTP optional our own offers name keys then only, and
    `answer` sets it anew. `random` gives so many bytes for a key.
    """

    def __init__(
        self,
        host: str,
        port: int,
        capabilities: Capabilities,
        session_id: int,
        random: Callable[[int], bytes] = os.urandom,
        secure: bool = False,
    ) -> None:
        self.local = b""
        self.agreed: Agreed | None = None
        self.secure = secure
        self._host, self._port = _literal(host), port
        self._capabilities = capabilities
        self._origin = Origin(session_id, 0, self._host)
        self._random = random
        self._keys = OwnKeys(random)
        self._numbers = Numbers()
        self._sent: Description | None = None  # what `local` says
        self._offered: Description | None = None  # our offer, until one of theirs is answered
        self._ours: Description | None = None  # the two that `agreed` comes from
        self._theirs = b""
        self._index = 0  # of our m-line

    def answer(self, offer: bytes, secure: bool) -> Agreed:
        """Read their offer and set `local` to the answer. `NotAcceptable`, `RemoteProtocolError`.

        The description that they have already given, with the same version, is a refresh: the
        answer is the same text as before. Many phones hold without counting the version on, so one
        that says something else is an offer.
        """
        if self.agreed is not None and self._ours is not None and offer == self._theirs:
            agreed, ours, index = self.agreed, self._ours, self._index
        else:
            theirs = parse(offer)
            agreed, line, index = self._choose(theirs)
            media = [one.refused for one in theirs.media]
            media[index] = line
            ours = Description(None, self._host, tuple(media), theirs.timing)
            self._numbers.heard(theirs.media[index])
        self.secure = secure
        self._offered = None
        self._settle(agreed, self._publish(ours), offer, index)
        return agreed

    def offer(self) -> bytes:
        """All that we can do, in both directions, as `local`.

        Also when they hold us: whether we want to hear is ours to say, and an offer asked for by
        an empty re-INVITE is how some take us back (RFC 6337 5.3).
        """
        media = [self._offering()]
        timing = FOREVER
        if self._ours is not None:
            # No line ever goes away (RFC 3264 8).
            timing, before = self._ours.timing, self._ours.media
            media = [*before[: self._index], *media, *before[self._index + 1 :]]
        self._offered = self._publish(Description(None, self._host, tuple(media), timing))
        return self.local

    def refresh(self) -> bytes:
        """Offer what is agreed on once more: the same text as long as nothing came between."""
        if self._ours is None or not self._ours.media[self._index].port:
            return self.offer()
        self._offered = self._publish(self._ours)
        return self.local

    def answered(self, answer: bytes) -> Agreed:
        """Read what they answer to our latest offer, again if it comes again; the same errors."""
        offered = self._offered
        if offered is None:
            raise RemoteProtocolError("an answer to no offer")
        theirs = parse(answer)
        media = theirs.media[self._index] if self._index < len(theirs.media) else None
        if media is None or media.kind != "audio":
            raise RemoteProtocolError("an answer without the m-line of our audio")
        agreed = agree(offered.media[self._index], media) if media.port else None
        if agreed is None:
            raise NotAcceptable(f"answered with {_said(theirs)}")
        # As an offer the same text is no refresh: what we have said was no answer to it.
        self._settle(agreed, offered, b"", self._index)
        return agreed

    def another(self, session_id: int) -> Negotiator:
        """For a dialog of its own over the same ports (after a REFER): nothing is agreed on yet."""
        capabilities, random = self._capabilities, self._random
        return Negotiator(self._host, self._port, capabilities, session_id, random, self.secure)

    def move(self, host: str, port: int) -> None:
        """Our audio is elsewhere from now on; the next description tells it, with a new key."""
        literal = _literal(host)
        if (literal, port) != (self._host, self._port):
            self._host, self._port = literal, port
            self._keys.forget()

    def _settle(self, agreed: Agreed, ours: Description, theirs: bytes, index: int) -> None:
        self.agreed, self._ours, self._theirs, self._index = agreed, ours, theirs, index
        self._keys.use(agreed.keys.suite if agreed.keys is not None else "")

    def _publish(self, ours: Description) -> Description:
        """Make it the latest text; the version counts when it says something new (5, 8)."""
        if replace(ours, origin=self._origin) != self._sent:
            self._origin = replace(self._origin, version=self._origin.version + 1)
            self._sent = replace(ours, origin=self._origin)
            self.local = self._sent.encode()
        return replace(ours, origin=self._origin)

    def _choose(self, theirs: Description) -> tuple[Agreed, Media, int]:
        """The first line that can be used, SRTP before RTP."""
        for secure in self._capabilities.profiles:
            for index, media in enumerate(theirs.media[:_MOST_USED]):
                usable = media.kind == "audio" and media.port
                if not usable or encrypted(media.transport) is not secure:
                    continue
                ours = self._answering(media)
                agreed = agree(ours, media)
                if agreed is not None:
                    return agreed, ours, index
        if self.agreed is not None and self._ended(theirs):
            return _silent(self.agreed), theirs.media[self._index].refused, self._index
        raise NotAcceptable(f"offered {_said(theirs)}")

    def _ended(self, theirs: Description) -> bool:
        """They end the stream, not the call (8.2); it may come back."""
        if any(one.port for one in theirs.media) or self._index >= len(theirs.media):
            return False
        media = theirs.media[self._index]
        return media.kind == "audio" and encrypted(media.transport) in self._capabilities.profiles

    def _answering(self, theirs: Media) -> Media:
        crypto = [
            Crypto(one.tag, one.suite, self._keys.of(one.suite))
            for one in islice(lines(theirs), 1)
            if encrypted(theirs.transport)
        ]
        codecs = self._capabilities.chosen(theirs)
        return answering(theirs, codecs, self._host, self._port, crypto)

    def _offering(self) -> Media:
        agreed = self.agreed
        secure = self._capabilities.profiles[0] and (
            self.secure or self._capabilities.srtp == "required"
        )
        transport = "RTP/SAVP" if secure else "RTP/AVP"
        if self._ours is not None:
            transport = self._ours.media[self._index].transport
        crypto: list[Crypto] = []
        if encrypted(transport):
            # The suite in use comes first, so that they need not change it.
            used = (agreed.keys.suite,) if agreed is not None and agreed.keys is not None else ()
            suites = dict.fromkeys((*used, *OFFERED))
            crypto = [Crypto(str(n), one, self._keys.of(one)) for n, one in enumerate(suites, 1)]
        noise = agreed is not None and agreed.comfort_noise is not None
        mux = agreed is not None and agreed.rtcp_mux
        codecs = list(self._numbers.assign(self._capabilities.offered(noise)))
        return audio_line(transport, codecs, self._host, self._port, "sendrecv", mux, crypto)


def _literal(host: str) -> str:
    address = read(host)
    if address is None:
        raise ValueError(f"{host!r} is no IP address")
    return str(address)


def _silent(agreed: Agreed) -> Agreed:
    nowhere = replace(agreed, host="", port=0, rtcp_host="", rtcp_port=0)
    return replace(nowhere, sends=False, hears=False, keys=None)


def _said(theirs: Description) -> str:
    """Their media in a few words, for the log and for the reason of a 488."""
    return "; ".join(_media_said(media) for media in theirs.media[:4]) or "no media"


def _media_said(media: Media) -> str:
    maps = rtpmaps(media)
    names = []
    for one in media.formats[:8]:
        mapped = maps.get(int(one)) if one.isdecimal() and len(one) <= 3 else None
        names.append(mapped[0] if mapped else one)
    port = "" if media.port else " with port 0"
    return f"{media.kind} {media.transport} {' '.join(names)}{port}"
