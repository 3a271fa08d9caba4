"""SocketLiveProvider: what the providers of live models with a WebSocket have in common.

A vendor's file ends with::

    class AcmeLiveProvider(SocketLiveProvider[AcmeOptions]):
        vendor = "Acme"
        description = "Acme Live: speech to speech"
        options = AcmeOptions

        def wire(
            self, options: AcmeOptions, account: Account, leg: AudioFormat | None
        ) -> Callable[[str], LiveWire]:
            key = account.need("key", "api_key", "apiKey")
            return lambda handle: AcmeWire(options, key, handle)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from twisted.internet.defer import Deferred, succeed

from rapida_tw.account import CREDENTIAL_FIELDS, NOBODY, Account
from rapida_tw.audio.format import AudioFormat
from rapida_tw.models.live import LiveModel, LiveModelProvider
from rapida_tw.models.live_line import LiveLine
from rapida_tw.models.live_wire import LiveWire
from rapida_tw.options import read
from rapida_tw.speech.base import Host

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T", bound="DataclassInstance")


class SocketLiveProvider(Generic[T]):
    """`vendor`: its name in sentences and metrics; `options`: a frozen dataclass, all defaults.

    `tells_speech`: its wires tell SpeechStarted and SpeechStopped.
    """

    vendor: str
    description: str
    options: type[T]
    tells_speech: bool
    credential_fields: Mapping[str, str] = CREDENTIAL_FIELDS

    def __init__(self, host: Host) -> None:
        self._host = host

    def wire(
        self, options: T, account: Account, leg: AudioFormat | None
    ) -> Callable[[str], LiveWire]:
        """What makes the wire of each connection, out of the handle of the session before or "".

        Whatever can be wrong with options and account must be found here, not in a call:
        `MisconfiguredAssistant`.
        """
        raise NotImplementedError

    def open(
        self,
        options: Mapping[str, Any],
        account: Account = NOBODY,
        leg: AudioFormat | None = None,
    ) -> LiveModel:
        make_wire = self.wire(read(self.options, options, "model.", self.vendor), account, leg)
        host = self._host
        return LiveLine(host.net, host.clock, self.vendor, make_wire, self.tells_speech, leg)

    def stop(self) -> Deferred[None]:
        return succeed(None)


_conforms: type[LiveModelProvider] = SocketLiveProvider
