"""HTTP requests to vendors."""

from __future__ import annotations

from twisted.internet.defer import CancelledError, Deferred

from rapida_tw.errors import RemoteProtocolError, VendorFailed
from rapida_tw.net.base import Answer, Request
from rapida_tw.net.http import IDLE_SECONDS
from rapida_tw.sim.vendors.base import Reply
from tests.net.case import HOST, BodyKeeper, NetCase, RawCase

POST = Request(f"https://{HOST}/v1/speak?a=b%2Fc", "POST", {"x-api-key": "k"}, b'{"a":1}')


class HttpTests(NetCase):
    def ask(self, request: Request = POST) -> tuple[Deferred[Answer], Reply]:
        asking = self.net.request(request)
        self.run_for()
        return asking, self.vendor.replies[-1]

    def answer(self, status: int = 200, body: bytes = b"") -> tuple[Answer, Reply]:
        """An answer whose head and first piece have come."""
        asking, reply = self.ask()
        reply.head(status, {"X-Thing": "Yes"})
        reply.write(body)
        self.run_for()
        return self.successResultOf(asking), reply

    def test_request(self) -> None:
        """The vendor sees method, path, query, headers and body as they were given."""
        _, reply = self.ask()
        (asked,) = self.fakes.asked
        self.assertEqual((asked.method, asked.path, asked.one("a")), ("POST", "/v1/speak", "b/c"))
        self.assertEqual((asked.headers["x-api-key"], asked.body), ("k", b'{"a":1}'))
        self.assertEqual(asked.headers["host"], HOST)
        self.assertNotIn("transfer-encoding", asked.headers)
        reply.end()

    def test_head_comes_first(self) -> None:
        """Status and headers are told as soon as they are there; the body waits to be read."""
        answer, reply = self.answer(404, b"one")
        self.assertEqual((answer.status, answer.headers["x-thing"]), (404, "Yes"))
        keeper = BodyKeeper()
        answer.read(keeper)
        self.assertEqual((keeper.data, keeper.endings), (b"one", []))
        reply.write(b" two")
        self.run_for()
        self.assertEqual(keeper.data, b"one two")
        reply.end()
        self.run_for()
        self.assertEqual(keeper.endings, [None])

    def test_kept_alive(self) -> None:
        """One connection serves one request after the other."""
        for _ in range(3):
            answer, reply = self.answer()
            reply.end()
            self.run_for()
            self.assertEqual(self.successResultOf(answer.text()), "")
            self.assertEqual(self.fakes.connections, 1)

    def test_text(self) -> None:
        """The whole body, whatever bytes are in it."""
        answer, reply = self.answer(200, b"gr\xc3")
        text = answer.text()
        reply.write(b"\xbc\xff")
        reply.end()
        self.run_for()
        self.assertEqual(self.successResultOf(text), "gr\u00fc\ufffd")

    def test_text_limit(self) -> None:
        """A body that does not end is cut off, and its connection closed."""
        answer, reply = self.answer(500, b"x" * 100)
        self.assertEqual(self.successResultOf(answer.text(10)), "x" * 10)
        self.run_for()
        self.assertTrue(reply.gone)

    def test_text_cancelled(self) -> None:
        """Whoever gives up closes the connection."""
        answer, reply = self.answer(200, b"begun")
        text = answer.text()
        text.cancel()
        self.failureResultOf(text, CancelledError)
        self.run_for()
        self.assertTrue(reply.gone)

    def test_abort(self) -> None:
        """The vendor notices at once that nobody listens; nothing more is told."""
        for reading in (False, True):
            answer, reply = self.answer(200, b"one")
            keeper = BodyKeeper()
            if reading:
                answer.read(keeper)
            answer.abort()
            reply.write(b"two")
            self.run_for()
            self.assertTrue(reply.gone)
            self.assertEqual(keeper.endings, [])
            self.assertNotIn(b"two", keeper.data)
            answer.abort()

    def test_abort_of_what_is_over(self) -> None:
        """The connection is another request's by then, and is left alone."""
        answer, reply = self.answer(200, b"whole")
        reply.end()
        self.run_for()
        _, other = self.ask()
        answer.abort()
        self.run_for()
        self.assertFalse(other.gone)
        other.end()

    def test_pause(self) -> None:
        """A reader that is full is told nothing, and the vendor cannot write on for ever."""
        answer, reply = self.answer()
        keeper = BodyKeeper()
        answer.read(keeper)
        answer.pause()
        for _ in range(5):
            reply.write(bytes(50_000))
            self.run_for()
        reply.end()
        self.run_for()
        self.assertEqual((keeper.data, keeper.endings), (b"", []))
        answer.resume()
        self.run_for()
        self.assertEqual((len(keeper.data), keeper.endings), (250_000, [None]))

    def test_pause_at_the_last_piece(self) -> None:
        """The end waits, too, until the reader goes on."""
        asking, reply = self.ask()
        reply.whole(200, "short")
        self.run_for()
        answer = self.successResultOf(asking)
        keeper = BodyKeeper()
        keeper.pausing = answer.pause
        answer.read(keeper)
        self.assertEqual((keeper.data, keeper.endings), (b"short", []))
        answer.resume()
        self.assertEqual(keeper.endings, [None])

    def test_cut_off(self) -> None:
        """A body that breaks off before its end is a failure, worth another try."""
        answer, reply = self.answer(200, b"half")
        keeper = BodyKeeper()
        answer.read(keeper)
        reply.drop()
        self.run_for()
        (failure,) = keeper.endings
        assert failure is not None
        self.assertEqual((keeper.data, failure.retryable), (b"half", True))
        self.assertIn("broke off", str(failure))

    def test_the_receiver_fails(self) -> None:
        """Its error ends the body and the connection."""
        for error, logged in ((KeyError("x"), 1), (RemoteProtocolError("no JSON"), 0)):
            answer, reply = self.answer()
            keeper = BodyKeeper()
            keeper.error = error
            answer.read(keeper)
            reply.write(b"one")
            self.run_for()
            reply.write(b"two")
            self.run_for()
            self.assertEqual((keeper.data, len(keeper.endings)), (b"one", 1))
            self.assertEqual(len(self.flushLoggedErrors(KeyError)), logged)
            self.assertTrue(reply.gone)

    def test_cancelled(self) -> None:
        """A request that is given up before its answer closes the connection."""
        asking, reply = self.ask()
        asking.cancel()
        self.failureResultOf(asking, CancelledError)
        self.run_for()
        self.assertTrue(reply.gone)

    def test_not_reached(self) -> None:
        """Names, ports and five seconds."""
        self.fakes.down.add(HOST)
        error = self.failure(self.net.request(POST))
        self.assertEqual((error.code, error.retryable), (0, True))
        self.fakes.down.clear()
        self.fakes.unanswering.add(HOST)
        asking = self.net.request(POST)
        self.run_for(4.9)
        self.assertNoResult(asking)
        self.run_for(0.2)
        self.assertIn("in time", str(self.failure(asking)))

    def test_no_address(self) -> None:
        """A base URL that is none."""
        for url in ("wss://a.test", "localhost:8000/v1", "https://a.test:port/", "https://ä.test/"):
            self.assertFalse(self.failure(self.net.request(Request(url))).retryable)

    def test_stop(self) -> None:
        """What is running is broken off, and what is kept closed."""
        _, running = self.answer(200, b"one")
        kept, reply = self.answer()
        reply.end()
        self.run_for()
        self.assertEqual(self.fakes.connections, 2)
        kept.abort()
        stopping = self.net.stop()
        self.run_for()
        self.successResultOf(stopping)
        self.assertTrue(running.gone)
        self.assertEqual(self.fakes.connections, 0)


