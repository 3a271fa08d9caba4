"""Rapida for Twisted programs: the same client, whose methods return Deferreds.

Cancelling a Deferred closes its connection.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectError, ConnectingCancelledError, DNSLookupError
from twisted.internet.task import deferLater
from twisted.python.failure import Failure
from twisted.web.client import Agent

from rapida_tw.client import api, campaign_api
from rapida_tw.client.connection import request
from rapida_tw.client.errors import ConnectionFailed, RapidaError
from rapida_tw.client.exchange import (
    RETRIES,
    TIMEOUT,
    Answer,
    Exchange,
    checked_key,
    checked_url,
    headers,
    result,
    wait_before_retry,
)

P = ParamSpec("P")
T = TypeVar("T")

# Before anything was written.
_NOT_SENT = (ConnectError, ConnectingCancelledError, DNSLookupError)


class Rapida:
    """A server, as one API key sees it."""

    def __init__(
        self,
        api_key: str,
        url: str = "http://localhost:9007",
        *,
        timeout: float = TIMEOUT,
        retries: int = RETRIES,
        reactor: Any = None,
        agent: Any = None,
    ) -> None:
        """`timeout`: seconds for a whole attempt; `retries`: attempts after the first."""
        if reactor is None:
            # A library's user has the one reactor of the process.
            from twisted.internet import reactor
        self._key = checked_key(api_key)
        self._url = checked_url(url)
        self._timeout = timeout
        self._retries = retries
        self._reactor = reactor
        self._agent = agent or Agent(reactor, connectTimeout=timeout)
        self.calls = Calls(self)
        self.campaigns = Campaigns(self)
        self.conversations = Conversations(self)
        self.messages = Messages(self)
        self.numbers = Numbers(self)
        self.assistants = Assistants(self)
        self.deployments = Deployments(self)
        self.credentials = Credentials(self)

    def __repr__(self) -> str:
        return f"Rapida(url={self._url!r})"

    def run(self, exchange: Exchange[T]) -> Deferred[T]:
        """Carry it out; `RapidaError`."""
        return Deferred.fromCoroutine(self._run(exchange))

    async def _run(self, exchange: Exchange[T]) -> T:
        attempt = 0
        while True:
            try:
                return result(exchange, await self._send(exchange))
            except RapidaError as error:
                wait = wait_before_retry(exchange, error, attempt, self._retries)
                if wait is None:
                    raise
            attempt += 1
            await deferLater(self._reactor, wait)

    def _send(self, exchange: Exchange[Any]) -> Deferred[Answer]:
        """One attempt; `ConnectionFailed`."""
        url, told = self._url + exchange.target, headers(self._key, exchange)
        sending = Deferred.fromCoroutine(
            request(self._agent, exchange.method, url, told, exchange.payload)
        )
        is_wanted = True

        def give_up(_: Deferred[Answer]) -> None:
            # Twisted has several errors for what was cancelled; none of them is to be tried again.
            nonlocal is_wanted
            is_wanted = False
            sending.cancel()

        answering: Deferred[Answer] = Deferred(give_up)
        timer = self._reactor.callLater(self._timeout, sending.cancel)

        def done(outcome: Answer | Failure) -> None:
            in_time = timer.active()
            if in_time:
                timer.cancel()
            if not is_wanted:
                return
            if isinstance(outcome, Failure):
                answering.errback(self._failure(outcome, in_time))
            else:
                answering.callback(outcome)

        sending.addBoth(done)
        return answering

    def _failure(self, failure: Failure, in_time: bool) -> ConnectionFailed:
        sent = failure.check(*_NOT_SENT) is None
        what = "broke off" if sent else "does not answer"
        reason = failure.getErrorMessage() or type(failure.value).__name__
        return ConnectionFailed(f"{self._url} {what}: {reason if in_time else 'timed out'}", sent)


def _bound(client: Rapida, describe: Callable[P, Exchange[T]]) -> Callable[P, Deferred[T]]:
    @wraps(describe)
    def call(*args: P.args, **kwargs: P.kwargs) -> Deferred[T]:
        return client.run(describe(*args, **kwargs))

    return call


class Calls:
    """Calls that are placed, and those on the phone."""

    def __init__(self, client: Rapida) -> None:
        self.create = _bound(client, api.create_call)
        self.create_bulk = _bound(client, api.create_calls)
        self.list = _bound(client, api.list_calls)
        self.get = _bound(client, api.get_call)
        self.hang_up = _bound(client, api.hang_up)
        self.transfer = _bound(client, api.transfer)
        self.send_digits = _bound(client, api.send_digits)
        self.hold = _bound(client, api.hold)
        self.say = _bound(client, api.say)


class Campaigns:
    """Many calls, one after the other."""

    def __init__(self, client: Rapida) -> None:
        self.create = _bound(client, campaign_api.create_campaign)
        self.list = _bound(client, campaign_api.list_campaigns)
        self.get = _bound(client, campaign_api.get_campaign)
        self.calls = _bound(client, campaign_api.list_campaign_calls)
        self.add = _bound(client, campaign_api.add_campaign_calls)
        self.pause = _bound(client, campaign_api.pause_campaign)
        self.resume = _bound(client, campaign_api.resume_campaign)
        self.cancel = _bound(client, campaign_api.cancel_campaign)
        self.delete = _bound(client, campaign_api.delete_campaign)


class Messages:
    """WhatsApp."""

    def __init__(self, client: Rapida) -> None:
        self.send = _bound(client, api.send_message)


class Numbers:
    """What carriers know of numbers."""

    def __init__(self, client: Rapida) -> None:
        self.insight = _bound(client, api.look_up_number)


class Conversations:
    """History."""

    def __init__(self, client: Rapida) -> None:
        self.list = _bound(client, api.list_conversations)
        self.get = _bound(client, api.get_conversation)


class Assistants:
    """Who answers and calls."""

    def __init__(self, client: Rapida) -> None:
        self.create = _bound(client, api.create_assistant)
        self.list = _bound(client, api.list_assistants)
        self.get = _bound(client, api.get_assistant)
        self.update = _bound(client, api.update_assistant)
        self.delete = _bound(client, api.delete_assistant)


class Deployments:
    """How assistants are on the phone."""

    def __init__(self, client: Rapida) -> None:
        self.get = _bound(client, api.get_deployment)
        self.set = _bound(client, api.set_deployment)


class Credentials:
    """Secrets of carriers and vendors."""

    def __init__(self, client: Rapida) -> None:
        self.create = _bound(client, api.create_credential)
        self.list = _bound(client, api.list_credentials)
        self.get = _bound(client, api.get_credential)
        self.verify = _bound(client, api.verify_credential)
        self.delete = _bound(client, api.delete_credential)
