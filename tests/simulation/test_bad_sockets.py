"""Stories of WebSockets that never become a call, and of webhooks that nobody follows."""

from __future__ import annotations

import re
from uuid import uuid4

from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure

from rapida_tw.calls.admission import WAITING_A_CALL
from rapida_tw.carriers.base import IncomingCall
from rapida_tw.errors import CapacityExceeded
from rapida_tw.sim.farm import CARRIERS
from rapida_tw.sim.http import HttpRequest
from rapida_tw.sim.websocket import TEXT, frame
from rapida_tw.simulation import VirtualServer, done
from rapida_tw.transports import media_socket
from rapida_tw.transports.media_socket import START_WITHIN
from tests.simulation.sockets import BadSockets, MuteCarrier

JSON_CARRIERS = ("twilio", "exotel", "plivo", "telnyx")
UPGRADE = (
    "GET {path} HTTP/1.1\r\nHost: voice.test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n\r\n"
)


class Raw(Protocol):
    """Sends what it is given and keeps what comes."""

    def __init__(self, data: bytes = b"") -> None:
        self._data = data
        self.received = b""
        self.is_lost = False

    def connectionMade(self) -> None:
        assert self.transport is not None
        if self._data:
            self.transport.write(self._data)

    def dataReceived(self, data: bytes) -> None:
        self.received += data

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        self.is_lost = True


class Sockets(BadSockets):
    """With hands on the phases of a call."""

    def invited(self, carrier: str = "twilio") -> str:
        """Phase 1 alone: the path of the media socket."""
        one = CARRIERS[carrier](self.web.callee)
        asking = self.web.http(one.webhook(self.server.now()))
        self.wait(0.0)
        media = one.invited(self.successResultOf(asking), self.server.now())
        self.conversation_id = self.server.latest()
        return re.sub(r"^wss://[^/]*", "", media.url)

    def raw(self, data: str | bytes) -> Raw:
        client = Raw(data.encode() if isinstance(data, str) else data)
        self.web.connect(client)
        self.wait(0.0)
        return client

    def opened(self, path: str) -> Raw:
        """An upgrade to that path, and what came of it."""
        return self.raw(UPGRADE.format(path=path))

    def still_serves(self, path: str) -> None:
        """The context at that path has not been used up."""
        client = self.opened(path)
        self.assertIn(b" 101 ", client.received[:20])
        assert client.transport is not None
        client.transport.abortConnection()
        self.wait(0.0)