class RawHttpTests(RawCase):
    """What depends on when a connection ends."""

    ANSWER = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

    def once(self) -> None:
        """One request that is answered, on a connection that is kept."""
        asking = self.net.request(POST)
        self.run_for()
        self.server.write(self.ANSWER)
        self.run_for()
        self.assertEqual(self.successResultOf(self.successResultOf(asking).text()), "ok")

    def test_idle(self) -> None:
        """A connection that has nothing to do is kept for a while."""
        self.once()
        self.run_for(IDLE_SECONDS - 1)
        self.assertFalse(self.server.lost)
        self.run_for(2)
        self.assertTrue(self.server.lost)

    def test_unread(self) -> None:
        """What nobody reads stays with the vendor."""
        asking = self.net.request(POST)
        self.run_for()
        self.server.write(b"HTTP/1.1 200 OK\r\nContent-Length: 400000\r\n\r\n")
        self.run_for()
        answer = self.successResultOf(asking)
        for piece in (b"a", b"b"):
            self.server.write(piece * 200_000)
            self.run_for()
        self.assertEqual(self.server.transport.unread, 400_000)
        keeper = BodyKeeper()
        answer.read(keeper)
        self.run_for()
        self.assertEqual((len(keeper.data), keeper.endings), (400_000, [None]))

    def test_stale(self) -> None:
        """A kept connection that is closed in the same moment costs no request, not even a POST."""
        self.once()
        self.once()
        self.assertEqual(len(self.raw.servers), 1)
        asking = self.net.request(POST)
        self.server.transport.abortConnection()
        self.run_for()
        self.assertEqual(len(self.raw.servers), 2)
        self.assertIn(b'{"a":1}', self.server.received)
        self.server.write(self.ANSWER)
        self.run_for()
        self.assertEqual(self.successResultOf(asking).status, 200)

    def test_answered_in_part(self) -> None:
        """A request of which the vendor has told something is not sent again."""
        self.once()
        asking = self.net.request(POST)
        self.run_for()
        self.server.write(b"HTTP/1.1 200 OK\r\nContent-")
        self.server.transport.loseConnection()
        error = self.failure(asking)
        self.assertEqual((len(self.raw.servers), error.retryable), (1, True))

    def test_fresh(self) -> None:
        """On a connection of its own a request is sent once."""
        asking = self.net.request(POST)
        self.run_for()
        self.server.transport.loseConnection()
        self.assertIn("without an answer", str(self.failure(asking)))
        self.assertEqual(len(self.raw.servers), 1)

    def test_cancelled_on_a_kept_connection(self) -> None:
        """Giving up is no reason to send it again."""
        self.once()
        asking = self.net.request(POST)
        self.run_for()
        asking.cancel()
        self.failureResultOf(asking, CancelledError)
        self.run_for()
        self.assertEqual(len(self.raw.servers), 1)

    def body(self, head: bytes, body: bytes) -> list[VendorFailed | None]:
        """How a body ends whose connection then does."""
        asking = self.net.request(POST)
        self.run_for()
        self.server.write(b"HTTP/1.1 200 OK\r\n" + head + b"\r\n" + body)
        self.run_for()
        keeper = BodyKeeper()
        self.successResultOf(asking).read(keeper)
        self.server.transport.loseConnection()
        self.run_for()
        self.assertEqual(keeper.data, b"ok")
        return keeper.endings

    def test_the_end_of_the_connection(self) -> None:
        """It is the end of a body that has no other; else the body is cut off."""
        self.assertEqual(self.body(b"", b"ok"), [None])
        (cut,) = self.body(b"Content-Length: 3\r\n", b"ok")
        self.assertIsInstance(cut, VendorFailed)
        (cut,) = self.body(b"Transfer-Encoding: chunked\r\n", b"2\r\nok\r\n")
        self.assertIsInstance(cut, VendorFailed)

    def test_garbage(self) -> None:
        """What is no HTTP is a failure, and sent once."""
        self.once()
        asking = self.net.request(POST)
        self.run_for()
        self.server.write(b"220 mail.test ESMTP\r\n\r\n")
        self.failure(asking)
        self.assertEqual(len(self.raw.servers), 1)
