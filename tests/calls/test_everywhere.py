"""Everywhere: calls of other nodes are seen and steered like one's own."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.calls.call import LiveCall
from rapida_tw.calls.everywhere import (
    ANSWERS,
    DONE_WITHIN,
    QUESTIONS,
    SEEN_WITHIN,
    Bus,
    Everywhere,
    OwnCalls,
)
from rapida_tw.errors import (
    BadRequest,
    CallError,
    NotFound,
    NotSupported,
    Unavailable,
)
from rapida_tw.store.records import NamedCall


class Wire:
    """A bus in memory; `deaf` nodes hear nothing, and are counted all the same."""

    def __init__(self) -> None:
        self.receivers: dict[str, list[Callable[[str], None]]] = {}
        self.deaf = 0
        self.away = False

    def publish(self, channel: str, text: str) -> Deferred[int]:
        if self.away:
            return fail(Unavailable("away"))
        receivers = self.receivers.get(channel, [])
        for receiver in receivers:
            receiver(text)
        return succeed(len(receivers) + self.deaf)

    def subscribe(self, channel: str, received: Callable[[str], None]) -> None:
        self.receivers.setdefault(channel, []).append(received)


class Own:
    """The calls of one node: 11 of project 1, say."""

    def __init__(self, *ids: int) -> None:
        self.ids = ids
        self.told: list[tuple[Any, ...]] = []
        self.transferring: Deferred[None] = Deferred()
        self.error: CallError | None = None
        self.ringing: list[int] = []

    def live(self, project_id: int) -> Sequence[LiveCall]:
        return [self.view(one) for one in self.ids] if project_id == 1 else []

    def view(self, number: int) -> LiveCall:
        return LiveCall(number, 2, 1, "sip", "inbound", "100", "200", "active", 5.0, 1.5, 3)

    def find(self, conversation_id: int, project_id: int) -> LiveCall:
        if conversation_id not in self.ids or project_id != 1:
            raise NotFound(f"no call {conversation_id} is on the phone")
        return self.view(conversation_id)

    def _steer(self, what: str, conversation_id: int, project_id: int, *more: Any) -> None:
        self.find(conversation_id, project_id)
        if self.error is not None:
            raise self.error
        self.told.append((what, conversation_id, *more))

    def hang_up(self, conversation_id: int, project_id: int) -> None:
        self._steer("hang up", conversation_id, project_id)

    def say(self, conversation_id: int, project_id: int, text: str) -> None:
        self._steer("say", conversation_id, project_id, text)

    def transfer(self, conversation_id: int, project_id: int, to: str) -> Deferred[None]:
        self._steer("transfer", conversation_id, project_id, to)
        return self.transferring

    def send_digits(self, conversation_id: int, project_id: int, digits: str) -> Deferred[None]:
        self._steer("digits", conversation_id, project_id, digits)
        return succeed(None)

    def hold(self, conversation_id: int, project_id: int, on: bool) -> None:
        self._steer("hold", conversation_id, project_id, on)

    def machine_detected(self, conversation_id: int, project_id: int, verdict: str) -> None:
        self._steer("machine", conversation_id, project_id, verdict)

    def give_up(self, conversation_id: int, project_id: int | None = None) -> bool:
        return conversation_id in self.ringing


_conforms: tuple[type[Bus], type[OwnCalls]] = (Wire, Own)


class EverywhereTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock, self.bus = Clock(), Wire()
        self.own = [Own(11), Own(21, 22), Own()]
        self.nodes = [
            Everywhere(own, own, self.bus, self.clock, f"node{number}")
            for number, own in enumerate(self.own)
        ]
        self.node = self.nodes[0]

    def tearDown(self) -> None:
        self.assertEqual([node._questions for node in self.nodes], [{}, {}, {}])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_live(self) -> None:
        """Those of all nodes."""
        for node in self.nodes:
            found = self.successResultOf(node.live(1))
            self.assertEqual(sorted(call.id for call in found), [11, 21, 22])
        self.assertEqual(self.successResultOf(self.node.live(9)), [])

    def test_find(self) -> None:
        """As it is shown on its own node."""
        self.assertEqual(self.successResultOf(self.node.find(22, 1)), self.own[1].view(22))
        self.failureResultOf(self.node.find(22, 9), NotFound)
        self.failureResultOf(self.node.find(99, 1), NotFound)

    def test_own_at_once(self) -> None:
        """Nobody is asked for what is here."""
        self.bus.away = True
        self.successResultOf(self.node.hang_up(11, 1))
        self.assertEqual(self.own[0].told, [("hang up", 11)])

    def test_steered(self) -> None:
        """Each verb, on the node that has the call, and there alone."""
        self.successResultOf(self.node.hang_up(21, 1))
        self.successResultOf(self.node.say(22, 1, "hello"))
        self.successResultOf(self.node.send_digits(22, 1, "12#"))
        self.successResultOf(self.node.hold(22, 1, True))
        self.assertEqual(
            self.own[1].told,
            [("hang up", 21), ("say", 22, "hello"), ("digits", 22, "12#"), ("hold", 22, True)],
        )
        self.assertEqual(self.own[0].told + self.own[2].told, [])

    def test_waits(self) -> None:
        """A transfer has happened when its node says so."""
        waiting = self.node.transfer(22, 1, "300")
        self.clock.advance(SEEN_WITHIN + 20)
        self.assertNoResult(waiting)
        self.own[1].transferring.callback(None)
        self.successResultOf(waiting)

    def test_errors(self) -> None:
        """What went wrong there is told here, in its own kind."""
        for kind in (NotSupported, BadRequest):
            self.own[1].error = kind("so it is")
            error = self.failureResultOf(self.node.say(22, 1, "x"), kind).value
            self.assertEqual(str(error), "so it is")

    def test_late_error(self) -> None:
        waiting = self.node.transfer(22, 1, "300")
        self.own[1].transferring.errback(NotSupported("busy"))
        self.failureResultOf(waiting, NotSupported)

    def test_bug(self) -> None:
        """Another node's mistake is not ours."""
        waiting = self.node.transfer(22, 1, "300")
        self.own[1].transferring.errback(ZeroDivisionError())
        self.failureResultOf(waiting, CallError)
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)

    def test_nobody(self) -> None:
        """All have said no: it is not waited for more."""
        self.failureResultOf(self.node.hang_up(99, 1), NotFound)

    def test_deaf(self) -> None:
        """A node that hangs costs a second, and no answer of the others."""
        self.bus.deaf = 1
        waiting = self.node.live(1)
        self.assertNoResult(waiting)
        self.clock.advance(SEEN_WITHIN)
        self.assertEqual(len(self.successResultOf(waiting)), 3)
        self.successResultOf(self.node.hang_up(22, 1))

    def test_never_done(self) -> None:
        """Its node has said that it has the call, and died."""
        waiting = self.node.transfer(22, 1, "300")
        self.clock.advance(DONE_WITHIN)
        self.failureResultOf(waiting, Unavailable)

    def test_away(self) -> None:
        """Without the bus the calls of others are not there to be had."""
        self.bus.away = True
        self.failureResultOf(self.node.hang_up(22, 1), Unavailable)
        self.failureResultOf(self.node.live(1), Unavailable)

    def test_verdict(self) -> None:
        """A callback came to the wrong node: the call is told all the same."""
        self.node.verdict(NamedCall(22, 2, 1), "machine")
        self.assertEqual(self.own[1].told, [("machine", 22, "machine")])
        self.node.verdict(NamedCall(99, 2, 1), "machine")
        self.bus.away = True
        self.node.verdict(NamedCall(22, 2, 1), "machine")
        self.assertEqual(self.flushLoggedErrors(), [])

    def test_ringing(self) -> None:
        """Placed by another node, and not answered yet."""
        self.own[2].ringing.append(5)
        self.successResultOf(self.node.give_up(5, 1))
        self.failureResultOf(self.node.give_up(6, 1), NotFound)

    def test_alone(self) -> None:
        """Without a bus there are only one's own."""
        alone = Everywhere(Own(1))
        self.assertEqual(len(self.successResultOf(alone.live(1))), 1)
        self.failureResultOf(alone.hang_up(2, 1), NotFound)
        self.failureResultOf(alone.give_up(2, 1), NotFound)

    def test_nonsense(self) -> None:
        """Another version of ours, or somebody else: nothing happens."""
        good = {"id": "a", "node": "x", "call": 11, "project": 1, "arguments": []}
        for text in (
            "",
            "[]",
            "{" * 1000,
            json.dumps(good | {"what": "end"}),
            json.dumps(good | {"what": "say", "arguments": "no"}),
            json.dumps(good | {"what": "_steer", "arguments": ["x"]}),
            json.dumps(good | {"what": "hang_up", "call": "11"}),
            "x" * 100_000,
        ):
            self.bus.publish(QUESTIONS, text)
            self.bus.publish(f"{ANSWERS}node0", text)
        self.assertEqual(self.own[0].told, [])
        self.assertEqual(self.flushLoggedErrors(), [])
