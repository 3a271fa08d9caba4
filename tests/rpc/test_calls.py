"""gRPC calls over a connection: messages, statuses, who may call."""

from __future__ import annotations

import gzip
import zlib

from rapida_tw.errors import RemoteProtocolError
from rapida_tw.rpc import bounds
from rapida_tw.wire.grpc import Status
from tests.rpc.case import ECHO, OPEN, SLOW, RpcCase
from tests.rpc.client import framed
from tests.web.fakes import KEY

OK, CANCELLED, INVALID_ARGUMENT, DEADLINE_EXCEEDED = 0, 1, 3, 4
RESOURCE_EXHAUSTED, UNIMPLEMENTED, INTERNAL, UNAUTHENTICATED = 8, 12, 13, 16
LARGEST = 10_485_760


class CallTests(RpcCase):
    def test_answer(self) -> None:
        """Head, message, trailers, as the document has them."""
        answer = self.client().call(ECHO, b"hello")
        self.assertEqual(answer.headers[":status"], "200")
        self.assertEqual(answer.headers["content-type"], "application/grpc")
        self.assertEqual(answer.messages, [b"hello"])
        self.assertEqual((answer.status, answer.ended, answer.reset), (OK, True, None))

    def test_metadata(self) -> None:
        """The handler sees it, and whose key it was."""
        self.client().call(ECHO, x_client_source="web-plugin", x_auth_id="mary")
        (call,) = self.echo.opened
        self.assertEqual(call.stream.metadata["te"], "trailers")
        self.assertEqual((call.caller.project_id, call.caller.user_id), (7, "mary"))
        self.assertEqual(call.caller.source, "web-plugin")

    def test_large_messages(self) -> None:
        """The largest goes both ways, through windows of 64 kB."""
        message = bytes(LARGEST)
        answer = self.client().call(ECHO, message)
        self.assertEqual((answer.status, answer.messages == [message]), (OK, True))

    def test_too_large(self) -> None:
        """One byte more is refused before it comes."""
        client = self.client()
        number = client.start(ECHO)
        client.send(number, b"\0" + (LARGEST + 1).to_bytes(4, "big"))
        self.assertEqual(client.answers[number].status, RESOURCE_EXHAUSTED)
        self.assertEqual(client.call(ECHO, b"next").status, OK)

    def test_much_at_once(self) -> None:
        """A connection holds 16 MiB of unfinished messages; its other calls go on."""
        client = self.client()
        first, second = client.start(SLOW), client.start(SLOW)
        head = b"\0" + LARGEST.to_bytes(4, "big")
        self.assertEqual(client.send(first, head + bytes(LARGEST - 1)), 0)
        client.send(second, head + bytes(LARGEST - 1))
        self.assertEqual(client.answers[second].status, RESOURCE_EXHAUSTED)
        client.send(first, b"\0")
        self.assertEqual(len(self.slow.opened[0].messages[0]), LARGEST)
        self.assertEqual(client.call(ECHO, b"next").status, OK)

    def test_held_bytes_are_given_back(self) -> None:
        """Of calls that end within a message, too."""
        client = self.client()
        for _ in range(4):
            number = client.start(SLOW)
            client.send(number, b"\0" + LARGEST.to_bytes(4, "big") + bytes(LARGEST - 1))
            client.h2.reset_stream(number)
            client.pump()
        self.assertEqual(client.call(ECHO, bytes(LARGEST)).status, OK)

    def test_compressed(self) -> None:
        """gzip and deflate are understood."""
        for encoding, packed in (("gzip", gzip.compress(b"hi")), ("deflate", zlib.compress(b"hi"))):
            client = self.client()
            number = client.start(ECHO, grpc_encoding=encoding)
            client.send(number, framed(packed, flag=1), end=True)
            self.assertEqual(client.answers[number].messages, [b"hi"])

    def test_bomb(self) -> None:
        """What grows beyond the limit is not unpacked."""
        client = self.client()
        number = client.start(ECHO, grpc_encoding="gzip")
        client.send(number, framed(gzip.compress(bytes(LARGEST + 1)), flag=1), end=True)
        self.assertEqual(client.answers[number].status, RESOURCE_EXHAUSTED)

    def test_unknown_encoding(self) -> None:
        """The answer says which are known."""
        answer = self.client().call(ECHO, b"x", grpc_encoding="snappy")
        self.assertEqual(answer.status, UNIMPLEMENTED)
        self.assertEqual(answer.headers["grpc-accept-encoding"], "identity,gzip,deflate")

    def test_unknown_method(self) -> None:
        """Whatever its name."""
        for path in ("/talk_api.TalkService/Nope", "/nope", "/"):
            self.assertEqual(self.client().call(path, b"x").status, UNIMPLEMENTED)

    def test_no_grpc(self) -> None:
        """HTTP's own statuses."""
        client = self.client()
        self.assertEqual(client.call(ECHO, content_type="text/html").headers[":status"], "415")
        for end in (True, False):
            number = client.start(ECHO, end=end, **{":method": "GET"})
            self.assertEqual(client.answers[number].headers[":status"], "405")
        self.assertEqual(client.call(ECHO, b"x").status, OK)

    def test_cut_message(self) -> None:
        """An end within a message is an error, and the handler is told."""
        client = self.client()
        number = client.start(SLOW)
        client.send(number, framed(b"hello")[:-1], end=True)
        self.assertEqual(client.answers[number].status, INTERNAL)
        self.assertEqual(self.slow.opened[0].told, ["cancelled"])

    def test_text_of_a_status(self) -> None:
        """Percent-encoded, and cut."""
        client = self.client()
        number = client.start(SLOW)
        self.slow.opened[0].stream.end(Status.INVALID_ARGUMENT, "zu groß: 100%" + "x" * 9_000)
        client.pump()
        message = client.answers[number].message
        self.assertTrue(message.startswith("zu gro%C3%9F: 100%25"), message[:40])
        self.assertLess(len(message), 600)


