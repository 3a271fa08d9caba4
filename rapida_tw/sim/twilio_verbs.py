"""TwiML as Twilio follows it on a call: what each verb does, in their order ("TwiML Voice")."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from urllib.parse import urljoin
from xml.etree import ElementTree

from rapida_tw.sim.call_steps import Dial, Fetch, HangUp, Over, Pause, Step, Tones
from rapida_tw.sim.call_steps import Stream as StreamStep
from rapida_tw.sim.http import HttpAnswer
from rapida_tw.sim.markup import callback, read_response
from rapida_tw.sim.phone import CallFailed
from rapida_tw.sim.rest_request import is_e164
from rapida_tw.sim.twiml import Stream, read_stream

_TONES = re.compile(r"[0-9A-DwW*#]+")
_ATTRIBUTES = {
    "Say": {"voice", "language", "loop"},
    "Play": {"digits", "loop"},
    "Pause": {"length"},
    "Hangup": set(),
    "Reject": {"reason"},
    "Redirect": {"method"},
    "Connect": {"action", "method"},
    "Dial": {
        "action",
        "answerOnBridge",
        "callerId",
        "hangupOnStar",
        "method",
        "record",
        "ringTone",
        "sequential",
        "timeLimit",
        "timeout",
    },
    "Number": {
        "sendDigits",
        "statusCallback",
        "statusCallbackEvent",
        "statusCallbackMethod",
        "url",
        "method",
    },
}
_EVENTS = {"initiated", "ringing", "answered", "completed"}
_LETTER = 0.06  # seconds of `<Say>`
# Of a `<Dial>`, for its action.
DIALLED = {
    Over.COMPLETED: "completed",
    Over.BUSY: "busy",
    Over.NO_ANSWER: "no-answer",
    Over.DECLINED: "busy",
    Over.FAILED: "failed",
    Over.CANCELLED: "canceled",
}


class Verbs:
    """Reads documents of one call.

    `stream` makes the step of a `<Stream>`; `ask(method, url, fields)` a request about the call.
    """

    def __init__(
        self,
        stream: Callable[[Stream], StreamStep],
        ask: Callable[[str, str, dict[str, str]], Fetch],
        *,
        tls: bool,
    ) -> None:
        self._stream = stream
        self._ask = ask
        self._tls = tls

    def read(self, answer: HttpAnswer, asked: str) -> list[Step]:
        """The steps of a document that came from the address `asked`; `CallFailed`."""
        steps = []
        for verb in read_response(answer):
            unknown = set(verb.attrib) - _ATTRIBUTES.get(verb.tag, set())
            if verb.tag not in _ATTRIBUTES or verb.tag == "Number" or unknown:
                raise CallFailed(f"12200: <{verb.tag}> {' '.join(sorted(unknown))}".rstrip())
            steps.append(self._step(verb, asked))
        return steps

    def _step(self, verb: ElementTree.Element, asked: str) -> Step:
        text = (verb.text or "").strip()
        if verb.tag == "Connect":
            return self._stream(read_stream(verb, asked, tls=self._tls))
        if verb.tag == "Play":
            digits = verb.get("digits")
            if digits is None:
                return Pause(1.0, text)
            if not _TONES.fullmatch(digits):
                raise CallFailed(f"13420: no digits: {digits!r}")
            return Tones(digits)
        if verb.tag == "Say":
            if not text:
                raise CallFailed("13510: an empty <Say>")
            return Pause(_LETTER * len(text), text)
        if verb.tag == "Pause":
            return Pause(_seconds(verb, "length", 1, 3_600, 1))
        if verb.tag == "Redirect":
            return self._ask(verb.get("method", "POST"), urljoin(asked, text), {})
        return self._dial(verb, text, asked) if verb.tag == "Dial" else HangUp()

    def _dial(self, verb: ElementTree.Element, text: str, asked: str) -> Step:
        number = text
        for child in verb:
            if child.tag != "Number" or len(verb) > 1 or set(child.attrib) - _ATTRIBUTES["Number"]:
                raise CallFailed(f"12200: <{child.tag}> in <Dial>")
            number = (child.text or "").strip()
            callback(child, "statusCallback", "statusCallbackMethod")
            if set(child.get("statusCallbackEvent", "completed").split()) - _EVENTS:
                raise CallFailed("12200: statusCallbackEvent")
        if not is_e164(number):
            raise CallFailed(f"13223: no number to dial: {number!r}")
        caller = verb.get("callerId", "")
        if caller and not is_e164(caller):
            raise CallFailed(f"13214: invalid callerId: {caller!r}")
        action, method = callback(verb, "action", "method")
        timeout = _seconds(verb, "timeout", 5, 600, 30)

        def after(over: Over, seconds: float) -> Iterable[Step]:
            fields = {"DialCallStatus": DIALLED[over]}
            if over is Over.COMPLETED:
                fields |= {"DialCallDuration": str(round(seconds)), "DialBridged": "true"}
            return [self._ask(method, urljoin(asked, action), fields)]

        return Dial(number, caller, timeout, after if action else None)


def _seconds(verb: ElementTree.Element, name: str, least: int, most: int, usual: int) -> float:
    text = verb.get(name, str(usual))
    if not text.isdigit() or not least <= int(text) <= most:
        raise CallFailed(f"12200: {name}={text!r} of <{verb.tag}>")
    return float(text)
