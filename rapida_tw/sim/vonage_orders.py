"""What Vonage takes for a new call ("Create an outbound call", its JSON schema, strictly)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from rapida_tw.sim.habits import Detection
from rapida_tw.sim.rest_request import is_digits, is_url

_KNOWN = frozenset(
    "to from random_from_number ncco answer_url answer_method event_url event_method "
    "machine_detection advanced_machine_detection length_timer ringing_timer".split()
)
_METHODS = ("GET", "POST")
_BEHAVIOURS = ("continue", "hangup")
_MODES = ("default", "detect", "detect_beep")
_USUAL_RING, _USUAL_LENGTH = 60, 7_200  # seconds


class InvalidParameters(Exception):
    """`parameters`: what is wrong with which."""

    def __init__(self, parameters: Mapping[str, str]) -> None:
        super().__init__(", ".join(f"{name}: {why}" for name, why in parameters.items()))
        self.parameters = parameters


@dataclass(frozen=True, slots=True)
class Order:
    """A call to be placed, read. `advanced`: its machine detection tells of beeps."""

    callee: str
    caller: str
    ncco: Any = None
    answer_url: str = field(default="", repr=False)
    answer_method: str = "GET"
    event_url: str = ""
    event_method: str = "POST"
    ring_seconds: float = _USUAL_RING
    most_seconds: float = _USUAL_LENGTH
    detection: Detection | None = None
    advanced: bool = False


def read_order(document: Any) -> Order:
    """Raises `InvalidParameters`, of all that is wrong."""
    if not isinstance(document, dict):
        raise InvalidParameters({"body": "is no JSON object"})
    wrong = {name: "is not known" for name in document if name not in _KNOWN}
    callee = _callee(document, wrong)
    caller = _caller(document, wrong)
    if ("ncco" in document) == ("answer_url" in document):
        wrong["ncco"] = "is needed, or answer_url, and not both"
    answer_url = _url(document, "answer_url", wrong)
    event_url = _url(document, "event_url", wrong)
    for name in ("answer_method", "event_method"):
        if document.get(name, "POST") not in _METHODS:
            wrong[name] = "is GET or POST"
    ring = _number(document, "ringing_timer", 1, 120, _USUAL_RING, wrong)
    length = _number(document, "length_timer", 1, 7_200, _USUAL_LENGTH, wrong)
    advanced = document.get("advanced_machine_detection")
    detection = _detection(document, advanced, wrong)
    if wrong:
        raise InvalidParameters(wrong)
    return Order(
        callee,
        caller,
        document.get("ncco"),
        answer_url,
        document.get("answer_method", "GET"),
        event_url,
        document.get("event_method", "POST"),
        ring,
        length,
        detection,
        advanced is not None,
    )


def _callee(document: Mapping[str, Any], wrong: dict[str, str]) -> str:
    to = document.get("to")
    one = to[0] if isinstance(to, list) and len(to) == 1 else None
    if not isinstance(one, dict) or one.get("type") != "phone":
        wrong["to"] = "is a list of exactly one phone"
        return ""
    if not is_digits(one.get("number")) or set(one) - {"type", "number", "dtmfAnswer"}:
        wrong["to"] = "has a number in E.164 without the plus, and nothing else"
        return ""
    return str(one["number"])


def _caller(document: Mapping[str, Any], wrong: dict[str, str]) -> str:
    chosen = document.get("from")
    if (chosen is None) == (document.get("random_from_number") is not True):
        wrong["from"] = "is needed, or random_from_number, and not both"
        return ""
    if chosen is None:
        return "15550109999"
    if not isinstance(chosen, dict) or set(chosen) != {"type", "number"}:
        wrong["from"] = "has type and number"
        return ""
    if chosen["type"] != "phone" or not is_digits(chosen["number"]):
        wrong["from"] = "is a phone, its number in E.164 without the plus"
        return ""
    return str(chosen["number"])


def _url(document: Mapping[str, Any], name: str, wrong: dict[str, str]) -> str:
    urls = document.get(name)
    if urls is None:
        return ""
    if not isinstance(urls, list) or len(urls) != 1 or not is_url(urls[0]):
        wrong[name] = "is a list of one address"
        return ""
    return str(urls[0])


def _number(
    document: Mapping[str, Any], name: str, least: int, most: int, usual: int, wrong: dict[str, str]
) -> float:
    value = document.get(name, usual)
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        wrong[name] = f"is a whole number from {least} to {most}"
        return float(usual)
    return float(value)


def _detection(
    document: Mapping[str, Any], advanced: Any, wrong: dict[str, str]
) -> Detection | None:
    plain = document.get("machine_detection")
    if plain is not None and plain not in _BEHAVIOURS:
        wrong["machine_detection"] = "is continue or hangup"
    if advanced is None:
        return Detection(hangs_up=plain == "hangup") if plain else None
    name = "advanced_machine_detection"
    if not isinstance(advanced, dict) or set(advanced) - {"behavior", "mode", "beep_timeout"}:
        wrong[name] = "has behavior, mode and beep_timeout"
        return None
    behaviour, mode = advanced.get("behavior", "continue"), advanced.get("mode", "default")
    if behaviour not in _BEHAVIOURS or mode not in _MODES:
        wrong[name] = "has another behavior or mode"
        return None
    _number(advanced, "beep_timeout", 45, 120, 45, wrong)
    hangs_up = behaviour == "hangup"
    beeps = mode != "detect" and not hangs_up
    return Detection(end=beeps, waits=mode != "default", hangs_up=hangs_up)
