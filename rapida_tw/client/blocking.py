"""Rapida: the client that waits for each answer; for any script, and any number of threads.

The standard library is all that it needs.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable
from functools import wraps
from http.client import HTTPConnection, HTTPException, HTTPSConnection, IncompleteRead
from typing import Any, ParamSpec, TypeVar
from urllib.parse import urlsplit

from rapida_tw.client import api, campaign_api
from rapida_tw.client.errors import ConnectionFailed, RapidaError
from rapida_tw.client.exchange import (
    LONGEST,
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


class Rapida:
    """A server, as one API key sees it."""

    def __init__(
        self,
        api_key: str,
        url: str = "http://localhost:9007",
        *,
        timeout: float = TIMEOUT,
        retries: int = RETRIES,
        tls: ssl.SSLContext | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """`timeout`: seconds for each step of an attempt; `retries`: attempts after the first."""
        self._key = checked_key(api_key)
        self._url = checked_url(url)
        self._timeout = timeout
        self._retries = retries
        self._tls = tls
        self._sleep = sleep
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

    def run(self, exchange: Exchange[T]) -> T:
        """Carry it out; `RapidaError`."""
        attempt = 0
        while True:
            try:
                return result(exchange, self._send(exchange))
            except RapidaError as error:
                wait = wait_before_retry(exchange, error, attempt, self._retries)
                if wait is None:
                    raise
            attempt += 1
            self._sleep(wait)

    def _send(self, exchange: Exchange[Any]) -> Answer:
        """One attempt over a connection of its own: threads share nothing."""
        parts = urlsplit(self._url)
        host, port = parts.hostname or "", parts.port
        if parts.scheme == "https":
            connection: HTTPConnection = HTTPSConnection(
                host, port, timeout=self._timeout, context=self._tls
            )
        else:
            connection = HTTPConnection(host, port, timeout=self._timeout)
        sent = False
        try:
            connection.connect()
            sent = True
            target = parts.path + exchange.target
            connection.request(
                exchange.method, target, exchange.payload, headers(self._key, exchange)
            )
            with connection.getresponse() as response:
                body = response.read(LONGEST)
                if response.length and len(body) < LONGEST:
                    raise IncompleteRead(b"", response.length)
        except (OSError, HTTPException) as error:
            reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
            what = "broke off" if sent else "does not answer"
            raise ConnectionFailed(f"{self._url} {what}: {reason}", sent) from None
        finally:
            connection.close()
        told = {name.lower(): value for name, value in response.getheaders()}
        return Answer(response.status, told, body)


def _bound(client: Rapida, describe: Callable[P, Exchange[T]]) -> Callable[P, T]:
    @wraps(describe)
    def call(*args: P.args, **kwargs: P.kwargs) -> T:
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
