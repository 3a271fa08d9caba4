"""What two audio lines agree on, whichever of them is the offer (RFC 3264 6 and 7)."""

from __future__ import annotations

from dataclasses import replace

from rapida_tw.wire.sdp import Agreed, Keys, Media
from rapida_tw.wire.sdp_address import reachable, rtcp, unspecified
from rapida_tw.wire.sdp_codecs import EVENT, NOISE, event_for, formats, is_audio, key
from rapida_tw.wire.sdp_crypto import encrypted, lines

_PACKET_TIMES = (10, 20, 30, 40, 60)  # ms
_DIRECTIONS = {
    (True, True): "sendrecv",
    (True, False): "sendonly",
    (False, True): "recvonly",
    (False, False): "inactive",
}


def flows(media: Media) -> tuple[bool, bool]:
    """Whether its writer sends, and whether it wants to hear."""
    sends = media.direction in ("sendrecv", "sendonly")
    hears = media.direction in ("sendrecv", "recvonly") and not unspecified(media.host)
    return sends, hears


def mirrored(theirs: Media) -> str:
    """The direction that answers theirs when we want both (RFC 3264 6.1)."""
    sends, hears = flows(theirs)
    return _DIRECTIONS[hears, sends]


def packet_time(theirs: Media) -> int:
    """Milliseconds a packet, as they like it and as we can."""
    longest = theirs.number("maxptime") or _PACKET_TIMES[-1]
    liked = theirs.number("ptime")
    if liked in _PACKET_TIMES and liked <= longest:
        return liked
    return 20 if longest >= 20 else 10


def agree(ours: Media, theirs: Media) -> Agreed | None:
    """None: no audio codec in common, not the same kind of profile, or no keys.

    Of several codecs that are left they have chosen the first. We send with their numbers and hear
    ours: an answer may give its own (RFC 3264 6.1).
    """
    secure = encrypted(ours.transport)
    keys = _keys(ours, theirs) if secure else None
    if secure is None or encrypted(theirs.transport) != secure or (secure and keys is None):
        return None
    mine = formats(ours)
    common = {key(one) for one in mine.values()}
    chosen = [one for one in formats(theirs, mine).values() if key(one) in common]
    codec = next((one for one in chosen if is_audio(one)), None)
    if codec is None:
        return None

    meanings = {key(one): one for one in reversed(mine.values())}
    left = {key(one) for one in chosen}
    receive = {number: one for number, one in mine.items() if key(one) in left}
    for one in chosen:
        # Who answers with another number may well send with it, too.
        if one.payload_type not in mine:
            number = one.payload_type
            receive[number] = replace(meanings[key(one)], payload_type=number)
    noise = next((one for one in chosen if one.name == NOISE and one.rate == codec.rate), None)
    mux = ours.value("rtcp-mux") is not None and theirs.value("rtcp-mux") is not None
    host = reachable(theirs.host, ours.host)
    rtcp_host, rtcp_port = (host, theirs.port) if mux else rtcp(theirs, host, ours.host)
    we_send, we_hear = flows(ours)
    they_send, they_hear = flows(theirs)
    return Agreed(
        codec=codec,
        receive={number: one for number, one in receive.items() if is_audio(one)},
        host=host,
        port=theirs.port,
        rtcp_host=rtcp_host,
        rtcp_port=rtcp_port,
        event=event_for(codec, chosen),
        comfort_noise=noise.payload_type if noise is not None else None,
        rtcp_mux=mux,
        sends=we_send and they_hear,
        hears=we_hear and they_send,
        ptime=packet_time(theirs),
        keys=keys,
        receive_events={number: one for number, one in receive.items() if one.name == EVENT},
    )


def _keys(ours: Media, theirs: Media) -> Keys | None:
    """Of the lines with the same tag and suite (RFC 4568 5.1.2, 5.1.3); an answer has one."""
    mine = {(one.tag, one.suite): one.key for one in lines(ours)}
    for one in lines(theirs):
        if (one.tag, one.suite) in mine:
            return Keys(one.suite, mine[one.tag, one.suite], one.key)
    return None
