"""Descriptions of a phone, and whether the other side's are legal (RFC 8866, RFC 3264)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from rapida_tw.sim.sip_sound import CODECS, EVENTS, Codec

_LINE = re.compile(r"([a-z])=(.*)")
_ORIGIN = re.compile(r"\S+ ([0-9]+) ([0-9]+) IN IP[46] (\S+)")
_CONNECTION = re.compile(r"IN IP[46] ([0-9A-Fa-f.:]+)")
_MEDIA = re.compile(r"(\S+) ([0-9]{1,5}) (\S+)((?: \S+)+)")
_RTPMAP = re.compile(r"rtpmap:([0-9]{1,3}) (\S+)")
_STATIC = {0: "PCMU/8000", 8: "PCMA/8000", 9: "G722/8000", 13: "CN/8000"}
TYPE = "application/sdp"
EVENT = "TELEPHONE-EVENT"
MIRRORED = {
    "sendrecv": "sendrecv",
    "sendonly": "recvonly",
    "recvonly": "sendonly",
    "inactive": "inactive",
}
_DIRECTIONS = ("sendrecv", "sendonly", "recvonly", "inactive")
# What may answer each (RFC 3264 6.1).
ANSWERS = {
    "sendrecv": _DIRECTIONS,
    "sendonly": ("recvonly", "inactive"),
    "recvonly": ("sendonly", "inactive"),
    "inactive": ("inactive",),
}


class BadDescription(Exception):
    """The description breaks a rule; the text says which."""


@dataclass(slots=True)
class Audio:
    """One line m= with what belongs to it."""

    kind: str
    port: int
    profile: str
    formats: list[int]
    host: str = ""
    maps: dict[int, str] = field(default_factory=dict)  # "NAME/clock", upper case
    direction: str = "sendrecv"
    ptime: int = 20

    def map(self, number: int) -> str:
        return self.maps.get(number) or _STATIC.get(number, "")


@dataclass(slots=True)
class Description:
    """What was read. `rest`: all of it but o=, to see whether it has changed."""

    session_id: int
    version: int
    media: list[Audio]
    rest: str

    @property
    def audio(self) -> Audio:
        """The first one in use. `BadDescription`."""
        for media in self.media:
            if media.kind == "audio" and media.port:
                return media
        raise BadDescription("no audio in it")


def write(
    host: str,
    port: int,
    codecs: Sequence[str],
    *,
    session_id: int,
    version: int,
    direction: str = "sendrecv",
    ptime: int = 20,
    events: bool = True,
    answering: Audio | None = None,
) -> bytes:
    """A phone's offer; or its answer, with the numbers of the offer."""
    family = "IP6" if ":" in host else "IP4"
    chosen = [CODECS[name] for name in codecs]
    if answering is not None:
        chosen = [
            Codec(codec.name, number, codec.clock, codec.rate)
            for codec in chosen
            for number in answering.formats
            if answering.map(number) == codec.map
        ][:1]
        if not chosen:
            raise BadDescription("nothing in common")
    numbers = {codec.number: codec.map for codec in chosen}
    if events and answering is None:
        for clock in sorted({8_000, *(codec.clock for codec in chosen)}):
            numbers[EVENTS[clock]] = f"telephone-event/{clock}"
    elif events and answering is not None:
        both = [n for n in answering.formats if answering.map(n).startswith(EVENT)]
        both.sort(key=lambda n: answering.map(n) != f"{EVENT}/{chosen[0].clock}")
        numbers.update((n, answering.map(n).lower()) for n in both[:1])
    lines = [
        "v=0",
        f"o=phone {session_id} {version} IN {family} {host}",
        "s=-",
        f"c=IN {family} {host}",
        "t=0 0",
        f"m=audio {port} RTP/AVP {' '.join(map(str, numbers))}",
        *(f"a=rtpmap:{number} {name}" for number, name in numbers.items()),
        *(f"a=fmtp:{number} 0-15" for number, name in numbers.items() if "event" in name),
        f"a=ptime:{ptime}",
        f"a={direction}",
        "",
    ]
    return "\r\n".join(lines).encode()


