"""The INVITE usage of a dialog: requests of ours within it, answers to theirs (RFC 3261 12.2).

A request's end is one response, always: no answer in time is a 408, a way that is gone a 503
(8.1.3.1). 408 and 481 mean that the far side does not know the dialog any more (RFC 5057 5.1).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from twisted.logger import Logger
from twisted.python.failure import Failure

from rapida_tw.errors import RemoteProtocolError
from rapida_tw.sip.base import Flow, ServerTransaction
from rapida_tw.sip.login import Login, Rounds
from rapida_tw.sip.settings import EXTENSIONS, METHODS, Stack
from rapida_tw.wire.sip_dialog import Dialog
from rapida_tw.wire.sip_message import Request, Response
from rapida_tw.wire.sip_uri import SipUri

Answered = Callable[[Response], None]
Fields = Iterable[tuple[str, str]]

SDP = "application/sdp"
ALLOW = ", ".join(METHODS)
SUPPORTED = ", ".join(EXTENSIONS)
OPEN_WITHIN = 32.0  # seconds, for a connection in place of one that is gone
_DEFAULT_PORTS = {"TLS": 5061}

# They refresh the remote target, so they and their answers carry a Contact (RFC 3261 12.2.1.1,
# RFC 3311 5.1, RFC 3515 2.2, RFC 6665 8.2.1).
_REFRESHING = ("INVITE", "UPDATE")
_WITH_CONTACT = (*_REFRESHING, "REFER", "NOTIFY")
# Of these a 481 is about a subscription or a provisional response, not about the call.
_OTHER_USAGE = ("NOTIFY", "PRACK")


def _as_it_is(request: Request) -> None:
    pass


class Usage:
    """One dialog and the way to its far side. `gone` is told why the dialog is no more."""

    def __init__(
        self,
        stack: Stack,
        dialog: Dialog,
        flow: Flow,
        login: Login | None,
        gone: Callable[[str], None],
    ) -> None:
        self.stack = stack
        self.dialog = dialog
        self.flow = flow
        self.login = login
        self.gone = gone

    @property
    def target(self) -> SipUri:
        """Where they say that they are; where they really are if that makes no sense."""
        try:
            target = SipUri.parse(self.dialog.target)
        except RemoteProtocolError:
            target = SipUri("")
        return target if target.host else SipUri(*self.flow.peer)

    def move(self, flow: Flow) -> None:
        """A new address of theirs shows first in where their requests come from (NAT)."""
        if flow != self.flow:
            self.flow = flow
            self.stack.calling(self.dialog, flow)

    def send(
        self,
        method: str,
        answered: Answered,
        body: bytes = b"",
        content_type: str = SDP,
        headers: Fields = (),
        complete: Callable[[Request], None] = _as_it_is,
    ) -> None:
        """`answered` gets the one final response, after challenges; of an INVITE the ACK is sent.

        `complete` adds what it has to each request that this takes.
        """
        _Asking(self, method, answered, body, content_type, tuple(headers), complete).send()

    def request(self, method: str, body: bytes, content_type: str, headers: Fields) -> Request:
        """With the dialog's next CSeq."""
        contact = self.stack.contact(self.flow) if method in _WITH_CONTACT else ""
        request = self.dialog.request(method, contact)
        if method in _REFRESHING:
            request.headers.set("Allow", ALLOW)
            request.headers.set("Supported", SUPPORTED)
        request.headers.set("User-Agent", self.stack.settings.user_agent)
        for name, value in headers:
            request.headers.add(name, value)
        if body:
            request.headers.set("Content-Type", content_type)
            request.body = body
        return request

    def response(
        self,
        request: Request,
        status: int,
        phrase: str = "",
        headers: Fields = (),
        body: bytes = b"",
    ) -> Response:
        """An answer to a request within the dialog, or to the INVITE that makes it."""
        response = request.answer(status, printable(phrase)[:100], self.dialog.local_tag)
        refreshed = request.method in _REFRESHING and 100 < status < 300
        if refreshed:
            response.headers.set("Contact", self.stack.contact(self.flow))
        if refreshed or status in (405, 501) or request.method == "OPTIONS":
            response.headers.set("Allow", ALLOW)
            response.headers.set("Supported", SUPPORTED)
        response.headers.set("Server", self.stack.settings.user_agent)
        for name, value in headers:
            response.headers.add(name, value)
        if body:
            response.headers.set("Content-Type", SDP)
            response.body = body
        return response

    def respond(
        self,
        transaction: ServerTransaction,
        status: int,
        phrase: str = "",
        headers: Fields = (),
        body: bytes = b"",
    ) -> None:
        response = self.response(transaction.request, status, phrase, headers, body)
        transaction.respond(response)


