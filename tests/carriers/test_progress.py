"""Where a placed call is, by the callbacks of its carrier, and who has answered it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from rapida_tw.carriers.base import CarrierEvent
from rapida_tw.carriers.exotel import EXOTEL
from rapida_tw.carriers.outbound import Outcome, State
from rapida_tw.carriers.plivo import PLIVO
from rapida_tw.carriers.telnyx import TELNYX
from rapida_tw.carriers.twilio import TWILIO
from rapida_tw.carriers.vonage import VONAGE
from tests.carriers.asking import CONTEXT, HOST, post, post_json

SID = "CA00000000000000000000000000000001"


def url(carrier: str) -> str:
    return f"https://{HOST}/v1/talk/{carrier}/ctx/{CONTEXT}/event"


def twilio(**fields: str) -> CarrierEvent:
    return TWILIO.read_event(post(url("twilio"), {"CallSid": SID, **fields}))


def vonage(**fields: Any) -> CarrierEvent:
    told = {"uuid": "u1", "conversation_uuid": "CON-1", "to": "15550100001", **fields}
    return VONAGE.read_event(post_json(url("vonage"), json.dumps(told).encode()))


def exotel(**fields: Any) -> CarrierEvent:
    told = {"CallSid": "c1", **fields}
    return EXOTEL.read_event(post_json(url("exotel"), json.dumps(told).encode()))


def plivo(**fields: str) -> CarrierEvent:
    return PLIVO.read_event(post(url("plivo"), {"CallUUID": "u1", **fields}))


def telnyx(event: str, **fields: Any) -> CarrierEvent:
    told = {"data": {"event_type": event, "payload": {"call_control_id": "v3:a", **fields}}}
    return TELNYX.read_event(post_json(url("telnyx"), json.dumps(told).encode()))


@pytest.mark.parametrize(
    ("event", "state"),
    [
        (twilio(CallStatus="queued"), State.QUEUED),
        (twilio(CallStatus="initiated", SequenceNumber="0"), State.DIALLED),
        (twilio(CallStatus="ringing", SequenceNumber="1"), State.RINGING),
        (twilio(CallStatus="in-progress", SequenceNumber="2"), State.ANSWERED),
        (vonage(status="started"), State.DIALLED),
        (vonage(status="ringing"), State.RINGING),
        (vonage(status="answered"), State.ANSWERED),
        (exotel(Status="queued"), State.QUEUED),
        (exotel(Status="in-progress"), State.DIALLED),
        (exotel(EventType="ringing", Status="in-progress"), State.RINGING),
        (exotel(EventType="answered", Status="in-progress"), State.ANSWERED),
        (plivo(CallStatus="ringing", Event="Ring"), State.RINGING),
        (plivo(CallStatus="in-progress"), State.ANSWERED),
        (telnyx("call.initiated", direction="outgoing"), State.DIALLED),
        (telnyx("call.answered"), State.ANSWERED),
    ],
)
def test_on_its_way(event: CarrierEvent, state: State) -> None:
    """Each word of a carrier's has its place in a call's life."""
    assert event.progress is not None
    assert (event.progress.state, event.progress.outcome) == (state, None)


@pytest.mark.parametrize(
    "event",
    [
        twilio(CallStatus="completed", CallDuration="42"),
        vonage(status="completed", duration="42"),
        exotel(EventType="terminal", Status="completed"),
        plivo(CallStatus="completed", HangupCauseCode="4000"),
        telnyx("call.hangup", hangup_cause="normal_clearing"),
        telnyx("call.hangup", hangup_cause="time_limit"),
    ],
)
def test_over(event: CarrierEvent) -> None:
    """A call that was answered ends without an excuse."""
    assert event.progress is not None
    assert (event.progress.state, event.progress.outcome) == (State.OVER, None)


@pytest.mark.parametrize(
    ("event", "outcome"),
    [
        (twilio(CallStatus="busy"), Outcome("busy", "busy", "", True)),
        (twilio(CallStatus="no-answer"), Outcome("no_answer", "no-answer", "", True)),
        (twilio(CallStatus="canceled"), Outcome("cancelled", "canceled")),
        (twilio(CallStatus="failed"), Outcome("failed", "failed")),
        (
            twilio(CallStatus="failed", SipResponseCode="404"),
            Outcome("bad_number", "failed", "404"),
        ),
        (
            twilio(CallStatus="failed", SipResponseCode="502"),
            Outcome("unreachable", "failed", "502", True),
        ),
        (twilio(CallStatus="failed", SipResponseCode="²00"), Outcome("failed", "failed", "²00")),
        (vonage(status="busy"), Outcome("busy", "busy", "", True)),
        (vonage(status="timeout"), Outcome("no_answer", "timeout", "", True)),
        (vonage(status="cancelled"), Outcome("cancelled", "cancelled")),
        (vonage(status="unanswered"), Outcome("no_answer", "unanswered", "", True)),
        (
            vonage(status="unanswered", detail="unavailable"),
            Outcome("unreachable", "unanswered: unavailable", "", True),
        ),
        (
            vonage(status="rejected", detail="invalid_number"),
            Outcome("bad_number", "rejected: invalid_number"),
        ),
        (
            vonage(status="rejected", detail="declined"),
            Outcome("rejected", "rejected: declined"),
        ),
        (
            vonage(status="failed", detail="internal_error"),
            Outcome("unreachable", "failed: internal_error", "", True),
        ),
        (vonage(status="failed"), Outcome("failed", "failed")),
        (exotel(Status="busy"), Outcome("busy", "busy", "", True)),
        (
            exotel(EventType="terminal", Status="no-answer"),
            Outcome("no_answer", "no-answer", "", True),
        ),
        (exotel(Status="failed"), Outcome("failed", "failed")),
        (exotel(Status="canceled"), Outcome("cancelled", "canceled")),
        (plivo(CallStatus="busy", Event="Hangup"), Outcome("busy", "busy", "", True)),
        (plivo(CallStatus="timeout"), Outcome("unreachable", "timeout", "", True)),
        (
            plivo(
                CallStatus="failed",
                HangupCauseName="Invalid Destination Address",
                HangupCauseCode="2000",
            ),
            Outcome("bad_number", "Invalid Destination Address", "2000"),
        ),
        (
            telnyx("call.hangup", hangup_cause="user_busy", sip_hangup_cause="486"),
            Outcome("busy", "user_busy", "486", True),
        ),
        (
            telnyx("call.hangup", hangup_cause="call_rejected", sip_hangup_cause="603"),
            Outcome("rejected", "call_rejected", "603"),
        ),
        (
            telnyx("call.hangup", hangup_cause="timeout"),
            Outcome("no_answer", "timeout", "", True),
        ),
        (telnyx("call.hangup", hangup_cause="not_found"), Outcome("bad_number", "not_found")),
        (telnyx("call.hangup", hangup_cause="new words"), Outcome("failed", "new-words")),
    ],
)
def test_came_to_nothing(event: CarrierEvent, outcome: Outcome) -> None:
    """Why nobody was spoken to, and whether it is worth another call."""
    assert event.progress is not None
    assert (event.progress.state, event.progress.outcome) == (State.OVER, outcome)


@pytest.mark.parametrize(
    "event",
    [
        twilio(StreamEvent="stream-stopped", CallStatus="completed"),
        twilio(RecordingStatus="completed"),
        twilio(CallStatus="completed", ParentCallSid="CA2"),
        twilio(CallStatus="new"),
        vonage(status="completed", to=f"wss://{HOST}/v1/talk/vonage/ctx/{CONTEXT}"),
        vonage(status="failed", to={"type": "websocket", "uri": f"wss://{HOST}/x"}),
        vonage(status="disconnected"),
        vonage(status="human"),
        vonage(status="new"),
        exotel(**{"Stream[Status]": "completed", "Stream[StreamSID]": "s"}),
        exotel(CallType="completed"),
        exotel(Status="new"),
        plivo(Event="StopStream", CallStatus="completed"),
        plivo(Event="MachineDetection", CallStatus="in-progress", Machine="true"),
        telnyx("streaming.stopped"),
        telnyx("call.bridged"),
    ],
)
def test_not_of_the_call(event: CarrierEvent) -> None:
    """Streams, recordings, other legs and new words say nothing of the call's life."""
    assert event.progress is None


