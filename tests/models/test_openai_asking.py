"""One response at a time, and what becomes of those that nobody wants any more."""

from __future__ import annotations

from rapida_tw.models.live_wire import Interrupted, ReplyBegan, ReplyOver, Send, Usage
from tests.models.openai_wire import begin, end, ready, sent, told


def test_truncate() -> None:
    """The model is told how far an item was heard."""
    (event,) = sent(ready().truncate("i1", 1240))
    assert event == {
        "type": "conversation.item.truncate",
        "item_id": "i1",
        "content_index": 0,
        "audio_end_ms": 1240,
    }


def test_unheard() -> None:
    """What nobody heard is deleted: at once, or when the response that makes it is over."""
    one = ready()
    delete = {"type": "conversation.item.delete", "item_id": "i1"}
    assert sent(one.truncate("i1", 0)) == [delete]
    begin(one)
    assert one.truncate("i1", 0) == ()
    *_, send = end(one)
    assert isinstance(send, Send)
    assert sent(send.frames) == [delete]


def test_broken_off() -> None:
    """What comes of a response behind the caller's voice is not told, and need not be cancelled."""
    one = ready()
    begin(one)
    told(one, "input_audio_buffer.speech_started")
    late = {"response_id": "r1", "item_id": "i1", "delta": "AAAA"}
    assert told(one, "response.output_audio.delta", **late) == []
    assert told(one, "response.output_audio_transcript.delta", **late) == []
    assert told(one, "response.output_audio.done", **late) == []
    assert one.cancel() == ()
    details = {"type": "cancelled", "reason": "turn_detected"}
    events = end(one, status="cancelled", status_details=details)
    assert [type(event) for event in events] == [Usage]


def test_broken_off_first() -> None:
    """A response that ends before the voice is told of was interrupted."""
    one = ready()
    begin(one)
    details = {"type": "cancelled", "reason": "turn_detected"}
    assert end(one, status="cancelled", status_details=details)[1:] == [Interrupted()]


def test_cancel() -> None:
    """A response is cancelled by its id, once; nothing more of it is told."""
    one = ready()
    begin(one)
    assert sent(one.cancel()) == [{"type": "response.cancel", "response_id": "r1"}]
    assert one.cancel() == ()
    assert [type(event) for event in end(one, status="cancelled")] == [Usage]


def test_waits() -> None:
    """A response is asked for when the one under way is over."""
    one = ready()
    begin(one)
    assert one.say("Next.", False) == ()
    *_, send = end(one)
    assert isinstance(send, Send)
    assert sent(send.frames)[0]["type"] == "response.create"


def test_refused() -> None:
    """One that was refused because another had begun is asked for again behind it."""
    one = ready()
    (create,) = sent(one.go_on())
    begin(one)  # by itself
    error = {
        "type": "invalid_request_error",
        "code": "conversation_already_has_active_response",
        "message": "Busy.",
        "event_id": create["event_id"],
    }
    assert told(one, "error", error=error) == []
    *_, send = end(one)
    assert isinstance(send, Send)
    assert sent(send.frames) == [create]


def test_first() -> None:
    """What must be said comes before what the API had in mind."""
    one = ready()
    (greeting,) = sent(one.say("Hello.", False))
    assert begin(one, "r1", greeting["event_id"]) == [ReplyBegan()]
    end(one)
    (closing,) = sent(one.say("We close.", True))
    (send,) = begin(one, "r2")
    assert isinstance(send, Send)
    assert sent(send.frames) == [{"type": "response.cancel", "response_id": "r2"}]
    assert begin(one, "r3", closing["event_id"]) == [ReplyBegan()]


def test_unwanted_before_it_began() -> None:
    """One that is not wanted any more is cancelled when it begins."""
    one = ready()
    (create,) = sent(one.say("Hello.", False))
    assert one.cancel() == ()
    (send,) = begin(one, "r1", create["event_id"])
    assert isinstance(send, Send)
    assert sent(send.frames) == [{"type": "response.cancel", "response_id": "r1"}]


def test_voice_before_it_began() -> None:
    """So is one that the caller's voice has overtaken."""
    one = ready()
    (create,) = sent(one.go_on())
    told(one, "input_audio_buffer.speech_started")
    (send,) = begin(one, "r1", create["event_id"])
    assert isinstance(send, Send)


def test_server_without_metadata() -> None:
    """A server that gives no metadata back is not misunderstood."""
    one = ready()
    one.say("Hello.", False)
    assert begin(one) == [ReplyBegan()]
    assert end(one)[-1] == ReplyOver()
    assert sent(one.say("Again.", False))[0]["type"] == "response.create"