class HandlerTests(RpcCase):
    def test_error(self) -> None:
        """A handler that raises ends its call, and no other."""
        client = self.client()
        bad, good = client.start(SLOW), client.start(ECHO)
        self.slow.opened[0].raising = ZeroDivisionError("secret")
        client.send(bad, framed(b"x"))
        self.assertEqual(len(self.flushLoggedErrors(ZeroDivisionError)), 1)
        self.assertEqual(client.answers[bad].status, INTERNAL)
        self.assertNotIn("secret", client.answers[bad].message)
        self.assertEqual(self.slow.opened[0].told, ["cancelled"])
        client.send(good, framed(b"y"), end=True)
        self.assertEqual(client.answers[good].messages, [b"y"])

    def test_protocol_error(self) -> None:
        """What the handler does not understand is the client's fault."""
        client = self.client()
        number = client.start(SLOW)
        self.slow.opened[0].raising = RemoteProtocolError("what is this")
        client.send(number, framed(b"x"))
        self.assertEqual(client.answers[number].status, INVALID_ARGUMENT)
        self.assertEqual(client.answers[number].message, "what is this")

    def test_cancelled(self) -> None:
        """A reset stream tells the handler once, and what it sends then goes nowhere."""
        client = self.client()
        number = client.start(SLOW)
        client.h2.reset_stream(number, 8)
        client.pump()
        (call,) = self.slow.opened
        call.stream.send(b"late")
        call.stream.end()
        client.lose()
        self.assertEqual(call.told, ["cancelled"])

    def test_lost_connection(self) -> None:
        """All its calls are told."""
        client = self.client()
        client.start(SLOW)
        client.start(SLOW)
        client.lose()
        self.assertEqual([call.told for call in self.slow.opened], [["cancelled"]] * 2)

    def test_pause(self) -> None:
        """While nobody reads, the client may send one window, and no more."""
        client = self.client()
        number = client.start(SLOW)
        (call,) = self.slow.opened
        call.stream.pause()
        left = client.send(number, framed(bytes(100_000)))
        self.assertEqual(100_005 - left, bounds.STREAM_WINDOW)
        self.assertEqual(client.call(ECHO, bytes(70_000)).status, OK)
        call.stream.resume()
        client.pump()
        client.send(number, bytes(left))
        self.assertEqual(len(call.messages[0]), 100_000)

    def test_pause_between_messages(self) -> None:
        """Those that came in one piece are handed over one by one."""
        client = self.client()
        number = client.start(SLOW)
        (call,) = self.slow.opened
        call.message_received = lambda message: (  # type: ignore[method-assign]
            call.messages.append(message),
            call.stream.pause(),
        )
        client.send(number, framed(b"a") + framed(b"b"), end=True)
        self.assertEqual(call.messages, [b"a"])
        call.stream.resume()
        self.assertEqual((call.messages, call.told), ([b"a", b"b"], []))
        call.stream.resume()
        self.assertEqual(call.told, ["half closed"])

    def test_flow_to_the_client(self) -> None:
        """Its windows are kept, and the handler is told when too much waits."""
        client = self.client()
        client.greedy = False
        number = client.start(SLOW)
        (call,) = self.slow.opened
        for _ in range(3):
            call.stream.send(bytes(60_000))
        client.pump()
        self.assertEqual(len(client.answers[number].body), 65_535)
        self.assertEqual(call.free, [False])
        client.h2.increment_flow_control_window(500_000)
        client.h2.increment_flow_control_window(500_000, number)
        client.pump()
        self.assertEqual(len(client.answers[number].body), 180_015)
        self.assertEqual(call.free, [False, True])

    def test_end_behind_a_full_window(self) -> None:
        """The trailers come after everything."""
        client = self.client()
        client.greedy = False
        number = client.start(SLOW)
        (call,) = self.slow.opened
        call.stream.send(bytes(100_000))
        call.stream.end()
        client.pump()
        self.assertIsNone(client.answers[number].status)
        client.h2.increment_flow_control_window(500_000)
        client.h2.increment_flow_control_window(500_000, number)
        client.pump()
        self.assertEqual(client.answers[number].status, OK)

    def test_unwanted_messages(self) -> None:
        """What comes for calls that are about to end takes nothing of the connection's window."""
        client = self.client()
        client.greedy = False
        for _ in range(20):
            number = client.start(SLOW)
            stream = self.slow.opened[-1].stream
            stream.send(bytes(100_000))
            stream.end()
            client.send(number, framed(bytes(60_000)))
        number = client.start(SLOW)
        self.assertEqual(client.send(number, framed(bytes(60_000))), 0)
        self.assertGreater(client.h2.outbound_flow_control_window, 500_000)

    def test_both_ways(self) -> None:
        """Messages while the client still sends."""
        client = self.client()
        number = client.start(ECHO)
        client.send(number, framed(b"a"))
        self.assertEqual(client.answers[number].messages, [b"a"])
        client.send(number, framed(b"b"), end=True)
        self.assertEqual(client.answers[number].messages, [b"a", b"b"])
        self.assertEqual(client.answers[number].status, OK)

    def test_all_in_one_frame(self) -> None:
        """A message and its end, answered while they are read."""
        client = self.client()
        number = client.start(SLOW)
        (call,) = self.slow.opened
        call.message_received = lambda message: call.stream.end()  # type: ignore[method-assign]
        client.h2.send_data(number, framed(b"x"), end_stream=True)
        client.pump()
        answer = client.answers[number]
        self.assertEqual((answer.status, answer.reset, client.goaway), (OK, None, None))

    def test_early_end(self) -> None:
        """The client is told to send nothing more."""
        client = self.client()
        number = client.start(SLOW)
        self.slow.opened[0].stream.end()
        client.pump()
        answer = client.answers[number]
        self.assertEqual((answer.status, answer.ended, answer.reset), (OK, True, 0))


