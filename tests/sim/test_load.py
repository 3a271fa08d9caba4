from __future__ import annotations

import json
import socket
import threading
from contextlib import redirect_stderr, redirect_stdout
from http.server import BaseHTTPRequestHandler, HTTPServer
from io import StringIO
from typing import ClassVar
from uuid import UUID, uuid4

from twisted.trial.unittest import SynchronousTestCase

from rapida_tw.sim.load import Load, Outcome, run
from rapida_tw.sim.load_process import NoContext, main, register

LOUD = b"\x10\x01\x40" + b"\0\x20" * 160


class EchoServer:
    """A blocking server on a port of the kernel's choice; one thread a call.

    `talks`: speaks instead of echoing, until it hears a voice. `hangs_up_after`: packets.
    """

    def __init__(self, talks: bool = False, hangs_up_after: int = 0) -> None:
        self.uuids: list[UUID] = []
        self._talks, self._hangs_up_after = talks, hangs_up_after
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def close(self) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(5)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._threads.append(threading.Thread(target=self._serve, args=(connection,)))
            self._threads[-1].start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as stream:
            self.uuids.append(UUID(bytes=stream.read(19)[3:]))
            answer, count = LOUD, 0
            while len(packet := stream.read(323)) == 323:
                count += 1
                if max(packet[4::2]) not in (0, 255):  # more than hiss
                    answer = bytes((0x10, 1, 0x40)) + bytes(320)
                try:
                    connection.sendall(answer if self._talks else packet)
                except OSError:
                    return
                if count == self._hangs_up_after:
                    return


class LoadTests(SynchronousTestCase):
    def serve(self, talks: bool = False, hangs_up_after: int = 0) -> EchoServer:
        server = EchoServer(talks, hangs_up_after)
        self.addCleanup(server.close)
        return server

    def run_load(self, server: EchoServer, probe: bool = False, seconds: float = 0.4) -> Outcome:
        self.contexts = [uuid4() for _ in range(3)]
        return run(Load(self.contexts, port=server.port, seconds=seconds, settle=0.1, probe=probe))

    def test_calls(self) -> None:
        """Every call says its UUID, is heard, and ends with the measurement."""
        server = self.serve()
        outcome = self.run_load(server)
        self.assertEqual(sorted(server.uuids), sorted(self.contexts))
        self.assertEqual((outcome.calls, outcome.ended_early, outcome.blocked), (3, 0, 0))
        self.assertGreater(outcome.pacing.packets, 3 * 10)
        self.assertGreater(outcome.calls_per_second, 0)

    def test_ended_early(self) -> None:
        """Calls that the server ends are counted, and their packets missed."""
        outcome = self.run_load(self.serve(hangs_up_after=8))
        self.assertEqual(outcome.ended_early, 3)
        self.assertGreater(outcome.pacing.lost, 3 * 5)

    def test_probe_of_an_echo(self) -> None:
        """A voice that comes back tells the way and back."""
        outcome = self.run_load(self.serve(), probe=True, seconds=1.5)
        self.assertEqual((len(outcome.answered_ms), outcome.stopped_ms), (3, ()))

    def test_probe_of_a_speaker(self) -> None:
        """A speaker that falls silent tells the time of a barge-in."""
        outcome = self.run_load(self.serve(talks=True), probe=True, seconds=1.5)
        self.assertEqual((len(outcome.stopped_ms), outcome.answered_ms), (3, ()))

    def test_nobody_listens(self) -> None:
        """Without a server there is no load."""
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
        self.assertRaises(OSError, run, Load([uuid4()], port=port))


class _Web(BaseHTTPRequestHandler):
    """Phase 1: a UUID for a known assistant and key, else an error with its reason."""

    protocol_version = "HTTP/1.1"
    requests: ClassVar[list[tuple[str, str | None]]] = []

    def do_GET(self) -> None:
        self.requests.append((self.path, self.headers["x-api-key"]))
        known = self.path.startswith("/v1/talk/asterisk/call/7?from=1555")
        body = str(uuid4()).encode() if known else b""
        self.send_response(200 if known else 404)
        if not known:
            self.send_header("X-Rapida-Error", "assistant-not-found")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


class RegisterTests(SynchronousTestCase):
    def setUp(self) -> None:
        _Web.requests.clear()
        web = HTTPServer(("127.0.0.1", 0), _Web)
        thread = threading.Thread(target=web.serve_forever, args=(0.01,))
        thread.start()
        self.addCleanup(web.server_close)
        self.addCleanup(thread.join, 5)
        self.addCleanup(web.shutdown)
        self.url = f"http://127.0.0.1:{web.server_port}"

    def test_contexts(self) -> None:
        """Each call gets a UUID of its own; the key is in a header only."""
        contexts = register(self.url, "7", "rpd-key", 3)
        self.assertEqual(len(set(contexts)), 3)
        path, key = _Web.requests[0]
        self.assertEqual((key, "rpd" in path), ("rpd-key", False))

    def test_refused(self) -> None:
        """A refusal's reason is told."""
        with self.assertRaisesRegex(NoContext, "HTTP 404: assistant-not-found"):
            register(self.url, "8", "rpd-key", 3)


class ProcessTests(SynchronousTestCase):
    def test_prints_json(self) -> None:
        """As a process it prints its outcome."""
        server = EchoServer()
        self.addCleanup(server.close)
        out = StringIO()
        with redirect_stdout(out):
            status = main(f"--calls 2 --port {server.port} --seconds 0.1 --settle 0.05".split())
        self.assertEqual(status, 0)
        self.assertEqual(json.loads(out.getvalue())["calls"], 2)

    def test_failure(self) -> None:
        """Without a server it says so in a sentence and fails."""
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
        errors = StringIO()
        with redirect_stderr(errors):
            status = main(f"--calls 1 --port {port}".split())
        self.assertEqual(status, 1)
        self.assertIn("ConnectionRefusedError", errors.getvalue())