class NeverStartedTests(Sockets):
    """A socket that was opened, and nothing comes of it."""

    def failed(self, reason: str = "never-started") -> None:
        self.wait(0.5)  # it is written behind
        self.assertEqual(self.conversation().status, "failed")
        self.ended(reason)

    def test_idle(self) -> None:
        """Who opens a socket and says nothing is closed after ten seconds, as never started."""
        for carrier in (*JSON_CARRIERS, "vonage", "asterisk"):
            caller, _ = self.mute(carrier)
            self.strangers.append((caller, self.conversation_id))
        began = self.now
        self.run_to_the_end(14.0)
        for caller, conversation_id in self.strangers:
            self.conversation_id = conversation_id
            self.failed()
            self.assertEqual(str(caller.ending), "server_failed (1008 never-started)")
            self.assertAlmostEqual(caller.ended_at or 0.0, began + START_WITHIN)
        self.assertEqual(self.refused(), {"never-started": 6})

    def test_nonsense_first(self) -> None:
        """Who begins with what is no message of its carrier's is closed at once."""
        for carrier in (*JSON_CARRIERS, "vonage"):
            for text in ("{", "[]", '{"event":"start"}', '{"event":"start","start":7}'):
                if carrier == "vonage" and "start" in text:
                    continue  # which is an event like any other there
                caller, line = self.mute(carrier)
                line.say(text)
                self.wait(0.1)
                self.assertEqual(str(caller.ending), "server_failed (1008 never-started)", carrier)
                self.failed()
        self.run_to_the_end(20.0)

    def test_sound_first(self) -> None:
        """Sound of no stream is not heard; carriers that never send it so are closed for it."""
        for carrier in JSON_CARRIERS:
            caller, line = self.mute(carrier)
            line.say('{"event":"media","media":{"payload":"AAAA","track":"inbound"}}')
            self.wait(0.1)
            self.assertEqual(str(caller.ending), "server_failed (1008 never-started)", carrier)
            self.failed()
        for carrier in ("vonage", "asterisk"):
            caller, line = self.mute(carrier)
            for _ in range(20):
                line.say(bytes(160))
            self.wait(0.1)
            self.assertIsNone(caller.ending)
            line.hang_up()
            self.wait(0.1)
            self.failed()
        self.run_to_the_end(20.0)

    def test_large_first(self) -> None:
        """A message of a megabyte is refused by its length alone."""
        caller, line = self.mute()
        line.send_raw(frame(TEXT, b"", length=1 << 20))
        self.wait(0.1)
        self.assertTrue(str(caller.ending).startswith("server_failed (1009"))
        self.failed()
        self.run_to_the_end()

    def test_gone_at_once(self) -> None:
        """Who opens a socket and hangs up, cuts or resets has failed, and leaves nothing."""
        for leave in ("hang_up", "drop", "reset"):
            _, line = self.mute()
            getattr(line, leave)()
            self.wait(0.1)
            self.failed()
        self.run_to_the_end()

    def test_crowd(self) -> None:
        """So many may wait and no more: the next hears 503, and keeps the context."""
        self.patch(media_socket, "WAITING", 50)
        paths = [self.invited() for _ in range(51)]
        *opened, last = (self.opened(path) for path in paths)
        self.assertEqual({client.received[9:12] for client in opened}, {b"101"})
        self.assertEqual(last.received[9:12], b"503")
        assert last.transport is not None
        last.transport.loseConnection()
        self.wait(START_WITHIN + 2.0)
        self.still_serves(paths[-1])
        self.run_to_the_end(15.0)
        self.assertEqual(self.refused(), {"never-started": 51})


