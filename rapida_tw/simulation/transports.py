"""The ways over which a story can be told: carriers' media sockets, SIP, each in all its forms."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from rapida_tw.sim.asterisk import Dialplan
from rapida_tw.sim.carrier import FakeCarrier
from rapida_tw.sim.chan_websocket import ChanWebSocketCall, DialString, Way
from rapida_tw.sim.exotel import ExotelCall, Flow
from rapida_tw.sim.exotel_media import MULAW_8K, PCM_8K, PCM_16K, Profile
from rapida_tw.sim.farm import CARRIERS, Callee
from rapida_tw.sim.sip_manner import SipManner
from rapida_tw.sim.vonage import Application, VonageCall

AUDIOSOCKET = "audiosocket"  # Asterisk over TCP: the way without HTTP


@dataclass(frozen=True, slots=True)
class Transport:
    """A carrier in one of its forms. `options`: of the phone deployment.

    `one_frame_a_record`: its client reads TLS as sim/tls_records.py says.
    """

    carrier: str
    call: Callable[[Callee], FakeCarrier]
    options: Mapping[str, Any] = field(default_factory=dict)
    one_frame_a_record: bool = False


def _events(callee: Callee, carrier: str) -> str:
    """The one address of all its calls' events, as a carrier's console has it."""
    return callee.webhook(carrier).replace("/call/", "/event/", 1)


def _vonage(rate: int) -> Transport:
    def call(callee: Callee) -> FakeCarrier:
        return VonageCall(Application(callee.webhook("vonage"), "POST", _events(callee, "vonage")))

    return Transport("vonage", call, {"sample_rate": str(rate)})


def _exotel(profile: Profile, **options: Any) -> Transport:
    strict = options.get("strict_chunks") == "true"

    def call(callee: Callee) -> FakeCarrier:
        events = _events(callee, "exotel")
        flow = Flow(callee.webhook("exotel"), events, events, profile, strict)
        return ExotelCall(flow)

    return Transport("exotel", call, options)


def _asterisk(dial: DialString) -> Transport:
    def call(callee: Callee) -> FakeCarrier:
        plan = Dialplan(callee.url, callee.assistant_id, callee.api_key, caller=callee.caller)
        return ChanWebSocketCall(plan, dial)

    return Transport("asterisk", call, one_frame_a_record=True)


TRANSPORTS: Mapping[str, Transport] = {
    "twilio": Transport("twilio", CARRIERS["twilio"]),
    "vonage-8k": _vonage(8_000),
    "vonage-16k": _vonage(16_000),
    "vonage-24k": _vonage(24_000),
    "exotel-pcm": _exotel(PCM_8K),
    "exotel-mulaw": _exotel(MULAW_8K),
    "exotel-16k": _exotel(PCM_16K, sample_rate="16000"),
    "exotel-strict": _exotel(PCM_8K, strict_chunks="true"),
    "asterisk-ulaw": _asterisk(DialString(tells=True)),
    "asterisk-slin16": _asterisk(DialString("slin16", plain=True)),
    "asterisk-path": _asterisk(DialString("slin", way=Way.PATH, subprotocols=())),
    "asterisk-variable": _asterisk(DialString("alaw", way=Way.VARIABLE, early=3)),
    "plivo": Transport("plivo", CARRIERS["plivo"]),
    "telnyx": Transport("telnyx", CARRIERS["telnyx"]),
}

# Phones that call by SIP, and what each of them is like.
SIP: Mapping[str, SipManner] = {
    "sip": SipManner(),
    "sip-g722": SipManner(("G722",)),
    "sip-l16": SipManner(("L16",)),
    "sip-digest": SipManner(("PCMA", "PCMU"), digest="SHA-256"),
    "sip-late-offer": SipManner(("PCMU", "PCMA"), late_offer=True),
}
