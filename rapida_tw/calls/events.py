"""CarrierEvents: what carriers' callbacks tell of a call goes into its history, and no further.

Callbacks come late, twice, in any order, and from whoever knows an address: so none of them ends or
changes a call that is talked on. That is for the media connection, where the caller is. What they
mean for a call that is still ringing is for `outstanding.py`.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Mapping

from twisted.logger import Logger

from rapida_tw.calls.journal import Journal
from rapida_tw.carriers.base import CarrierEvent
from rapida_tw.metrics import Counter
from rapida_tw.store.records import NamedCall

MOST_EVENTS = 200  # of one call; an honest one has about ten
REMEMBERED = 10_000  # calls whose events are compared with what came before
LONGEST_NAME = 100  # characters
LONGEST_VALUE = 4_000  # characters of a field
MOST_TEXT = 20_000  # characters of all fields together

_FAMILIES = frozenset(("status", "stream", "recording", "machine"))

received = Counter(
    "rapida_carrier_events_total", "Status callbacks of carriers.", ("carrier", "family")
)
left_out = Counter(
    "rapida_carrier_events_left_out_total",
    "Status callbacks that are in no history: of no known call, repeated, or too many.",
    ("carrier", "reason"),
)


class CarrierEvents:
    """Takes the events of all calls."""

    _log = Logger()

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        # By the conversation's id; digests, because only equality is asked for.
        self._seen: OrderedDict[int, set[int]] = OrderedDict()

    def received(self, call: NamedCall | None, carrier: str, event: CarrierEvent) -> bool:
        """None: nobody knows whose it is. Answers whether it is news."""
        family = event.name.partition(".")[0]
        received.inc(carrier, family if family in _FAMILIES else "other")
        if call is None:
            left_out.inc(carrier, "unknown-call")
            self._log.info(
                "an event of {carrier} is of no known call: {event} {names}",
                carrier=carrier,
                event=event.name[:LONGEST_NAME],
                names=", ".join(event.call_ids)[:LONGEST_NAME],
            )
            return False
        fields = _bounded(event.data)
        reason = self._refusal(call.conversation_id, hash((event.name, frozenset(fields.items()))))
        if reason:
            left_out.inc(carrier, reason)
            return False
        note = self._journal.of(call.conversation_id)
        note.event(event.name[:LONGEST_NAME], carrier=carrier, fields=fields)
        return True

    def _refusal(self, conversation_id: int, digest: int) -> str:
        """Why the event is left out; "" when it is not, and then it has been seen."""
        seen = self._seen.setdefault(conversation_id, set())
        self._seen.move_to_end(conversation_id)
        if len(self._seen) > REMEMBERED:
            self._seen.popitem(last=False)
        if digest in seen:
            return "repeated"
        if len(seen) >= MOST_EVENTS:
            return "too-many"
        seen.add(digest)
        if len(seen) == MOST_EVENTS:
            self._log.warn("conversation {id} has no room for more events", id=conversation_id)
        return ""


def _bounded(data: Mapping[str, str]) -> dict[str, str]:
    """The fields, cut, as many as there is room for."""
    kept: dict[str, str] = {}
    room = MOST_TEXT
    for name, value in data.items():
        value = value[:LONGEST_VALUE]
        room -= len(name) + len(value)
        if room < 0:
            break
        kept[name] = value
    return kept
