"""The one place where what went wrong becomes an HTTP answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from twisted.internet.defer import TimeoutError
from twisted.logger import Logger
from twisted.python.failure import Failure
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from rapida_tw.carriers.base import Carrier, Document
from rapida_tw.errors import BadRequest, CallError, Fault, NotFound, Unavailable
from rapida_tw.metrics import Counter
from rapida_tw.web.answers import RefusedCall, error_document
from rapida_tw.web.peer import Proxies
from rapida_tw.web.request import BoundedRequest
from rapida_tw.web.talk import CALL, PREFIX

refused = Counter(
    "rapida_webhooks_refused_total",
    "Requests of carriers that were refused.",
    ("carrier", "reason"),
)


class NoRoute(NotFound):
    """There is nothing at this address."""

    reason = "no-such-route"


class WrongMethod(CallError):
    """The address is right, but not for this method."""

    fault, reason, status = Fault.CALLER, "method-not-allowed", 405


class Failures:
    """Answers in JSON, and below /v1/talk/{carrier}/ in the carrier's own form."""

    _log = Logger()

    def __init__(self, carriers: Mapping[str, Carrier], proxies: Proxies) -> None:
        self._carriers = carriers
        self._proxies = proxies

    def __call__(self, request: BoundedRequest, failure: Failure) -> Document:
        error = self._call_error(failure)
        carrier = self._carrier(request)
        if error is None:
            self._log.failure("{request} failed", failure, request=_name(request))
            # Not the exception's text: it may hold anything.
            error = CallError("something went wrong on the server")
        else:
            tell = self._log.info if carrier is None else self._log.warn
            tell(
                "{request} of {client} refused: {reason}: {error}",
                client=self._proxies.client(request),
                request=_name(request),
                reason=error.reason,
                error=error,
            )
        if isinstance(failure.value, MethodNotAllowed):
            allowed = ", ".join(sorted(failure.value.valid_methods or ()))
            request.setHeader("Allow", allowed)
        if carrier is None:
            return error_document(error)
        refused.inc(carrier.name, error.reason)
        apology = carrier.apology(error)
        # Only what answers a new call is read to somebody, and so may have to be a success.
        is_read = request.route in ("", CALL) and not isinstance(error, WrongMethod)
        return apology if is_read else replace(apology, status=error.status)

    def _call_error(self, failure: Failure) -> CallError | None:
        error = failure.value
        if isinstance(error, CallError):
            told = isinstance(error, RefusedCall) and error.cause.status != CallError.status
            return error if told or error.status != CallError.status else None
        if isinstance(error, TimeoutError):
            return Unavailable("no answer could be given in time")
        if isinstance(error, MethodNotAllowed):
            return WrongMethod("this address does not take that method")
        if isinstance(error, HTTPException):
            if error.code == NotFound.status:
                return NoRoute("there is nothing at this address")
            return BadRequest("the request makes no sense")
        return None

    def _carrier(self, request: BoundedRequest) -> Carrier | None:
        path = "/" + request.path.decode("utf-8", "replace").lstrip("/")
        name, _, below = path.removeprefix(PREFIX).partition("/")
        return self._carriers.get(name) if path.startswith(PREFIX) and below else None


def _name(request: BoundedRequest) -> str:
    """For the log; without the query, which may hold the key."""
    return f"{request.method.decode('ascii')} {request.path.decode('utf-8', 'replace')}"
