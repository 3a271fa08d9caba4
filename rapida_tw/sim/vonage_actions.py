"""An NCCO as Vonage follows it on a call: what each action does ("NCCO reference")."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from rapida_tw.sim.call_steps import Dial, Pause, Step, Stream
from rapida_tw.sim.phone import CallFailed
from rapida_tw.sim.rest_request import is_digits, is_url
from rapida_tw.sim.vonage_ncco import Endpoint, read_connect

LONGEST_TEXT = 1_500  # characters of a talk
_LETTER = 0.06  # seconds of it
_STREAM_LASTS = 2.0  # seconds
_KNOWN: Mapping[str, frozenset[str]] = {
    name: frozenset(["action", *fields.split()])
    for name, fields in {
        "connect": "endpoint from randomFromNumber eventUrl eventMethod eventType timeout limit "
        "machineDetection advancedMachineDetection ringbackTone",
        "talk": "text language style premium loop level bargeIn",
        "stream": "streamUrl level bargeIn loop",
        "wait": "timeout",
        "record": "format split channels endOnSilence endOnKey timeOut beepStart eventUrl "
        "eventMethod transcription",
    }.items()
}


def read_actions(actions: Any, stream: Callable[[Endpoint], Stream]) -> list[Step]:
    """The steps; `CallFailed` for what Vonage would not take.

    `stream` makes the step of a WebSocket.
    """
    if not isinstance(actions, list) or not actions:
        raise CallFailed("the NCCO is no list of actions")
    steps: list[Step] = []
    for action in actions:
        kind = action.get("action") if isinstance(action, dict) else None
        if not isinstance(kind, str) or kind not in _KNOWN:
            raise CallFailed(f"no action that is known here: {str(action)[:80]}")
        unknown = set(action) - _KNOWN[kind]
        if unknown:
            raise CallFailed(f"{kind} has no {', '.join(sorted(unknown))}")
        if kind == "connect":
            steps.append(_connect(action, stream))
        elif kind == "talk":
            steps.append(_talk(action))
        elif kind == "stream":
            urls = action.get("streamUrl")
            if not isinstance(urls, list) or len(urls) != 1 or not is_url(urls[0]):
                raise CallFailed("streamUrl is no list of one address")
            steps.append(Pause(_STREAM_LASTS, urls[0]))
        elif kind == "wait":
            steps.append(Pause(_number(action, "timeout", 0.1, 7_200, 10)))
    return steps


def _connect(action: Mapping[str, Any], stream: Callable[[Endpoint], Stream]) -> Step:
    endpoints = action.get("endpoint")
    if not isinstance(endpoints, list) or len(endpoints) != 1:
        raise CallFailed("connect needs a list of exactly one endpoint")
    endpoint = endpoints[0]
    if not isinstance(endpoint, dict) or endpoint.get("type") != "phone":
        return stream(read_connect(action))
    number, caller = endpoint.get("number"), action.get("from", "")
    if not isinstance(number, str) or not is_digits(number):
        raise CallFailed(f"no number to connect: {number!r}")
    if not is_digits(caller) and not action.get("randomFromNumber"):
        raise CallFailed(f"connect needs a from, of digits: {caller!r}")
    return Dial(number, caller, _number(action, "timeout", 1, 120, 60))


def _talk(action: Mapping[str, Any]) -> Step:
    text = action.get("text")
    if not isinstance(text, str) or not 0 < len(text) <= LONGEST_TEXT:
        raise CallFailed("talk needs a text of 1 to 1500 characters")
    return Pause(_LETTER * len(text), text)


def _number(action: Mapping[str, Any], name: str, least: float, most: float, usual: float) -> float:
    value = action.get(name, usual)
    if isinstance(value, str):
        value = float(value) if value.replace(".", "", 1).isdigit() else None
    if not isinstance(value, (int, float)) or isinstance(value, bool) or not least <= value <= most:
        raise CallFailed(f"{name} of {action['action']} must be from {least} to {most}")
    return float(value)
