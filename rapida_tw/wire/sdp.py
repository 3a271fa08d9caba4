"""SDP for one audio stream (RFC 8866): what a description says, and what two of them agree on.

Read liberally: any line ends, unknown lines are passed over, and of s=, t=, o= and c= none has to
be there. Bytes that are no ASCII come back as they came.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from rapida_tw.errors import RemoteProtocolError

LONGEST = 65_536  # bytes of a description
MOST_LINES = 1_000  # more would be 100 ms of work, and a pause in all calls
MOST_MEDIA = 256  # m-lines; conferences over WebRTC have dozens
MOST_FORMATS = 128  # of an m-line: there are no more payload types

FOREVER = "0 0"  # a t= line
DIRECTIONS = ("sendrecv", "sendonly", "recvonly", "inactive")
# What a session says for all its media that do not say it themselves (RFC 8866 6).
_INHERITED = (*DIRECTIONS, "ptime", "maxptime")

_LINE_END = re.compile(r"\r\n|\n|\r")
_TOKEN = re.compile(r"[!#-'*+.0-9A-Z^-~-]{1,64}")
_MEDIA = re.compile(
    r"([!#-'*+.0-9A-Z^-~-]{1,32})[ \t]+([0-9]{1,5})(?:/[0-9]{1,5})?"
    r"[ \t]+([!#-'*+./0-9A-Z^-~-]{1,64})(?:[ \t]+(.*))?"
)
_ORIGIN = re.compile(r"([^ ]{1,255}) +([0-9]{1,20}) +([0-9]{1,20}) +IN +IP[46] +([^ ]{1,255})")
_CONNECTION = re.compile(r"IN +IP[46] +\[?([^ /\]]{1,255})\]?(?:/.*)?", re.IGNORECASE)
_TIMING = re.compile(r"[0-9]{1,20} [0-9]{1,20}")
_NUMBER = re.compile(r"[0-9]{1,9}")


@dataclass(frozen=True, slots=True)
class Codec:
    """One way of writing audio on RTP: a payload type with its rtpmap (RFC 3551, RFC 8866 6.6).

    `rate` is the clock of its timestamps in Hz; of G.722 that is 8000 although it has 16000
    samples a second.
    """

    name: str  # PCMU, PCMA, G722, L16, opus: as the registry spells it
    rate: int
    payload_type: int
    channels: int = 1
    fmtp: str = ""


@dataclass(frozen=True, slots=True)
class Keys:
    """SRTP by SDES (RFC 4568): the suite, and key with salt of each direction."""

    suite: str  # AES_CM_128_HMAC_SHA1_80 and so on
    ours: bytes = field(repr=False)
    theirs: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Agreed:
    """What an offer and its answer have agreed on, seen from our side.

    `host` is theirs, an IP literal, or "" when they gave none that can be sent to. `receive` holds
    every payload type of audio that may come; `codec` is what we send.
    """

    codec: Codec
    receive: Mapping[int, Codec]
    host: str
    port: int
    rtcp_host: str
    rtcp_port: int
    event: Codec | None = None  # telephone-event (RFC 4733)
    comfort_noise: int | None = None  # payload type (RFC 3389)
    rtcp_mux: bool = False  # RFC 5761
    sends: bool = True  # we may send audio
    hears: bool = True  # they will send audio
    ptime: int = 20  # ms a packet, as they like it
    keys: Keys | None = None
    # Payload types of telephone-event that may come; an answer may have numbers of its own.
    receive_events: Mapping[int, Codec] = field(default_factory=dict)

    @property
    def held(self) -> bool:
        """They do not want to hear us."""
        return not self.sends


@dataclass(frozen=True, slots=True)
class Media:
    """An m-line with what belongs to it; what the session says for all is told here as well."""

    kind: str  # audio, video, image, application, in lower case
    port: int  # 0: refused, or no longer there
    transport: str  # RTP/AVP and so on, as it was written
    formats: tuple[str, ...]
    host: str = ""  # of c=, as it was written, without a TTL; "": none was there
    attributes: tuple[tuple[str, str], ...] = field(default=(), repr=False)  # keys are in there

    def values(self, name: str) -> Iterator[str]:
        """All values of an attribute, the media's own first."""
        return (value for key, value in self.attributes if key == name)

    def value(self, name: str) -> str | None:
        """Its first value, "" for one that has none; None: it is not there."""
        return next(self.values(name), None)

    def number(self, name: str) -> int:
        """Its first value when that is a number, else 0."""
        value = self.value(name) or ""
        return int(value) if _NUMBER.fullmatch(value) else 0

    @property
    def direction(self) -> str:
        """One of DIRECTIONS, from the describer's side (RFC 8866 6.7)."""
        return next((name for name, _ in self.attributes if name in DIRECTIONS), "sendrecv")

    @property
    def refused(self) -> Media:
        """The line that refuses it (RFC 3264 6): port 0, and a format because one must be there."""
        return Media(self.kind, 0, self.transport, self.formats[:1] or ("0",))


