"""An open WebSocket to a vendor."""

from __future__ import annotations

from rapida_tw.errors import RemoteProtocolError
from rapida_tw.net.base import Request
from rapida_tw.net.socket import LARGEST
from rapida_tw.sim.vendors.base import Refusal
from tests.net.case import HOST, WS, NetCase, Receiver, VendorSession


class SocketTests(NetCase):
    @property
    def session(self) -> VendorSession:
        return self.vendor.sessions[-1]

    def test_handshake(self) -> None:
        """The vendor sees path, query and headers as they were given, and its name without port."""
        self.connect()
        (asked,) = self.fakes.asked
        self.assertEqual((asked.path, asked.query), ("/v1/listen", {"model": ["a b"]}))
        self.assertEqual(asked.headers["host"], HOST)
        self.assertEqual(asked.headers["authorization"], "Token key-12345")
        self.assertTrue(self.session.open)

    def test_port_and_host_of_its_own(self) -> None:
        """An unusual port is in the Host header, and a Host of the adapter's goes before it."""
        self.connect(Request(f"ws://{HOST}:8443"))
        self.connect(Request(f"ws://{HOST}:8443/", headers={"Host": f"{HOST}:1"}))
        hosts = [asked.headers["host"] for asked in self.fakes.asked]
        self.assertEqual(hosts, [f"{HOST}:8443", f"{HOST}:1"])

    def test_key_with_a_line_break(self) -> None:
        """Blanks and line breaks around a key are not sent."""
        self.connect(Request(WS.url, headers={"x-api-key": " key-12345\r\n"}))
        self.assertEqual(self.fakes.asked[0].headers["x-api-key"], "key-12345")

    def test_subprotocols(self) -> None:
        """They are offered, and the one that the vendor takes is accepted."""
        self.connect(Request(WS.url, subprotocols=("token", "key-12345")))
        offered = self.fakes.asked[0].headers["sec-websocket-protocol"]
        self.assertEqual(offered, "token, key-12345")

    def test_messages(self) -> None:
        """Text and binary of every form of length arrive as they were, both ways."""
        socket, receiver = self.connect()
        sent = [bytes(size % 251 for _ in range(size)) for size in (0, 1, 125, 126, 65_535, 65_536)]
        for message in sent:
            socket.send(message, True)
            self.session.line.send(message)
        socket.send("grüß".encode())
        self.session.line.send("grüß")
        self.run_for()
        expected = [*((message, True) for message in sent), ("grüß".encode(), False)]
        self.assertEqual(self.session.messages, expected)
        self.assertEqual(receiver.messages, expected)

    def test_large(self) -> None:
        """A phrase of some minutes in one message, whole or in fragments."""
        _, receiver = self.connect()
        large = b"0123456789abcdef" * 262_144
        self.session.line.send(large)
        self.session.line.send_fragments(large[:1_000_000], large[1_000_000:], binary=True)
        self.run_for()
        self.assertTrue(receiver.messages == [(large, True)] * 2)

    def test_too_large(self) -> None:
        """What no vendor sends is not gathered: the socket is closed with 1009."""
        _, receiver = self.connect()
        self.session.line.send(bytes(LARGEST + 1))
        self.run_for()
        ((code, reason),) = receiver.endings
        self.assertEqual((code, receiver.messages), (1009, []))
        self.assertIn("exceeds", reason)

    def test_ping(self) -> None:
        """It is answered without anybody's doing."""
        self.connect()
        pongs: list[bytes] = []
        self.session.line._protocol.onPong = pongs.append  # type: ignore[attr-defined]
        self.session.line.ping(b"?")
        self.run_for()
        self.assertEqual(pongs, [b"?"])

    def test_we_close(self) -> None:
        """What was sent before goes out, the vendor sees the code, and `closed` follows."""
        socket, receiver = self.connect()
        socket.send(b"last")
        socket.close(3000)
        self.run_for()
        self.assertEqual((self.session.messages, self.session.ending), ([(b"last", False)], 3000))
        self.assertEqual(len(receiver.endings), 1)
        self.assertEqual((self.clock.getDelayedCalls(), self.fakes.connections), ([], 0))
        socket.send(b"too late")
        socket.close()
        socket.abort()
        self.run_for()
        self.assertEqual(len(receiver.endings), 1)

    def test_what_comes_before_the_answer_to_our_close(self) -> None:
        """Vendors send the last words then: they are told."""
        socket, receiver = self.connect()
        self.session.line.send("last words")
        socket.close()
        self.run_for()
        self.assertEqual(receiver.messages, [(b"last words", False)])

    def test_the_vendor_closes(self) -> None:
        """Code and reason are told, once."""
        _, receiver = self.connect()
        self.session.line.close(4008, "over quota")
        self.run_for()
        self.assertEqual(receiver.endings, [(4008, "over quota")])
        self.assertEqual(self.session.ending, 1000)

    def test_the_vendor_drops(self) -> None:
        """A connection that is cut is 1006."""
        _, receiver = self.connect()
        self.session.line.drop()
        self.run_for()
        ((code, reason),) = receiver.endings
        self.assertEqual(code, 1006)
        self.assertIn(HOST, reason)

    def test_abort(self) -> None:
        """It is over before `abort` returns, for the vendor a moment later."""
        socket, receiver = self.connect()
        socket.abort()
        self.assertEqual([code for code, _ in receiver.endings], [1006])
        self.session.line.send("unheard")
        self.run_for()
        self.assertEqual(receiver.messages, [])
        self.assertEqual(self.session.ending, 1006)

    def test_no_answer_to_our_close(self) -> None:
        """After a second the vendor is not waited for any longer."""
        socket, receiver = self.connect()
        self.session.line.pause()
        socket.close()
        self.run_for(0.9)
        self.assertEqual(receiver.endings, [])
        self.run_for(0.2)
        self.assertEqual([code for code, _ in receiver.endings], [1006])
        self.assertEqual(self.fakes.connections, 0)

    def test_back_pressure(self) -> None:
        """A vendor that reads nothing is told of, and when it reads again."""
        socket, receiver = self.connect()
        self.session.line.pause()
        for _ in range(10):
            socket.send(bytes(32_000), True)
            self.run_for()
        self.assertEqual(receiver.free, [False])
        self.session.line.resume()
        self.run_for()
        self.assertEqual(receiver.free, [False, True])
        self.assertEqual(len(self.session.messages), 10)

    def test_the_receiver_fails(self) -> None:
        """Its error is logged, and the socket closed with 1011."""
        _, receiver = self.connect()
        receiver.error = KeyError("channel")
        self.session.line.send("surprise")
        self.session.line.send("more")
        self.run_for()
        self.assertEqual(len(self.flushLoggedErrors(KeyError)), 1)
        self.assertEqual([code for code, _ in receiver.endings], [1011])
        self.assertEqual(len(receiver.messages), 1)
        self.assertEqual(self.session.ending, 1011)

    def test_garbage(self) -> None:
        """What the adapter calls garbage is the reason that is told, and no bug of ours."""
        _, receiver = self.connect()
        receiver.error = RemoteProtocolError("no JSON")
        self.session.line.send("surprise")
        self.run_for()
        self.assertEqual(receiver.endings, [(1011, "no JSON")])

    def test_stop(self) -> None:
        """At the server's end nothing stays open."""
        _, receiver = self.connect()
        self.successResultOf(self.net.stop())
        self.assertEqual([code for code, _ in receiver.endings], [1006])


