"""gRPC calls to vendors."""

from __future__ import annotations

from twisted.internet.defer import CancelledError

from rapida_tw.errors import RemoteProtocolError
from rapida_tw.net.base import Request
from rapida_tw.net.grpc import IDLE_SECONDS, PING_EVERY
from rapida_tw.sim.vendors.rpc import RpcRefusal
from rapida_tw.wire.grpc import Status
from tests.net.case import HOST
from tests.net.rpc import CALL, RpcCase, RpcReceiver


class CallTests(RpcCase):
    def test_head(self) -> None:
        """The vendor sees path, authority, metadata, and what gRPC asks for."""
        self.call(Request(CALL.url, headers={"X-Goog-Api-Key": "k\n"}), deadline=5)
        headers = self.session.asked.headers
        self.assertEqual(self.session.asked.path, "/pkg.Service/Method")
        expected = {
            ":scheme": "https",
            ":authority": HOST,
            "te": "trailers",
            "content-type": "application/grpc",
            "user-agent": "rapida_tw",
            "x-goog-api-key": "k",
            "grpc-timeout": "5000m",
        }
        self.assertEqual({name: headers.get(name) for name in expected}, expected)

    def test_messages(self) -> None:
        """Both ways, of every size, in their order."""
        call, receiver = self.call()
        messages = [b"", b"a", bytes(20_000), bytes(500_000), b"z"]
        for message in messages:
            call.send(message)
            self.session.line.send(message)
        self.run_for()
        self.assertTrue(self.session.messages == messages)
        self.assertTrue(receiver.messages == messages)

    def test_the_first_message_with_the_call(self) -> None:
        """The request's body is one."""
        self.call(Request(CALL.url, body=b"first"))
        self.assertEqual(self.session.messages, [b"first"])

    def test_end(self) -> None:
        """The vendor's status and words end the call, once, after its last message."""
        call, receiver = self.call()
        self.session.line.send(b"last")
        self.session.line.end(8, "quota: 100% verbraucht, ä")
        self.run_for()
        self.assertEqual(receiver.messages, [b"last"])
        self.assertEqual(receiver.endings, [(8, "quota: 100% verbraucht, ä")])
        call.send(b"too late")
        call.half_close()
        call.cancel()
        self.run_for()
        self.assertEqual(len(receiver.endings), 1)

    def test_end_without_a_message(self) -> None:
        """Trailers only."""
        self.rpc_vendor.ending = RpcRefusal(16, "who are you?")
        _, receiver = self.call()
        self.assertEqual(receiver.endings, [(16, "who are you?")])

    def test_half_close(self) -> None:
        """The vendor goes on to answer, and what was sent before it has arrived."""
        call, receiver = self.call()
        call.send(bytes(200_000))
        call.half_close()
        call.send(b"too late")
        self.run_for()
        self.assertEqual([len(one) for one in self.session.messages], [200_000])
        self.assertEqual(self.session.closings, ["half"])
        self.session.line.send(b"answer")
        self.session.line.end()
        self.run_for()
        self.assertEqual((receiver.messages, receiver.endings), ([b"answer"], [(0, "")]))

    def test_cancel(self) -> None:
        """It is over before `cancel` returns, for the vendor a moment later."""
        call, receiver = self.call()
        call.cancel()
        self.assertEqual([status for status, _ in receiver.endings], [Status.CANCELLED])
        self.session.line.send(b"unheard")
        self.run_for()
        self.assertEqual((receiver.messages, self.session.closings), ([], ["closed"]))
        self.assertEqual(self.fakes.connections, 1)

    def test_deadline(self) -> None:
        """A call that does not end by then is ended."""
        _, receiver = self.call(deadline=3)
        self.run_for(2.9)
        self.assertEqual(receiver.endings, [])
        self.run_for(0.2)
        self.assertEqual([status for status, _ in receiver.endings], [Status.DEADLINE_EXCEEDED])
        self.assertEqual(self.session.closings, ["closed"])

    def test_no_deadline_any_more(self) -> None:
        """The timer goes with the call."""
        self.call(deadline=100)
        self.session.line.end()
        self.run_for()
        self.assertEqual(len(self.clock.getDelayedCalls()), 1)  # the idle connection's

    def test_back_pressure(self) -> None:
        """A vendor that reads nothing is told of, and when it reads again."""
        call, receiver = self.call()
        self.session.line.pause()
        for _ in range(10):
            call.send(bytes(32_000))
            self.run_for()
        self.assertEqual(receiver.free, [False])
        self.session.line.resume()
        self.run_for()
        self.assertEqual(receiver.free, [False, True])
        self.assertEqual(len(self.session.messages), 10)

    def test_a_neighbour_that_reads_nothing(self) -> None:
        """Each call has a window of its own."""
        first, _ = self.call()
        self.session.line.pause()
        first.send(bytes(65_000))
        call, receiver = self.call()
        call.send(b"through")
        self.run_for()
        self.assertEqual((self.session.messages, receiver.free), ([b"through"], []))

    def test_the_receiver_fails(self) -> None:
        """Its error ends that call, and no other."""
        _, other = self.call()
        for error, logged in ((KeyError("x"), 1), (RemoteProtocolError("no JSON"), 0)):
            _, receiver = self.call()
            receiver.error = error
            self.session.line.send(b"one")
            self.session.line.send(b"two")
            self.run_for()
            self.assertEqual((len(receiver.messages), len(receiver.endings)), (1, 1))
            self.assertEqual(receiver.endings[0][0], Status.INTERNAL)
            self.assertEqual(len(self.flushLoggedErrors(KeyError)), logged)
            self.assertEqual(self.session.closings, ["closed"])
        self.assertEqual(other.endings, [])

    def test_garbage(self) -> None:
        """What is no message ends the call."""
        for garbage, status in (
            (b"\2\0\0\0\0", Status.INTERNAL),
            (b"\1\0\0\0\1a", Status.INTERNAL),
            (b"\0\x7f\0\0\0", Status.RESOURCE_EXHAUSTED),
        ):
            _, receiver = self.call()
            self.session.line.write(garbage)
            self.run_for()
            self.assertEqual([one for one, _ in receiver.endings], [status])
        _, receiver = self.call()
        self.session.line.write(b"\0\0\0\0\5half")
        self.session.line.end()
        self.run_for()
        self.assertEqual(receiver.endings, [(13, "the stream ends within a message")])

    def test_reset(self) -> None:
        """The reason is told as a status."""
        for code, status in ((7, 14), (8, 1), (11, 8), (2, 13)):
            _, receiver = self.call()
            self.session.line.reset(code)
            self.run_for()
            self.assertEqual([one for one, _ in receiver.endings], [status])

    def test_dropped(self) -> None:
        """Every call on a connection that is cut is over; the next one has another connection."""
        _, first = self.call()
        _, second = self.call()
        self.session.line.drop()
        self.run_for()
        for receiver in (first, second):
            self.assertEqual([status for status, _ in receiver.endings], [Status.UNAVAILABLE])
            self.assertIn(HOST, receiver.endings[0][1])
        self.call()
        self.assertEqual(self.fakes.connections, 1)


