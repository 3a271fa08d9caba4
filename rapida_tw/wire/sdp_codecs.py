"""Payload types: what the numbers of an m-line mean, which ones we give (RFC 3551, RFC 8866)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from rapida_tw.wire.sdp import Codec, Media

Key = tuple[str, int]  # a name in lower case and a clock rate: what a codec is, whatever its number

# What we can do with audio, by the names of `Capabilities`, each in order of preference. The
# dynamic numbers are those of our offers, unless the other side has given others.
AUDIO: Mapping[str, tuple[Codec, ...]] = {
    "PCMU": (Codec("PCMU", 8_000, 0),),
    "PCMA": (Codec("PCMA", 8_000, 8),),
    "G722": (Codec("G722", 8_000, 9),),
    # Its static types 10 and 11 are 44.1 kHz.
    "L16": (Codec("L16", 16_000, 112), Codec("L16", 8_000, 113)),
    "opus": (Codec("opus", 48_000, 111, 2, "useinbandfec=1;stereo=0"),),
}
EVENT = "telephone-event"
NOISE = "CN"
COMFORT_NOISE = Codec(NOISE, 8_000, 13)  # RFC 3389
EVENTS = (Codec(EVENT, 8_000, 101, 1, "0-15"), Codec(EVENT, 48_000, 110, 1, "0-15"))

_ALL = (
    *(codec for codecs in AUDIO.values() for codec in codecs),
    COMFORT_NOISE,
    *EVENTS,
    Codec(EVENT, 16_000, 109),  # of wideband phones that have their own clock for it
)
_KNOWN = {(codec.name.lower(), codec.rate): codec for codec in _ALL}
_DYNAMIC = range(96, 128)
# Those that need no rtpmap (RFC 3551 table 4).
_STATIC = {one.payload_type: one for one in _ALL if one.payload_type not in _DYNAMIC}

_NUMBER = re.compile(r"[0-9]{1,3}")
_RTPMAP = re.compile(
    r"([0-9]{1,3})[ \t]+([!#-'*+.0-9A-Z^-~-]{1,32})/([0-9]{1,6})(?:/([0-9]{1,2}))?"
)
_FMTP = re.compile(r"([0-9]{1,3})[ \t]+([ -~]{1,256})")
_EVENTS = re.compile(r"([0-9]{1,3})(?:-([0-9]{1,3}))?")


def key(codec: Codec) -> Key:
    return codec.name.lower(), codec.rate


def is_audio(codec: Codec) -> bool:
    return codec.name not in (EVENT, NOISE)


def payload_types(media: Media) -> Iterator[int]:
    """The formats that are payload types, in their order."""
    for written in media.formats:
        if _NUMBER.fullmatch(written) and int(written) < 128:
            yield int(written)


def rtpmaps(media: Media) -> dict[int, tuple[str, int, int]]:
    """Name in lower case, clock rate and channels (0: not said) of each payload type mapped."""
    maps: dict[int, tuple[str, int, int]] = {}
    for value in media.values("rtpmap"):
        if matched := _RTPMAP.fullmatch(value):
            said = matched[2].lower(), int(matched[3]), int(matched[4] or 0)
            maps.setdefault(int(matched[1]), said)
    return maps


def formats(media: Media, known: Mapping[int, Codec] | None = None) -> dict[int, Codec]:
    """The payload types that we understand, in their order, with their own parameters.

    `known`: what dynamic numbers mean that are not mapped: some answers repeat numbers alone.
    """
    maps = rtpmaps(media)
    parameters: dict[int, str] = {}
    for value in media.values("fmtp"):
        if matched := _FMTP.fullmatch(value):
            parameters.setdefault(int(matched[1]), matched[2])
    understood = {}
    for number in payload_types(media):
        if number in maps:
            codec = _mapped(*maps[number])
        else:
            codec = _STATIC.get(number) or (known or {}).get(number)
        if codec is not None:
            fmtp = parameters.get(number, "")
            understood[number] = replace(codec, payload_type=number, fmtp=fmtp)
    return understood


def _mapped(name: str, rate: int, channels: int) -> Codec | None:
    codec = _KNOWN.get((name, rate))
    return codec if codec is not None and channels in (0, codec.channels) else None


def event_for(codec: Codec, offered: Iterable[Codec]) -> Codec | None:
    """The telephone-event that goes with a codec: of its clock, else of 8000 (RFC 4733 2.1)."""
    events = [one for one in offered if one.name == EVENT]
    for rate in (codec.rate, 8_000):
        for event in events:
            if event.rate == rate:
                return event
    return None


def events_taken(fmtp: str) -> str:
    """Our events of those that `fmtp` names: 16 is a flash, which not everybody has."""
    for part in fmtp.split(","):
        matched = _EVENTS.fullmatch(part.strip())
        if matched and int(matched[1]) <= 16 <= int(matched[2] or matched[1]):
            return "0-16"
    return "0-15"


def attributes(codecs: Iterable[Codec]) -> Iterator[tuple[str, str]]:
    """The rtpmap and fmtp lines of payload types; one channel is not written."""
    for codec in codecs:
        channels = f"/{codec.channels}" if codec.channels > 1 else ""
        yield "rtpmap", f"{codec.payload_type} {codec.name}/{codec.rate}{channels}"
        if codec.fmtp:
            yield "fmtp", f"{codec.payload_type} {codec.fmtp}"


class Numbers:
    """What payload types have meant in a session: they never come to mean something else
    (RFC 3264 8.3.2).
    """

    def __init__(self) -> None:
        self._meanings: dict[int, Key] = {}
        self._numbers: dict[Key, int] = {}

    def heard(self, media: Media) -> None:
        """Their offer gives these numbers; those of an answer are for what we send alone."""
        given: dict[int, Key] = {n: key(codec) for n, codec in formats(media).items()}
        for number, (name, rate, _) in rtpmaps(media).items():
            if number < 128:
                given.setdefault(number, (name, rate))
        for number, meaning in given.items():
            self._means(number, meaning)
        # Of several numbers for one codec the one that is in use stays, else it is the first.
        for number, meaning in given.items():
            if given.get(self._numbers.get(meaning, -1)) != meaning:
                self._numbers[meaning] = number

    def assign(self, codecs: Iterable[Codec]) -> Iterator[Codec]:
        """The codecs with the numbers that our offer gives them, without those that find none."""
        for codec in codecs:
            meaning = key(codec)
            number = self._numbers.get(meaning)
            if number is None:
                number = self._free(codec.payload_type, meaning)
            if number is not None:
                self._means(number, meaning)
                self._numbers[meaning] = number
                yield replace(codec, payload_type=number)

    def _means(self, number: int, meaning: Key) -> None:
        before = self._meanings.get(number, meaning)
        if before != meaning and self._numbers.get(before) == number:
            del self._numbers[before]
        self._meanings[number] = meaning

    def _free(self, wanted: int, meaning: Key) -> int | None:
        candidates: tuple[int, ...] = (wanted, *_DYNAMIC)
        for number in candidates:
            if self._meanings.get(number, meaning) == meaning:
                return number
        return None