class DeadlineTests(RpcCase):
    def test_timeout(self) -> None:
        """The client's own, in its units."""
        client = self.client()
        number = client.start(SLOW, grpc_timeout="1500m")
        self.clock.advance(1.4)
        client.pump()
        self.assertIsNone(client.answers[number].status)
        self.clock.advance(0.2)
        client.pump()
        self.assertEqual(client.answers[number].status, DEADLINE_EXCEEDED)
        self.assertEqual(self.slow.opened[0].told, ["cancelled"])

    def test_ours(self) -> None:
        """A method's own bound counts where the client's is longer, or none."""
        client = self.client()
        numbers = [client.start(SLOW), client.start(SLOW, grpc_timeout="1H")]
        self.clock.advance(30)
        client.pump()
        self.assertEqual([client.answers[one].status for one in numbers], [DEADLINE_EXCEEDED] * 2)

    def test_nonsense(self) -> None:
        """What is no time is no time without end."""
        self.assertEqual(self.client().call(SLOW, grpc_timeout="soon").status, INTERNAL)

    def test_stuck(self) -> None:
        """A client that takes nothing is reset then: half a message may be out."""
        client = self.client()
        client.greedy = False
        number = client.start(SLOW, grpc_timeout="1S")
        self.slow.opened[0].stream.send(bytes(100_000))
        self.clock.advance(1)
        client.pump()
        self.assertEqual(client.answers[number].reset, 8)


class DoorTests(RpcCase):
    def test_no_key(self) -> None:
        """No key and a wrong one are told the same."""
        client = self.client()
        none = client.call(ECHO, b"x", key=None)
        wrong = client.call(ECHO, b"x", key="rpd-wrong")
        self.assertEqual((none.status, wrong.status), (UNAUTHENTICATED, UNAUTHENTICATED))
        self.assertEqual(none.message, wrong.message)
        self.assertEqual(self.echo.opened, [])

    def test_spellings(self) -> None:
        """With the project's prefix or without, in either header."""
        bare = KEY.removeprefix("rpd-")
        for key in (KEY, bare, f"rpd-prj-{bare}", f"rpd-prj-{KEY}"):
            self.assertEqual(self.client().call(ECHO, key=key).status, OK, key)
        for authorization in (f"Bearer {KEY}", KEY):
            answer = self.client().call(ECHO, key=None, authorization=authorization)
            self.assertEqual(answer.status, OK)

    def test_open_method(self) -> None:
        """Where no key is asked for."""
        self.assertEqual(self.client().call(OPEN, b"x", key=None).messages, [b"x"])
        self.assertEqual(self.keys.checked, [])

    def test_nothing_is_read_before(self) -> None:
        """Of a stranger, no message is unpacked."""
        client = self.client()
        number = client.start(ECHO, key="rpd-wrong", grpc_encoding="gzip")
        self.assertEqual(client.answers[number].status, UNAUTHENTICATED)