class ConnectionTests(RpcCase):
    def test_shared(self) -> None:
        """Calls that begin together or one after the other share a connection."""
        receivers = [RpcReceiver() for _ in range(20)]
        openings = [self.net.grpc(CALL, receiver) for receiver in receivers]
        self.run_for()
        for opening in openings:
            self.successResultOf(opening)
        self.call()
        self.assertEqual((self.fakes.connections, len(self.rpc_vendor.calls)), (1, 21))

    def test_full(self) -> None:
        """A vendor takes so many calls a connection, and then there is one more."""
        for _ in range(101):
            self.call()
        self.assertEqual(self.fakes.connections, 2)

    def test_idle(self) -> None:
        """A connection without calls is kept for a while."""
        call, _ = self.call()
        self.run_for(IDLE_SECONDS * 2)
        call.cancel()
        self.run_for(IDLE_SECONDS - 1)
        self.assertEqual(self.fakes.connections, 1)
        self.run_for(2)
        self.assertEqual((self.fakes.connections, self.clock.getDelayedCalls()), (0, []))

    def test_ping(self) -> None:
        """A long call is kept up; a vendor that answers no ping is gone."""
        _, receiver = self.call()
        self.run_for(PING_EVERY * 2 + 50)
        self.assertEqual(receiver.endings, [])
        near = next(iter(self.fakes.network.connected))
        near.pauseProducing()
        near.peer.pauseProducing()
        self.run_for(PING_EVERY + 50)
        self.assertEqual([status for status, _ in receiver.endings], [Status.UNAVAILABLE])
        self.assertIn("does not answer", receiver.endings[0][1])

    def test_goaway(self) -> None:
        """Calls that run come to their ends; new ones go elsewhere."""
        call, receiver = self.call()
        old = self.session
        old.line.go_away()
        old.line.send(b"still here")
        self.run_for()
        call.send(b"so am I")
        self.call()
        self.assertEqual(self.fakes.connections, 2)
        self.assertEqual((receiver.messages, old.messages), ([b"still here"], [b"so am I"]))
        old.line.end()
        self.run_for()
        self.assertEqual(receiver.endings, [(0, "")])
        self.assertEqual(self.fakes.connections, 1)

    def test_goaway_of_a_call(self) -> None:
        """A call that the vendor has not begun is told so, and may be made again."""
        _, receiver = self.call()
        self.session.line.go_away(last=False)
        self.run_for()
        self.assertEqual([status for status, _ in receiver.endings], [Status.UNAVAILABLE])
        self.assertIn("max_age", receiver.endings[0][1])
        self.assertEqual(self.fakes.connections, 0)

    def test_not_reached(self) -> None:
        """As with sockets: a sentence, and all who wait are told."""
        self.fakes.down.add(HOST)
        openings = [self.net.grpc(CALL, RpcReceiver()) for _ in range(2)]
        for opening in openings:
            error = self.failure(opening)
            self.assertEqual((error.code, error.retryable), (0, True))
        self.fakes.down.clear()
        self.fakes.unanswering.add(HOST)
        openings = [self.net.grpc(CALL, RpcReceiver()) for _ in range(2)]
        self.run_for(4.9)
        self.assertNoResult(openings[0])
        self.run_for(0.2)
        for opening in openings:
            self.assertIn("in time", str(self.failure(opening)))

    def test_cancelled(self) -> None:
        """One who gives up leaves the others; when all have, nothing is left."""
        self.fakes.unanswering.add(HOST)
        first, second = (self.net.grpc(CALL, RpcReceiver()) for _ in range(2))
        first.cancel()
        self.failureResultOf(first, CancelledError)
        self.assertNoResult(second)
        second.cancel()
        self.failureResultOf(second, CancelledError)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_wrong_metadata(self) -> None:
        """What no header can have is said before it is sent."""
        for headers in ({"x-api-key": "kéy"}, {"a b": "c"}, {":path": "/"}):
            error = self.failure(self.net.grpc(Request(CALL.url, headers=headers), RpcReceiver()))
            self.assertFalse(error.retryable)

    def test_stop(self) -> None:
        """At the server's end nothing stays open."""
        _, receiver = self.call()
        opening = self.net.grpc(Request("https://other.test/a.B/C"), RpcReceiver())
        self.successResultOf(self.net.stop())
        self.failure(opening)
        self.assertEqual([status for status, _ in receiver.endings], [Status.UNAVAILABLE])
        self.assertEqual(self.net.channels.running, 0)