@dataclass(frozen=True, slots=True)
class Origin:
    """The o= line (5.2): its version grows by one with each change of the text."""

    session_id: int
    version: int
    host: str
    user: str = "-"


@dataclass(frozen=True, slots=True)
class Description:
    """A session as one side describes it."""

    origin: Origin | None
    host: str  # of the session's c=
    media: tuple[Media, ...]
    timing: str = FOREVER  # an answer repeats the offer's (RFC 3264 6)

    def encode(self) -> bytes:
        """The text, each line ended by CRLF."""
        lines = ["v=0"]
        if self.origin is not None:
            user, host = self.origin.user, self.origin.host
            numbers = f"{self.origin.session_id} {self.origin.version}"
            lines.append(f"o={user} {numbers} IN {_family(host)} {host}")
        lines.append("s=-")
        if self.host:
            lines.append(f"c=IN {_family(self.host)} {self.host}")
        lines.append(f"t={self.timing}")
        for media in self.media:
            formats = " ".join(media.formats)
            lines.append(f"m={media.kind} {media.port} {media.transport} {formats}")
            if media.host and media.host != self.host:
                lines.append(f"c=IN {_family(media.host)} {media.host}")
            lines += (
                f"a={name}:{value}" if value else f"a={name}" for name, value in media.attributes
            )
        return ("\r\n".join(lines) + "\r\n").encode("latin-1")


def _family(host: str) -> str:
    return "IP6" if ":" in host else "IP4"


def parse(data: bytes) -> Description:
    """What `data` says; `RemoteProtocolError` when it is no SDP, or its m-lines cannot be read."""
    if len(data) > LONGEST:
        raise RemoteProtocolError(f"a description of {len(data)} bytes")
    lines = [line.strip() for line in _LINE_END.split(data.decode("latin-1"))]
    lines = [line for line in lines if line[1:2] == "="]
    if len(lines) > MOST_LINES:
        raise RemoteProtocolError(f"{len(lines)} lines")
    if not lines or lines[0] != "v=0":
        raise RemoteProtocolError("a description begins with v=0")
    starts = [at for at, line in enumerate(lines) if line[0] == "m"]
    if len(starts) > MOST_MEDIA:
        raise RemoteProtocolError(f"{len(starts)} m-lines")
    session = lines[: starts[0]] if starts else lines
    host = _connection(session)
    inherited = _inherited(session)
    ends = [*starts[1:], len(lines)]
    media = (_media(lines[at:end], host, inherited) for at, end in zip(starts, ends, strict=False))
    origin = next((_origin(line[2:]) for line in session if line[0] == "o"), None)
    timing = next((line[2:] for line in session if line[0] == "t"), "")
    return Description(origin, host, tuple(media), timing if _TIMING.fullmatch(timing) else FOREVER)


def _media(lines: list[str], host: str, inherited: tuple[tuple[str, str], ...]) -> Media:
    matched = _MEDIA.fullmatch(lines[0][2:])
    if matched is None or int(matched[2]) > 65_535:
        raise RemoteProtocolError(f"an m-line that cannot be read: {lines[0][:80]!r}")
    kind, port, transport, rest = matched.groups("")
    # The same format twice says nothing more.
    formats = dict.fromkeys(one for one in rest.split() if _TOKEN.fullmatch(one))
    return Media(
        kind.lower(),
        int(port),
        transport,
        tuple(formats)[:MOST_FORMATS],
        _connection(lines) or host,
        tuple(_attributes(lines)) + inherited,
    )


def _attributes(lines: list[str]) -> Iterator[tuple[str, str]]:
    for line in lines:
        if line[0] == "a":
            name, _, value = line[2:].partition(":")
            yield name.strip().lower(), value.strip()


def _inherited(session: list[str]) -> tuple[tuple[str, str], ...]:
    first: dict[str, str] = {}
    for name, value in _attributes(session):
        if name in _INHERITED:
            first.setdefault(name, value)
    return tuple(first.items())


def _connection(lines: list[str]) -> str:
    for line in lines:
        if line[0] == "c" and (matched := _CONNECTION.fullmatch(line[2:])):
            return matched[1]
    return ""


def _origin(text: str) -> Origin | None:
    if matched := _ORIGIN.fullmatch(text):
        return Origin(int(matched[2]), int(matched[3]), matched[4], matched[1])
    return None