def read(body: bytes) -> Description:
    """`BadDescription` for what a strict peer would not take."""
    text = body.decode("utf-8")
    if not text.endswith("\r\n") or text.replace("\r\n", "").count("\n"):
        raise BadDescription("a line does not end in CRLF")
    lines = []
    for line in text[:-2].split("\r\n"):
        match = _LINE.fullmatch(line)
        if match is None:
            raise BadDescription(f"line {line[:40]!r}")
        lines.append((match[1], match[2]))
    order = "".join(kind for kind, _ in lines)
    if not re.fullmatch(r"vosi?u?e?p?c?(b*)(t+r*)+z?k?a*(mi?c?b*k?a*)+", order):
        raise BadDescription(f"lines in the order {order}")
    values = dict(reversed(lines))
    origin = _ORIGIN.fullmatch(values["o"])
    if values["v"] != "0" or origin is None:
        raise BadDescription(f"v={values['v']}, o={values['o']}")
    rest = "\n".join(f"{kind}={value}" for kind, value in lines if kind != "o")
    return Description(int(origin[1]), int(origin[2]), list(_media(lines)), rest)


def _media(lines: Sequence[tuple[str, str]]) -> Iterator[Audio]:
    host, direction = "", "sendrecv"
    current: Audio | None = None
    for kind, value in lines:
        if kind == "m":
            if current is not None:
                yield current
            match = _MEDIA.fullmatch(value)
            if match is None or int(match[2]) > 65_535:
                raise BadDescription(f"m={value[:60]}")
            formats = [int(each) for each in match[4].split() if each.isdigit()]
            current = Audio(match[1], int(match[2]), match[3], formats, host, {}, direction)
        elif kind == "c":
            match = _CONNECTION.fullmatch(value)
            if match is None:
                raise BadDescription(f"c={value[:60]}")
            if current is None:
                host = match[1]
            else:
                current.host = match[1]
        elif kind == "a" and value in _DIRECTIONS:
            if current is None:
                direction = value
            else:
                current.direction = value
        elif kind == "a" and current is not None:
            if found := _RTPMAP.fullmatch(value):
                name, _, channels = found[2].upper().partition("/")
                current.maps[int(found[1])] = f"{name}/{channels.removesuffix('/1')}"
            elif value.startswith("ptime:"):
                current.ptime = int(value[6:])
    if current is not None:
        yield current


def complaints(offer: bytes, answer: bytes) -> Iterator[str]:
    """What is not legal in an answer to that offer. `BadDescription`."""
    asked, told = read(offer).media, read(answer).media
    if len(asked) != len(told):
        yield f"{len(told)} lines m= for {len(asked)}"
        return
    for theirs, ours in zip(asked, told, strict=True):
        if (theirs.kind, theirs.profile) != (ours.kind, ours.profile):
            yield f"m={ours.kind} {ours.profile} for {theirs.kind} {theirs.profile}"
        if not theirs.port and ours.port:
            yield "a refused line is back"
        if not set(ours.formats) <= set(theirs.formats):
            yield f"formats {ours.formats} of {theirs.formats}"
        for number in ours.formats:
            if ours.port and ours.map(number) != theirs.map(number):
                yield f"{number} is {ours.map(number)}, not {theirs.map(number)}"
        if ours.port and ours.direction not in ANSWERS[theirs.direction]:
            yield f"{ours.direction} to {theirs.direction}"
        if ours.port % 2:
            yield f"port {ours.port} is odd"
    yield from offer_complaints(answer)


def offer_complaints(offer: bytes) -> Iterator[str]:
    """What is not legal in any description of theirs."""
    for media in read(offer).media:
        if not media.port:
            continue
        if media.host in ("", "0.0.0.0", "::"):
            yield f"media at {media.host or 'no address'}"
        if len(set(media.formats)) != len(media.formats):
            yield f"formats {media.formats}"
        if unknown := [number for number in media.formats if not media.map(number)]:
            yield f"formats {unknown} without rtpmap"


def version_complaints(before: bytes, after: bytes) -> Iterator[str]:
    """o= counts the changes of one side's description, and nothing else (RFC 3264 8)."""
    old, new = read(before), read(after)
    if old.session_id != new.session_id:
        yield "the session has another id"
    step = new.version - old.version
    if step != (old.rest != new.rest):
        yield f"o= goes on by {step} while the rest {'has' if step == 0 else 'has not'} changed"
