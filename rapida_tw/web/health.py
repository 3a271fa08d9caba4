"""/healthz/, /readiness/ and the front page: is anybody there, and does it take calls?"""

from __future__ import annotations

from collections.abc import Iterator

from rapida_tw.carriers.base import Document
from rapida_tw.web.answers import json_document
from rapida_tw.web.operation import Operation, ref
from rapida_tw.web.ports import CallRegister
from rapida_tw.web.route import Route, only

_FRONT_PAGE = b"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>rapida_tw</title>
<h1>rapida_tw</h1>
<p>An open telephony server that lets an AI assistant talk on the phone.</p>
<p><a href="/readiness/">Does it take calls?</a></p>
</html>
"""


_STATUS = {"application/json": ref("Health")}
_FRONT = Operation(
    "getFrontPage", "A page for people.", "Server", media={"text/html": {}}, is_open=True
)
_HEALTHZ = Operation("getHealth", "The process lives.", "Server", media=_STATUS, is_open=True)
_READINESS = Operation(
    "getReadiness",
    "New calls are taken; 503 says why none is.",
    "Server",
    media=_STATUS,
    is_open=True,
    own_errors=True,
)


class Health:
    """For load balancers, and for people with curl."""

    def __init__(self, calls: CallRegister) -> None:
        self._calls = calls

    def routes(self) -> Iterator[Route]:
        yield Route("GET", "/", only(self.front_page), operation=_FRONT)
        yield Route("GET", "/healthz/", only(self.healthz), operation=_HEALTHZ)
        yield Route("GET", "/readiness/", only(self.readiness), operation=_READINESS)

    def front_page(self) -> Document:
        return Document(_FRONT_PAGE, "text/html; charset=utf-8")

    def healthz(self) -> Document:
        """The process lives: it answers."""
        return json_document({"status": "ok"})

    def readiness(self) -> Document:
        """200 while new calls are taken, else 503 with the reason."""
        reason = self._calls.ready
        if reason:
            return json_document({"status": "unavailable", "reason": reason}, 503)
        return json_document({"status": "ok"})