class OpeningTests(NetCase):
    def test_refused(self) -> None:
        """Status, the vendor's words and its wish are told; the key that it says back is not."""
        self.vendor.refusal = Refusal(
            429, '{"error": {"message": "key-12345 asks too often"}}', {"Retry-After": "7"}
        )
        error = self.refused()
        self.assertEqual(str(error), f"{HOST} refused: HTTP 429, *** asks too often")
        self.assertEqual((error.code, error.retryable, error.retry_after), (429, True, 7.0))

    def test_what_another_try_does_not_mend(self) -> None:
        """Keys, money and wrong options are not retryable; limits and the server's trouble are."""
        for status in (400, 401, 402, 403, 404, 422, 200, 302):
            self.vendor.refusal = Refusal(status)
            self.assertFalse(self.refused().retryable)
        for status in (408, 409, 429, 500, 503, 529):
            self.vendor.refusal = Refusal(status)
            self.assertTrue(self.refused().retryable)

    def test_nobody_there(self) -> None:
        """An unknown name and a closed port are told apart; both may pass."""
        self.fakes.down.add(HOST)
        for url, words in (("wss://no.test/", "not known to DNS"), (WS.url, "nothing listens")):
            error = self.refused(Request(url))
            self.assertIn(words, str(error))
            self.assertEqual((error.code, error.retryable), (0, True))

    def test_no_answer(self) -> None:
        """Five seconds for all of it."""
        self.fakes.unanswering.add(HOST)
        opening = self.net.connect(WS, Receiver())
        self.run_for(4.9)
        self.assertNoResult(opening)
        self.run_for(0.2)
        self.assertIn("within 5 s", str(self.failure(opening)))

    def test_no_address(self) -> None:
        """A base URL that is none is told as what it is, without its query."""
        for url in ("api.vendor.test", "https://api.vendor.test/", "wss://", "wss://a b/?key=s3"):
            error = self.refused(Request(url))
            self.assertIn("is no address", str(error))
            self.assertNotIn("s3", str(error))
            self.assertFalse(error.retryable)

    def test_key_that_no_header_can_have(self) -> None:
        """A key that was pasted wrongly is a clear error, which does not show it."""
        for key in ("kéy-12345", "key\r\nX-Evil: 1"):
            request = Request(WS.url, headers={"x-api-key": key})
            error = self.refused(request)
            self.assertIn("x-api-key", str(error))
            self.assertNotIn(key, str(error))
            self.assertFalse(error.retryable)
