"""What the providers of all vendors' voices have in common.

A vendor's file ends with::

    class AcmeSynthesizerProvider(SocketVoiceProvider[AcmeOptions]):
        vendor = "Acme"
        description = "Acme: 40 languages, 150 ms"
        options = AcmeOptions
        formats = (LINEAR_16K, MULAW_8K)

        def wire(
            self, options: AcmeOptions, account: Account, format: VoiceFormat
        ) -> Callable[[], VoiceWire]:
            key = account.need("key", "api_key", "apiKey")
            base = account.base_url("wss://api.acme.example")
            return lambda: AcmeWire(options, key, base, format)

    _conforms: type[SynthesizerProvider] = AcmeSynthesizerProvider
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, Generic, TypeVar

from twisted.internet.defer import Deferred, succeed

from rapida_tw.account import CREDENTIAL_FIELDS, NOBODY, Account
from rapida_tw.audio.format import AudioFormat, Encoding
from rapida_tw.options import read
from rapida_tw.speech.base import Host, Options, Synthesizer, SynthesizerProvider
from rapida_tw.speech.voices.format import VoiceFormat, VoiceOptions, choose
from rapida_tw.speech.voices.line import SocketVoice
from rapida_tw.speech.voices.upload import HttpVoice
from rapida_tw.speech.voices.wire import VoiceRequest, VoiceWire

Chosen = TypeVar("Chosen", bound=VoiceOptions)

LINEAR_8K: Final = VoiceFormat(Encoding.LINEAR16, 8_000)
LINEAR_16K: Final = VoiceFormat(Encoding.LINEAR16, 16_000)
LINEAR_24K: Final = VoiceFormat(Encoding.LINEAR16, 24_000)
MULAW_8K: Final = VoiceFormat(Encoding.MULAW, 8_000)
ALAW_8K: Final = VoiceFormat(Encoding.ALAW, 8_000)


class SocketVoiceProvider(Generic[Chosen]):
    """Of vendors that speak over a WebSocket.

    `vendor`: its name in sentences and metrics, with which every failure's text begins; `options`:
    a frozen dataclass that extends VoiceOptions; `formats`: what the vendor offers, and what it is
    asked for where neither options nor leg decide: the first.
    """

    remote = True
    vendor: str
    description: str
    options: type[Chosen]
    formats: tuple[VoiceFormat, ...]
    credential_fields: Mapping[str, str] = CREDENTIAL_FIELDS
    connects = True  # `start` shows whether the account is good

    def __init__(self, host: Host) -> None:
        self._host = host

    def wire(
        self, options: Chosen, account: Account, format: VoiceFormat
    ) -> Callable[[], VoiceWire]:
        """What makes the wire of each connection, in this format.

        `MisconfiguredAssistant` says what is missing or wrong: here, not in a call.
        """
        raise NotImplementedError

    def open(
        self, options: Options, account: Account = NOBODY, leg: AudioFormat | None = None
    ) -> Synthesizer:
        chosen = read(self.options, options, "speak.", self.vendor)
        format = choose(chosen, leg, self.formats, self.vendor)
        make_wire = self.wire(chosen, account, format)
        return SocketVoice(self._host.net, self._host.clock, self.vendor, make_wire, leg)

    def stop(self) -> Deferred[None]:
        return succeed(None)


class HttpVoiceProvider(Generic[Chosen]):
    """Of vendors that are asked for each phrase by a request; the attributes are the same.

    `follows_leg`: the vendor can be asked for each of `formats`; else they are what it may send.
    """

    remote = True
    vendor: str
    description: str
    options: type[Chosen]
    formats: tuple[VoiceFormat, ...]
    credential_fields: Mapping[str, str] = CREDENTIAL_FIELDS
    follows_leg = True

    def __init__(self, host: Host) -> None:
        self._host = host

    def request(self, options: Chosen, account: Account, format: VoiceFormat) -> VoiceRequest:
        """What asks for the phrases of one call, in this format; raises as `wire` does."""
        raise NotImplementedError

    def open(
        self, options: Options, account: Account = NOBODY, leg: AudioFormat | None = None
    ) -> Synthesizer:
        chosen = read(self.options, options, "speak.", self.vendor)
        wanted = leg if self.follows_leg else None
        format = choose(chosen, wanted, self.formats, self.vendor)
        request = self.request(chosen, account, format)
        return HttpVoice(self._host.net, self._host.clock, self.vendor, request, leg)

    def stop(self) -> Deferred[None]:
        return succeed(None)


_conforms: tuple[type[SynthesizerProvider], ...] = (SocketVoiceProvider, HttpVoiceProvider)
