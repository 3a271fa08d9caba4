"""A phone's side of offer and answer (RFC 3264): what it describes, what it makes of theirs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

from rapida_tw.sim import sip_sdp
from rapida_tw.sim.sip_manner import SipManner
from rapida_tw.sim.sip_media import SipMedia, Spoken
from rapida_tw.sim.sip_sound import CODECS


class Offers:
    """Of one call. `direction` and `codecs` are what the next description says."""

    def __init__(
        self,
        host: str,
        media: SipMedia,
        manner: SipManner,
        session_id: int,
        complaints: Counter[str],
    ) -> None:
        self.direction = manner.direction
        self.codecs = manner.codecs
        self._host = manner.inside or host
        self._media = media
        self._manner = manner
        self._session_id = session_id
        self._complaints = complaints
        self._local = b""
        self._remote = b""

    def describe(self, answering: sip_sdp.Audio | None = None) -> bytes:
        """What we say now; o= goes on when the rest is another (8).

        To an offer, what we wish is said as far as it is an answer (6.1).
        """
        direction = self.direction
        if answering is not None and direction not in sip_sdp.ANSWERS[answering.direction]:
            direction = sip_sdp.MIRRORED[answering.direction]
        before = sip_sdp.read(self._local) if self._local else None
        version = before.version if before else 1
        for _ in range(2):
            text = sip_sdp.write(
                self._host,
                self._media.port,
                self.codecs,
                session_id=self._session_id,
                version=version,
                direction=direction,
                ptime=self._manner.ptime,
                events=self._manner.events,
                answering=answering,
            )
            if before is None or sip_sdp.read(text).rest == before.rest:
                break
            version = before.version + 1
        self._local = text
        hears = direction in ("sendrecv", "recvonly")
        self._media.offering(sip_sdp.read(text).audio.formats, hears)
        return text

    def answer(self, offer: bytes) -> bytes:
        """To theirs; b"" when there is nothing in common."""
        try:
            audio = sip_sdp.read(offer).audio
            self._complain(*sip_sdp.offer_complaints(offer))
            text = self.describe(audio)
            self._use(offer, sip_sdp.read(text).audio)
        except sip_sdp.BadDescription as error:
            self._complain(str(error))
            return b""
        return text

    def agree(self, answer: bytes) -> None:
        """Theirs, to our offer."""
        try:
            self._complain(*sip_sdp.complaints(self._local, answer))
            self._use(answer, sip_sdp.read(self._local).audio)
        except sip_sdp.BadDescription as error:
            self._complain(str(error))

    def _use(self, theirs: bytes, mine: sip_sdp.Audio) -> None:
        if self._remote:
            self._complain(*sip_sdp.version_complaints(self._remote, theirs))
        self._remote = theirs
        audio = sip_sdp.read(theirs).audio
        both = [number for number in audio.formats if number in mine.formats]
        for number in both:
            codec = CODECS.get(audio.map(number).partition("/")[0])
            if codec is not None and codec.map == audio.map(number):
                break
        else:
            raise sip_sdp.BadDescription(f"no codec of ours in {audio.formats}")
        event, event_clock = _event(audio, both, codec.clock)
        self._media.use(
            Spoken(
                replace(codec, number=number),
                frozenset(both),
                event,
                event_clock,
                (audio.host, audio.port),
                self._manner.ptime,
                mine.ptime,
                "send" in mine.direction and audio.direction in ("sendrecv", "recvonly"),
                mine.direction in ("sendrecv", "recvonly") and "send" in audio.direction,
            )
        )

    def _complain(self, *reasons: str) -> None:
        self._complaints.update(reasons)


def _event(audio: sip_sdp.Audio, numbers: Iterable[int], clock: int) -> tuple[int | None, int]:
    """telephone-event with the codec's clock, else with the one that there is."""
    there = {audio.map(each).partition("/"): each for each in numbers}
    clocks = {int(of): each for (name, _, of), each in there.items() if name == sip_sdp.EVENT}
    for each in (clock, *clocks):
        if each in clocks:
            return clocks[each], each
    return None, clock
