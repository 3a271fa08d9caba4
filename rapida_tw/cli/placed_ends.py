"""How a call that we placed came to nothing, in plain words, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from rapida_tw.cli.source import Document


class Words(NamedTuple):
    """`what` happened; `advice`: what may be done; `ordinary`: people are like that, nothing is
    broken.
    """

    what: str
    advice: str = ""
    ordinary: bool = False


# By the slug of an Outcome or of errors.py, with underscores.
ENDS: Final[Mapping[str, Words]] = {
    "busy": Words("The line was busy.", "call again in a while", True),
    "no_answer": Words("Nobody answered.", "call again later, or with a longer ring_timeout", True),
    "unsure": Words(
        "The carrier was asked, and its answer was lost: somebody's phone may have rung.",
        "look it up at the carrier before you call again",
    ),
    "rejected": Words(
        "Who was called declined, or their carrier did.",
        "if it happens to everybody, see whether the carrier lets this number call there, and "
        "whether the number is marked as spam",
        True,
    ),
    "cancelled": Words("The call was given up before anybody answered.", "", True),
    "machine": Words("An answering machine took the call.", "call again later", True),
    "bad_number": Words(
        "There is no such number.",
        "see that it is E.164 (+4930…), or what the trunk dials; a trunk may need sip_prefix",
    ),
    "authentication_failed": Words(
        "The carrier did not let us in.",
        "`rapida credential verify` asks it; from SIP trunks a 403 can also mean that the account "
        "may not call that number, or not as that caller",
    ),
    "configuration_failed": Words(
        "The carrier refused how the call was asked for, or something that it needs is not set.",
        "see the words above: the deployment's options (phone, trunk), the account's rights and "
        "balance, server.public_host",
    ),
    "capacity_exceeded": Words(
        "There was no room for the call: the carrier's limit, or this server's.",
        "place fewer at once, or see [outbound] and the carrier's limits",
    ),
    "unreachable": Words(
        "The carrier, or the network behind it, was not reached.",
        "see that the carrier's address, port and transport are right and the firewall lets us out",
    ),
    "media_failed": Words(
        "It was answered, or nearly, and no audio came to be.",
        "the carrier must reach the public address (server.public_host) or AudioSocket; over SIP "
        "see the codecs and external_ip",
    ),
    "failed": Words("The call failed at the carrier.", "the carrier's own log knows more"),
    "dialling_forbidden": Words(
        "This number may not be dialled from here.",
        "[outbound] allowed_prefixes and denied_prefixes decide that",
    ),
    "too_many_calls": Words(
        "More calls were asked for than may be placed in that time.",
        "[outbound] calls_per_second and calls_per_day decide that",
    ),
    "expired": Words(
        "Its time was over before it was dialled or connected.",
        "see whether the server ran, and the hours and the pace of its campaign",
    ),
    "carrier_refused": Words("The carrier did not take the call.", "see its words above"),
    "bad_request": Words(
        "The call was asked for with something that cannot be.", "the words above name it"
    ),
    "assistant_not_found": Words("The assistant of the call was not there any more."),
    "not_found": Words("Something that the call needs was not there any more."),
    "not_supported": Words("This carrier cannot do what the call asked of it."),
    "provider_failed": Words(
        "The carrier's API, or a vendor of the assistant, failed.",
        "`rapida credential verify` and `rapida doctor --vendor` try them",
    ),
    "unavailable": Words("The database or the context store did not answer."),
    "unauthenticated": Words("The API key did not let the call through."),
    "forbidden": Words("The API key may not place calls.", "it lacks the scope calls:write"),
    "internal_error": Words("A mistake in the server; its log has the traceback."),
}
# What differs from a call that came in when it was talked on.
TALKED: Final[Mapping[str, str]] = {
    "remote_hangup": "Who was called hung up.",
    "transferred": "The assistant handed over who was called.",
    "idle_timeout": "Who was called said nothing for too long, though asked; see idleTimeout.",
}
# By the status of a call that goes on.
UNDER_WAY: Final[Mapping[str, str]] = {
    "queued": "The call waits for its turn to be dialled.",
    "dialling": "The call is being dialled.",
    "ringing": "It rings over there.",
    "answered": "The call was answered; its audio is awaited.",
}


def ended(found: Document) -> Words | None:
    """Of a placed call that is over and was never talked on; None for all others."""
    if found["direction"] != "outbound" or not found["endReason"]:
        return None
    if any(event["name"] == "call.connected" for event in found["events"]):
        return None
    return ENDS.get(_slug(found["endReason"]))


def told_by_carrier(found: Document) -> str:
    """The carrier's own words and code; "" where it gave none."""
    data = _failure(found)
    said, code = str(data.get("detail") or ""), str(data.get("code") or "")
    number = f" (code {code})" if code else ""
    return f" In detail: {said}{number}." if said else f" Code {code}." if code else ""


def advice(found: Document, words: Words) -> Iterator[str]:
    """What to do now, a sentence each."""
    data = _failure(found)
    if words.advice:
        yield words.advice
    if data.get("reach") == "unknown":
        yield "whether it rang is not known: look into the carrier's list before calling again"
    elif data.get("retryable"):
        wait = data.get("retry_after")
        when = f"in {wait:.0f} s, as the carrier wants it" if wait else "at another moment"
        yield f"the same call may succeed {when}"
    caller_id = found["metadata"].get("client.provider_call_id")
    if caller_id:
        yield f"the carrier knows it as {caller_id}"


def _failure(found: Document) -> Mapping[str, Any]:
    """What the event tells by which it failed."""
    for event in reversed(found["events"]):
        if event["name"] == "call.failed":
            data: Mapping[str, Any] = event["data"]
            return data
    return {}


def _slug(reason: str) -> str:
    return reason.replace("-", "_")