class _Asking:
    """One request of ours with all its rounds: a ClientUser."""

    _log = Logger()

    def __init__(
        self,
        usage: Usage,
        method: str,
        answered: Answered,
        body: bytes,
        content_type: str,
        headers: tuple[tuple[str, str], ...],
        complete: Callable[[Request], None],
    ) -> None:
        self._usage = usage
        self._method = method
        self._answered = answered
        self._body = body
        self._content_type = content_type
        self._headers = headers
        self._complete = complete
        self._rounds = Rounds(usage.login, usage.stack.random)
        self._request: Request
        self._ack: Request | None = None
        self._done = False

    def send(self) -> None:
        usage = self._usage
        headers = (*self._headers, *self._rounds.fields)
        self._request = usage.request(self._method, self._body, self._content_type, headers)
        self._complete(self._request)
        if usage.flow.open:
            self._send_on(usage.flow)
            return
        # The connection is gone. Back to where it came from, and nowhere that a Contact names.
        peer, transport = usage.flow.peer[0], usage.flow.transport
        port = usage.target.port or _DEFAULT_PORTS.get(transport, 5060)
        opening = usage.stack.flows.to(peer, port, transport)
        opening.addTimeout(OPEN_WITHIN, usage.stack.clock)
        opening.addCallbacks(self._opened, self._not_opened)
        opening.addErrback(lambda failure: self._log.failure("sending failed", failure))

    def _opened(self, flow: Flow) -> None:
        self._usage.move(flow)
        self._send_on(flow)

    def _not_opened(self, failure: Failure) -> None:
        self.request_failed(failure.getErrorMessage())

    def _send_on(self, flow: Flow) -> None:
        self._usage.stack.transactions.send(self._request, flow, self)

    # -- ClientUser -------------------------------------------------------------------------------

    def response_received(self, response: Response, flow: Flow) -> None:
        status = response.status
        if status < 200:
            return
        if self._method in _REFRESHING and status < 300 and not self._done:
            self._move(response)
        if self._method == "INVITE" and status < 300:
            self._acknowledge(flow)
        if self._done:
            return
        if self._rounds.met(self._request, response):
            self.send()
        else:
            self._finish(response)

    def request_failed(self, reason: str) -> None:
        if not self._done:
            timeout = reason == "timeout"
            self._finish(self._request.answer(408 if timeout else 503, reason))

    def _acknowledge(self, flow: Flow) -> None:
        """Each 2xx gets the same ACK, whatever has been sent since (13.2.2.4)."""
        if self._ack is None:
            self._ack = self._usage.dialog.ack(self._request)
        self._usage.stack.transactions.send_ack(self._ack, flow)

    def _move(self, response: Response) -> None:
        """A 2xx refreshes the remote target, before the ACK goes there."""
        try:
            self._usage.dialog.confirm(response)
        except RemoteProtocolError as error:
            self._log.warn("{to}: {error}", to=self._usage.dialog.remote.uri, error=error)

    def _finish(self, response: Response) -> None:
        self._done = True
        self._answered(response)
        if response.status in (408, 481) and self._method not in _OTHER_USAGE:
            self._usage.gone(f"{self._method} was answered {response.status} {response.phrase}")


def printable(text: str) -> str:
    """For a header or a reason phrase: what may come from the far side stays on its line."""
    return "".join(each if " " <= each <= "~" else " " for each in text)
