"""A server that answers what it is told to, for clients over real connections."""

from __future__ import annotations

import json
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from types import TracebackType
from typing import Any


class Server(ThreadingHTTPServer):
    """`answers`: by method and path, each with (status, document, headers); None: it hangs up.

    `script`: what comes first, whatever is asked.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers: dict[tuple[str, str], Any] = {}
        self.script: list[Any] = []
        self.asked: list[tuple[str, str, dict[str, str], Any]] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def __enter__(self) -> Server:
        self._thread = Thread(target=self.serve_forever, args=(0.01,))
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    server: Server

    def _answer(self) -> None:
        size = int(self.headers.get("content-length", 0))
        body = json.loads(self.rfile.read(size)) if size else None
        told = {name.lower(): value for name, value in self.headers.items()}
        path = self.path.partition("?")[0]
        self.server.asked.append((self.command, self.path, told, body))
        script = self.server.script
        answer = script.pop(0) if script else self.server.answers[self.command, path]
        if answer is None:
            self.close_connection = True
            return
        status, document, headers = answer
        text = json.dumps(document).encode()
        self.send_response(status)
        for name, value in {"content-length": str(len(text)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(text)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _answer

    def log_message(self, *_: object) -> None:
        """Nothing on the terminal."""


def success(data: Any, **more: Any) -> Any:
    return 200, {"code": 200, "success": True, "data": data, **more}, {}


def refused(status: int, code: str, **headers: str) -> Any:
    error = {"errorCode": code, "errorMessage": "so it is", "humanMessage": "..."}
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return status, {"code": status, "success": False, "error": error}, named
