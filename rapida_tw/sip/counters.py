"""What the SIP user agent counts. Labels have few values: none is taken from a message as it is."""

from __future__ import annotations

from rapida_tw.metrics import Counter, Gauge, Histogram

KNOWN_METHODS = frozenset(
    "INVITE ACK CANCEL BYE OPTIONS INFO UPDATE PRACK REFER NOTIFY REGISTER SUBSCRIBE MESSAGE "
    "PUBLISH".split()
)

requests = Counter("rapida_sip_requests_total", "New requests received.", ("method",))
answers = Counter("rapida_sip_answers_total", "Answers outside of dialogs.", ("method", "status"))
dropped = Counter("rapida_sip_dropped_total", "Messages thrown away unanswered.", ("reason",))
logins = Counter("rapida_sip_logins_total", "Credentials of requests, and what they were.", ("is",))
bans = Counter("rapida_sip_bans_total", "Sources shut out after wrong passwords.")
failures = Counter("rapida_sip_failures_total", "Errors of ours while a message was handled.")
dialogs = Gauge("rapida_sip_dialogs", "Dialogs that are open.")
answering = Histogram(
    "rapida_sip_answer_seconds",
    "From an INVITE to its 200.",
    (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0),
)


def known(method: str) -> str:
    """The method as a label."""
    return method if method in KNOWN_METHODS else "other"
