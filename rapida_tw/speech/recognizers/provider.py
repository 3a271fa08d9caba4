"""SocketRecognizerProvider: what the providers of all vendors with a WebSocket have in common.

A vendor's file ends with::

    class AcmeRecognizerProvider(SocketRecognizerProvider[AcmeOptions]):
        vendor = "Acme"
        description = "Acme: streaming, 30 languages"
        options = AcmeOptions

        def wire(self, options: AcmeOptions, account: Account) -> Callable[[], RecognizerWire]:
            key = account.need("key", "api_key", "apiKey")
            base = account.base_url("wss://api.acme.example")
            return lambda: AcmeWire(options, key, base)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Generic, TypeVar

from twisted.internet.defer import Deferred, succeed

from rapida_tw.account import CREDENTIAL_FIELDS, NOBODY, Account
from rapida_tw.options import read
from rapida_tw.speech.base import Host, Options, Recognizer, RecognizerProvider
from rapida_tw.speech.recognizers.line import SocketRecognizer
from rapida_tw.speech.recognizers.wire import RecognizerWire

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T", bound="DataclassInstance")


class SocketRecognizerProvider(Generic[T]):
    """`vendor`: its name in sentences and metrics; `options`: a frozen dataclass, all defaults."""

    vendor: str
    description: str
    options: type[T]
    credential_fields: Mapping[str, str] = CREDENTIAL_FIELDS
    connects = True  # `start` shows whether the account is good

    def __init__(self, host: Host) -> None:
        self._host = host

    def wire(self, options: T, account: Account) -> Callable[[], RecognizerWire]:
        """What makes the wire of each connection; `MisconfiguredAssistant` says what is missing.

        Whatever can be wrong with options and account must be found here, not in a call.
        """
        raise NotImplementedError

    def open(self, options: Options, account: Account = NOBODY) -> Recognizer:
        chosen = read(self.options, options, "listen.", self.vendor)
        make_wire = self.wire(chosen, account)
        return SocketRecognizer(self._host.net, self._host.clock, self.vendor, make_wire)

    def stop(self) -> Deferred[None]:
        return succeed(None)


_conforms: type[RecognizerProvider] = SocketRecognizerProvider
