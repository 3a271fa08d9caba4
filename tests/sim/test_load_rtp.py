"""The load by SIP and RTP, against a little server of its own on real sockets."""

from __future__ import annotations

import socket
import threading
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from uuid import uuid4

from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.sim.load import Load, Outcome
from rapida_tw.sim.load_process import main
from rapida_tw.sim.load_rtp import SipLoad, run
from rapida_tw.sim.sip_text import SipText, read, write

ECHOED = ("via", "from", "to", "call-id", "cseq")


class EchoServer:
    """Answers every INVITE and sends back what it hears; `status`: what it says to INVITEs.

    `deaf`: INVITEs whose first copy it does not hear. `hangs_up`: says BYE at the ACK.
    """

    def __init__(self, status: int = 200, deaf: int = 0, hangs_up: bool = False) -> None:
        self.methods: list[str] = []
        self.uris: set[str] = set()
        self._status, self._deaf, self._hangs_up = status, deaf, hangs_up
        self._sip = self._bound()
        self.port: int = self._sip.getsockname()[1]
        self._media = self._bound()
        self._threads = [
            threading.Thread(target=self._serve, daemon=True),
            threading.Thread(target=self._echo, daemon=True),
        ]
        for thread in self._threads:
            thread.start()

    @staticmethod
    def _bound() -> socket.socket:
        bound = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        bound.bind(("127.0.0.1", 0))
        bound.settimeout(0.05)
        return bound

    def close(self) -> None:
        self._open = False
        for thread in self._threads:
            thread.join(5)
        self._sip.close()
        self._media.close()

    _open = True

    def _echo(self) -> None:
        while self._open:
            try:
                data, source = self._media.recvfrom(2_048)
            except TimeoutError:
                continue
            self._media.sendto(data, source)

    def _serve(self) -> None:
        while self._open:
            try:
                data, source = self._sip.recvfrom(4_096)
            except TimeoutError:
                continue
            message = read(data)
            self.methods.append(message.method)
            if message.method == "INVITE":
                self.uris.add(message.uri)
                if self._deaf:
                    self._deaf -= 1
                    continue
                self._sip.sendto(self._answer(message), source)
            elif message.method == "BYE":
                self._sip.sendto(self._response(message, 200), source)
            elif message.method == "ACK" and self._hangs_up:
                bye = self._response(message, 0).replace(b"ACK", b"BYE")
                self._sip.sendto(bye.replace(b"SIP/2.0 0 So", b"BYE sip:x@y SIP/2.0"), source)

    def _answer(self, invite: SipText) -> bytes:
        if self._status >= 300:
            return self._response(invite, self._status)
        port = self._media.getsockname()[1]
        body = f"v=0\r\nc=IN IP4 127.0.0.1\r\nm=audio {port} RTP/AVP 0\r\n".encode()
        fields = [("Contact", f"<sip:127.0.0.1:{self.port}>"), ("Content-Type", "application/sdp")]
        return self._response(invite, 200, fields, body)

    @staticmethod
    def _response(
        request: SipText, status: int, more: list[tuple[str, str]] | None = None, body: bytes = b""
    ) -> bytes:
        fields = [(name, request.one(name)) for name in ECHOED]
        return write(f"SIP/2.0 {status} So", [*fields, *(more or ())], body)


class RtpLoadTests(SynchronousTestCase):
    def serve(self, status: int = 200, deaf: int = 0, hangs_up: bool = False) -> EchoServer:
        server = EchoServer(status, deaf, hangs_up)
        self.addCleanup(server.close)
        return server

    def run_load(self, server: EchoServer, probe: bool = False, seconds: float = 0.4) -> Outcome:
        contexts = [uuid4() for _ in range(3)]
        load = Load(contexts, port=server.port, seconds=seconds, settle=0.1, probe=probe)
        return run(load, SipLoad("5", "rpd-x"))

    def test_calls(self) -> None:
        """Every call has the key in its URI, is acknowledged, heard, and hung up."""
        server = self.serve()
        outcome = self.run_load(server)
        self.assertEqual((outcome.calls, outcome.ended_early, outcome.blocked), (3, 0, 0))
        self.assertEqual(sorted(server.methods), ["ACK"] * 3 + ["BYE"] * 3 + ["INVITE"] * 3)
        self.assertEqual(server.uris, {f"sip:5:rpd-x@127.0.0.1:{server.port}"})
        self.assertGreater(outcome.pacing.packets, 3 * 15)
        self.assertGreater(outcome.answer_p95_ms, 0.0)

    def test_lost_invite(self) -> None:
        """An INVITE that nobody heard is sent again after T1, and its answer took so long."""
        server = self.serve(deaf=1)
        outcome = self.run_load(server)
        self.assertEqual(outcome.ended_early, 0)
        self.assertEqual(server.methods.count("INVITE"), 4)
        self.assertGreater(outcome.answer_p95_ms, 400.0)

    def test_refused(self) -> None:
        """Calls that are refused are acknowledged, and counted as ended."""
        server = self.serve(status=503)
        outcome = self.run_load(server)
        self.assertEqual((outcome.ended_early, outcome.pacing.packets), (3, 0))
        self.assertEqual(server.methods.count("ACK"), 3)

    def test_server_hangs_up(self) -> None:
        """So are those that the server ends."""
        outcome = self.run_load(self.serve(hangs_up=True))
        self.assertEqual(outcome.ended_early, 3)

    def test_probe(self) -> None:
        """An echo answers a probe at once."""
        outcome = self.run_load(self.serve(), probe=True, seconds=2.0)
        self.assertEqual(len(outcome.answered_ms), 3)
        self.assertLess(max(outcome.answered_ms), 500.0)

    def test_process(self) -> None:
        """The process has it under the name sip, without phase 1."""
        server = self.serve()
        out, err = StringIO(), StringIO()
        words = f"--calls 2 --port {server.port} --transport sip --assistant 5 --rate 0"
        with redirect_stdout(out), redirect_stderr(err):
            status = main([*words.split(), "--seconds", "0.2", "--settle", "0.1"])
        self.assertEqual((status, err.getvalue()), (0, ""))
        self.assertIn('"calls": 2', out.getvalue())
