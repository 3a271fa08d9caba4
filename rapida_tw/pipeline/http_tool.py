"""The tool `api_request`: the model asks a web service of the assistant's owner."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any, cast
from urllib.parse import quote, urlsplit

from treq.client import HTTPClient
from twisted.internet.defer import CancelledError, Deferred, TimeoutError
from twisted.internet.interfaces import IReactorTime
from twisted.internet.protocol import Protocol, connectionDone
from twisted.python.failure import Failure
from twisted.web.client import ResponseDone
from twisted.web.http import PotentialDataLoss
from twisted.web.http_headers import Headers

from rapida_tw.cancellable import cancellable
from rapida_tw.errors import CallError, Fault, MisconfiguredAssistant
from rapida_tw.models.base import Tool
from rapida_tw.pipeline.tools import Result, answer

TIMEOUT = 15.0  # seconds for the whole exchange (PRODUCT e.3)
LONGEST = 16_384  # bytes of an answer that a model can use
_PLACE = re.compile(r"\{(\w+)\}")
_METHODS = frozenset(("GET", "POST", "PUT", "PATCH", "DELETE"))


class RequestFailed(CallError):
    """The service did not answer, or not with success; the model is told."""

    fault, reason, status = Fault.VENDOR, "tool-failed", 502


class HttpTool:
    """One configured request; the model fills in `{argument}` parts of the URL and the body.

    Definition: `name`, `description`, `parameters` (JSON schema), `options` with `tool.endpoint`,
    `tool.method` (GET), `tool.headers` (object). Arguments that are not in the URL go into the
    query of a GET or DELETE, else into a JSON body. Redirects are not followed: the headers hold
    secrets, which are meant for this service alone.
    """

    def __init__(
        self, definition: Mapping[str, Any], http: HTTPClient, clock: IReactorTime
    ) -> None:
        """`MisconfiguredAssistant` names what is wrong with the definition."""
        self._http = http
        self._clock = clock
        name = str(definition.get("name") or "")
        if not (name.isascii() and name.replace("_", "").isalnum()):
            raise MisconfiguredAssistant(f"tools: {name!r} is no name (letters, digits, _)")
        options = _mapping(definition.get("options"), f"tools: {name}: options")
        self._url = str(options.get("tool.endpoint") or "")
        if not _is_web(self._url):
            raise MisconfiguredAssistant(f"tools: {name} needs tool.endpoint, an http(s) URL")
        self._method = str(options.get("tool.method") or "GET").upper()
        if self._method not in _METHODS:
            raise MisconfiguredAssistant(f"tools: {name}: tool.method {self._method!r}")
        headers = _mapping(options.get("tool.headers"), f"tools: {name}: tool.headers")
        self._headers = Headers({str(key): [str(value)] for key, value in headers.items()})
        self.tool = Tool(
            name,
            str(definition.get("description") or name),
            definition.get("parameters") or {"type": "object", "properties": {}},
        )

    def use(self, arguments: Mapping[str, Any]) -> Deferred[Result]:
        """Fires with status and body; errbacks with RequestFailed."""
        return Deferred.fromCoroutine(self._use(dict(arguments)))

    async def _use(self, arguments: dict[str, Any]) -> Result:
        places = set(_PLACE.findall(self._url))
        filling = {key: arguments.pop(key) for key in places & arguments.keys()}
        if places - filling.keys():
            raise RequestFailed(f"missing arguments: {', '.join(sorted(places - filling.keys()))}")
        url = _PLACE.sub(lambda place: _in_url(filling[place[1]]), self._url)
        body = Body()
        exchange = cancellable(Deferred.fromCoroutine(self._exchange(url, arguments, body)))
        exchange.addTimeout(TIMEOUT, self._clock)
        try:
            status = await exchange
        except TimeoutError:
            raise RequestFailed(f"no answer within {TIMEOUT:.0f} s") from None
        except CancelledError:
            raise
        except CallError:
            raise
        except Exception as error:
            raise RequestFailed(f"the service did not answer: {type(error).__name__}") from error
        if not 200 <= status < 300:
            raise RequestFailed(f"the service answered {status}")
        return answer({"status": status, "body": _readable(body.received)})

    async def _exchange(self, url: str, arguments: dict[str, Any], body: Body) -> int:
        in_query = self._method in ("GET", "DELETE")
        payload: dict[str, Any] = {"json": arguments}
        if in_query:
            payload = {"params": {key: _as_text(value) for key, value in arguments.items()}}
        response = await self._http.request(
            self._method,
            url,
            headers=self._headers,
            unbuffered=True,
            allow_redirects=False,
            **payload,
        )
        response.deliverBody(body)
        await body.done
        return int(response.code)


class Body(Protocol):
    """Keeps a response's body, bounded; cancelling `done` closes the connection."""

    def __init__(self) -> None:
        self.received = bytearray()
        self.done: Deferred[None] = Deferred(self._cancel)

    def _cancel(self, _: Deferred[None]) -> None:
        if self.transport is not None:
            self.transport.loseConnection()

    def dataReceived(self, data: bytes) -> None:
        self.received += data
        if len(self.received) > LONGEST and not self.done.called:
            del self.received[LONGEST:]
            self.done.callback(None)
            if self.transport is not None:
                self.transport.loseConnection()

    def connectionLost(self, reason: Failure = connectionDone) -> None:
        if self.done.called:
            return
        if reason.check(ResponseDone, PotentialDataLoss):
            self.done.callback(None)
        else:
            self.done.errback(reason)


def _is_web(url: str) -> bool:
    try:
        return urlsplit(url).scheme in ("http", "https")
    except ValueError:
        return False


def _mapping(value: object, what: str) -> Mapping[str, Any]:
    if not isinstance(value or {}, Mapping):
        raise MisconfiguredAssistant(f"{what} must be an object")
    return cast(Mapping[str, Any], value or {})


def _as_text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _in_url(value: object) -> str:
    text = _as_text(value)
    if text in (".", ".."):  # the only texts that mean something even when they are quoted
        raise RequestFailed(f"{text!r} is no argument")
    return quote(text, safe="")


def _readable(body: bytes | bytearray) -> object:
    try:
        return json.loads(body)
    except ValueError:
        return bytes(body).decode("utf-8", "replace")
