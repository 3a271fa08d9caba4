"""In what form a vendor is asked for its sound, and how providers open a voice with that."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from twisted.internet.task import Clock

from rapida_tw.account import Account
from rapida_tw.audio.format import AudioFormat, Encoding
from rapida_tw.errors import MisconfiguredAssistant
from rapida_tw.speech.base import Host
from rapida_tw.speech.voices.format import VoiceFormat, VoiceOptions, choose
from rapida_tw.speech.voices.provider import (
    LINEAR_16K,
    LINEAR_24K,
    MULAW_8K,
    HttpVoiceProvider,
    SocketVoiceProvider,
)
from rapida_tw.speech.voices.wire import VoiceRequest, VoiceWire
from tests.speech.voices.stand_in import PlainNet, PlainRequest, PlainWire

OFFERED = (LINEAR_16K, LINEAR_24K, MULAW_8K)
PHONE = AudioFormat(Encoding.MULAW, 8_000)


@pytest.mark.parametrize(
    ("encoding", "rate", "leg", "chosen"),
    [
        ("", 0, None, LINEAR_16K),
        ("", 0, PHONE, MULAW_8K),
        ("", 0, AudioFormat(Encoding.ALAW, 8_000), LINEAR_16K),
        ("LINEAR16", 0, PHONE, LINEAR_16K),
        ("linear16", 24_000, PHONE, LINEAR_24K),
        ("", 24_000, None, LINEAR_24K),
        ("MuLaw8", 0, None, MULAW_8K),
        ("pcm_mulaw", 8_000, None, MULAW_8K),
    ],
)
def test_chosen(encoding: str, rate: int, leg: AudioFormat | None, chosen: VoiceFormat) -> None:
    """Options first, then the leg's own, then the vendor's first."""
    assert choose(VoiceOptions("", encoding, rate), leg, OFFERED, "Acme") == chosen


@pytest.mark.parametrize(
    ("encoding", "rate", "sentence"),
    [
        ("mp3", 0, "audio.encoding must be linear16, mulaw or alaw, not 'mp3'"),
        ("alaw", 0, "it has: linear16 at 16000, linear16 at 24000, mulaw at 8000"),
        ("mulaw", 16_000, "does not offer"),
    ],
)
def test_not_offered(encoding: str, rate: int, sentence: str) -> None:
    """What the vendor does not have is refused, with what it has."""
    with pytest.raises(MisconfiguredAssistant, match="Acme") as caught:
        choose(VoiceOptions("", encoding, rate), PHONE, OFFERED, "Acme")
    assert sentence in str(caught.value)


@dataclass(frozen=True, slots=True)
class AcmeOptions(VoiceOptions):
    voice_id: str = "bob"


class AcmeProvider(SocketVoiceProvider[AcmeOptions]):
    vendor = "Acme"
    description = "Acme"
    options = AcmeOptions
    formats = OFFERED

    def wire(
        self, options: AcmeOptions, account: Account, format: VoiceFormat
    ) -> Callable[[], VoiceWire]:
        self.made = (options.voice_id, account.need("key"), format)
        return PlainWire


class AcmeHttpProvider(HttpVoiceProvider[AcmeOptions]):
    vendor = "Acme"
    description = "Acme"
    options = AcmeOptions
    formats = OFFERED

    def request(self, options: AcmeOptions, account: Account, format: VoiceFormat) -> VoiceRequest:
        self.made = (options.voice_id, account.need("key"), format)
        return PlainRequest()


@pytest.mark.parametrize("kind", [AcmeProvider, AcmeHttpProvider])
def test_opened(kind: type[AcmeProvider | AcmeHttpProvider]) -> None:
    """Options, account and leg reach the vendor's file; what is wrong with them is told here."""
    provider = kind(Host(Clock(), Path(), PlainNet()))
    options = {"speak.voice.id": "eve", "speak.audio.sample_rate": "8000"}
    provider.open(options, Account("acme", {"key": "secret"}), PHONE)
    assert provider.made == ("eve", "secret", MULAW_8K)
    with pytest.raises(MisconfiguredAssistant, match="needs a key"):
        provider.open({}, Account("acme"), PHONE)
    with pytest.raises(MisconfiguredAssistant, match="no option"):
        provider.open({"speak.pitch": 1}, Account("acme", {"key": "secret"}))