@pytest.mark.parametrize(
    ("event", "verdict"),
    [
        *(
            (twilio(AnsweredBy=word, MachineDetectionDuration="3000"), verdict)
            for word, verdict in (
                ("human", "human"),
                ("machine_start", "machine"),
                ("machine_end_beep", "beep"),
                ("machine_end_silence", "silence"),
                ("machine_end_other", "silence"),
                ("fax", "fax"),
                ("unknown", "unknown"),
                ("new", ""),
            )
        ),
        (vonage(status="human"), "human"),
        (vonage(status="machine"), "machine"),
        (vonage(status="machine", sub_state="beep_start"), "beep"),
        (vonage(status="machine", sub_state="beep_timeout"), "silence"),
        (vonage(status="answered"), ""),
        (exotel(Status="completed", Legs=[{"AnsweredBy": "HUMAN"}]), "human"),
        (exotel(Status="completed", Legs=[{"answered_by": "Machine"}]), "machine"),
        (exotel(**{"Status": "completed", "Legs[0][AnsweredBy]": "NOTSURE"}), "unknown"),
        (exotel(Status="completed", Legs=[{"AnsweredBy": "NA"}]), ""),
        (exotel(Status="completed", Legs=["x"]), ""),
        (exotel(Status="completed", Legs={"a": 1}), ""),
        (plivo(Event="MachineDetection", Machine="true"), "machine"),
        (plivo(Event="MachineDetection", Machine="false"), "human"),
        (telnyx("call.machine.detection.ended", result="human"), "human"),
        (telnyx("call.machine.detection.ended", result="machine"), "machine"),
        (telnyx("call.machine.detection.ended", result="not_sure"), "unknown"),
        (telnyx("call.machine.premium.detection.ended", result="human_business"), "human"),
        (telnyx("call.machine.premium.detection.ended", result="fax_detected"), "fax"),
        (telnyx("call.machine.greeting.ended", result="beep_detected"), "beep"),
        (telnyx("call.machine.greeting.ended", result="ended"), "silence"),
        (telnyx("call.machine.premium.greeting.ended", result="no_beep_detected"), "silence"),
    ],
)
def test_verdict(event: CarrierEvent, verdict: str) -> None:
    """A person, a machine, or the moment in which one may speak to it."""
    assert event.verdict == verdict