class RefusedTests(Sockets):
    """Sockets that are not opened: a plain answer by HTTP comes before any upgrade."""

    def status(self, path: str) -> bytes:
        """The answer to an upgrade; then the connection, which could be used on, is closed."""
        client = self.opened(path)
        assert client.transport is not None
        client.transport.loseConnection()
        return client.received[9:12]

    def test_unknown(self) -> None:
        """A context that was never given out is not found, whatever it looks like."""
        for context in (str(uuid4()), "x", "%00", "..", "a" * 3_000, "{contextId}", "%2e%2e%2f"):
            for carrier in ("twilio", "vonage", "asterisk"):
                self.assertEqual(self.status(f"/v1/talk/{carrier}/ctx/{context}"), b"404", context)
        self.assertEqual(self.status("/v1/talk/twilio/ctx"), b"404")
        self.assertEqual(self.status("/v1/talk/nobody/ctx/x"), b"404")
        self.run_to_the_end()

    def test_another_carriers(self) -> None:
        """A context serves its own carrier alone, which may still come."""
        path = self.invited("twilio")
        for carrier in ("vonage", "exotel", "asterisk", "plivo", "telnyx"):
            self.assertEqual(self.status(path.replace("twilio", carrier)), b"404")
        self.still_serves(path)
        self.run_to_the_end()

    def test_second(self) -> None:
        """A context serves once: who comes second is refused, and the first talks on."""
        carrier = MuteCarrier(CARRIERS["twilio"](self.web.callee))
        caller, _ = self.caller(carrier)
        self.assertEqual(self.status(re.sub(r"^wss://[^/]*", "", carrier.url)), b"404")
        self.assertIsNone(caller.ending)
        self.run_to_the_end()

    def test_late(self) -> None:
        """A context serves for 300 s; then its call has expired."""
        path = self.invited()
        self.server.clock.run(299.0)
        early = self.invited()
        self.server.clock.run(302.0)
        self.assertEqual(self.status(path), b"404")
        self.still_serves(early)
        self.run_to_the_end(310.0)

    def test_no_upgrade(self) -> None:
        """A GET that wants no WebSocket is told so, and the context waits on."""
        path = self.invited()
        for method in ("GET", "HEAD"):
            asking = self.web.http(HttpRequest(method, f"https://voice.test{path}"))
            self.wait(0.0)
            self.assertEqual(self.successResultOf(asking).status, 426)
        asking = self.web.http(HttpRequest("POST", f"https://voice.test{path}"))
        self.wait(0.0)
        self.assertGreaterEqual(self.successResultOf(asking).status, 400)
        self.still_serves(path)
        self.run_to_the_end()

    def test_bad_handshake(self) -> None:
        """An upgrade that is none is refused, and the context is put back for a better one."""
        path = self.invited()
        good = UPGRADE.format(path=path)
        for wrong in (
            good.replace("Version: 13", "Version: 7"),
            good.replace("Sec-WebSocket-Key", "X-Key"),
            good.replace("AAAA==", ""),
            good.replace("Connection: Upgrade", "Connection: close"),
        ):
            client = self.raw(wrong)
            self.wait(1.0)
            self.assertNotIn(b" 101 ", client.received[:20], wrong)
            self.assertTrue(client.is_lost or client.received, wrong)
            if not client.is_lost:
                assert client.transport is not None
                client.transport.loseConnection()
        self.wait(0.1)
        self.still_serves(path)
        self.run_to_the_end()

    def test_cut_handshake(self) -> None:
        """A handshake that breaks off at any place leaves the context as it was."""
        path = self.invited()
        whole = UPGRADE.format(path=path)
        for cut in range(0, len(whole) - 1, 17):
            client = self.raw(whole[:cut])
            assert client.transport is not None
            client.transport.abortConnection()
        self.wait(0.0)
        self.still_serves(path)
        self.run_to_the_end()

    def test_slow_handshake(self) -> None:
        """A request is whole within a minute, or its connection is closed."""
        whole = UPGRADE.format(path=self.invited()).encode()
        silent, slow = self.raw(b""), self.raw(b"")
        assert slow.transport is not None
        for number in range(70):
            slow.transport.write(whole[number : number + 1])
            self.wait(1.0)
        self.assertEqual((silent.is_lost, slow.is_lost), (True, True))
        self.run_to_the_end(310.0)  # the context has expired


class NobodyComesTests(Sockets):
    """Webhooks whose media never comes."""

    def test_ten_thousand(self) -> None:
        """Of ten thousand webhooks as many wait as may; after five minutes nothing is left."""
        server = VirtualServer({}, {}, max_calls=50)
        waiting = 0
        for number in range(10_000):
            incoming = IncomingCall("twilio", f"+1555{number:07}", provider_call_id=f"CA{number}")
            registering = server.calls.register(incoming, server.assistant_id, server.project_id)
            try:
                done(registering)
                waiting += 1
            except CapacityExceeded:
                continue
            server.clock.run(server.clock.seconds() + 0.001)
        self.assertEqual(waiting, 50 * WAITING_A_CALL)
        server.clock.run(server.clock.seconds() + 302.0)
        self.assertEqual(server.leftovers(), [])
        for number in (1, 5, 10):
            page = done(server.conversations.page(server.project_id, number, 100))
            self.assertEqual(page.total, waiting)
            self.assertEqual({one.status for one in page.items}, {"expired"})
        self.run_to_the_end()

    def test_webhook_again(self) -> None:
        """A carrier that repeats its webhook gets the same context, and one call comes of it."""
        one = CARRIERS["twilio"](self.web.callee)
        asking = [self.web.http(one.webhook(self.server.now())) for _ in range(3)]
        self.wait(0.0)
        urls = {one.invited(self.successResultOf(each), 0.0).url for each in asking}
        self.assertEqual(len(urls), 1)
        client = self.opened(re.sub(r"^wss://[^/]*", "", urls.pop()))
        self.assertIn(b" 101 ", client.received[:20])
        self.run_to_the_end(14.0)
        page = done(self.server.conversations.page(self.server.project_id, 1, 10))
        self.assertEqual(page.total, 2)
