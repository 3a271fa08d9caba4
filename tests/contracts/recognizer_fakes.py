"""Every recogniser with the fake of its vendor; one that is installed without a line here fails.

A fake takes `script` and `key`, and has `manners` (sim/vendors/listening.py).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from rapida_tw.sim.vendors.assemblyai import AssemblyAI
from rapida_tw.sim.vendors.aws_recognizer import AWSRecognizer
from rapida_tw.sim.vendors.azure_recognizer import AzureRecognizer
from rapida_tw.sim.vendors.cartesia_recognizer import CartesiaRecognizer
from rapida_tw.sim.vendors.custom_recognizer import CustomRecognizer
from rapida_tw.sim.vendors.deepgram import Deepgram
from rapida_tw.sim.vendors.elevenlabs_recognizer import ElevenLabsRecognizer
from rapida_tw.sim.vendors.gladia import Gladia
from rapida_tw.sim.vendors.google_speech import GoogleSpeech
from rapida_tw.sim.vendors.openai_recognizer import OpenAIRecognizer
from rapida_tw.sim.vendors.openai_transcription import OpenAITranscription
from rapida_tw.sim.vendors.sarvam_recognizer import SarvamRecognizer
from rapida_tw.sim.vendors.soniox import Soniox
from rapida_tw.sim.vendors.speechmatics import Speechmatics

KEY = "key-of-a-test-0123456789"


@dataclass(frozen=True, slots=True)
class Row:
    """`fake(script, KEY)`; `fields` of the credential; `options` beside the defaults.

    `socket`: it has a WebSocket for the whole call, and not a request for each utterance.
    `slowest`: seconds in which `finish` is answered, whatever the vendor does.
    """

    fake: Callable[[Sequence[str], str], Any]
    fields: Mapping[str, str] = field(default_factory=lambda: {"key": KEY})
    options: Mapping[str, Any] = field(default_factory=dict)
    socket: bool = True
    slowest: float = 2.0


def upload(host: str = "", **row: Any) -> Row:
    """A server that is sent each turn; `host`: one of the user's own."""

    def make(script: Sequence[str], key: str) -> OpenAITranscription:
        fake = OpenAITranscription(script, key)
        fake.hosts = (host, *fake.hosts)
        return fake

    return Row(make, **row, socket=False, slowest=5.5)


CUSTOM = {"baseUrl": "wss://ear.custom.example/v1", "headers": json.dumps({"X-Custom-Key": KEY})}
SAID = {"script": {"$path": "said"}, "confidence": {"$path": "sure"}}
# Of sim/vendors/custom_recognizer.py, as an assistant's owner would write them down.
RULES = {
    "listen.query_params": {"rate": 16_000},
    "listen.request_rules": [
        {
            "when": {"packet": "audio"},
            "send": {"frame": "json", "body": {"pcm": {"$var": "packet.audio.pcm_base64"}}},
        },
        {"when": {"packet": "finish"}, "send": {"frame": "json", "body": {"finish": True}}},
    ],
    "listen.response_rules": [
        {"when": {"path": "settled", "equals": False}, "emit": {**SAID, "interim": True}},
        {"when": {"path": "settled", "equals": True}, "emit": SAID},
        {"when": {"path": "kind", "equals": "fault"}, "emit": {"error": {"$path": "why"}}},
    ],
}

BY_HTTP = {
    **CUSTOM,
    "baseUrl": "https://ear.custom.example/v1",
    "apiCompatibility": "http_v1",
}
HTTP_RULES = {
    "listen.request_rules": [
        {
            "when": {"packet": "audio"},
            "send": {"frame": "json", "body": {"wav": {"$var": "packet.audio.wav_base64"}}},
        },
    ],
    "listen.response_rules": [{"when": {"path": "said"}, "emit": {"script": {"$path": "said"}}}],
}

# What is installed, by the name of its entry point; several rows of one where it has several ways.
ROWS: Mapping[str, Row] = {
    "deepgram": Row(Deepgram),
    "deepgram flux": Row(Deepgram, options={"listen.model": "flux-general-en"}),
    "assemblyai": Row(AssemblyAI),
    "custom": Row(CustomRecognizer, CUSTOM, RULES),
    "custom by http": Row(CustomRecognizer, BY_HTTP, HTTP_RULES, socket=False, slowest=5.5),
    "azure-speech-service": Row(AzureRecognizer, {"subscription_key": KEY, "region": "eastus"}),
    "google-speech-service": Row(GoogleSpeech, {"key": KEY, "project_id": "rapida-test"}),
    "openai": upload(),
    "openai streamed": upload(options={"listen.stream": "true"}),
    "openai whisper": upload(options={"listen.model": "whisper-1"}),
    "openai newer": upload(options={"listen.model": "gpt-transcribe", "listen.keyword": "Rapida"}),
    "groq": upload(),
    "openai-compatible": upload(
        "speech.local", fields={"base_url": "http://speech.local:8000/v1", "key": KEY}
    ),
    "aws": Row(
        AWSRecognizer,
        {"access_key_id": "AKIATEST", "secret_access_key": KEY, "region": "us-east-1"},
    ),
    "openai-realtime": Row(OpenAIRecognizer),
    "openai-realtime in pieces": Row(OpenAIRecognizer, options={"listen.model": "gpt-transcribe"}),
    "sarvamai": Row(SarvamRecognizer),
    "cartesia": Row(CartesiaRecognizer),
    "cartesia without turns": Row(CartesiaRecognizer, options={"listen.turns": "false"}),
    "elevenlabs": Row(ElevenLabsRecognizer),
    "elevenlabs by silence": Row(ElevenLabsRecognizer, options={"listen.endpointing": "300"}),
    "gladia": Row(Gladia),
    "soniox": Row(Soniox),
    "soniox with turns": Row(Soniox, options={"listen.turns": "true"}),
    "speechmatics": Row(Speechmatics),
    "sarvamai classic": Row(SarvamRecognizer, options={"listen.realtime": "false"}),
}

# Recognisers without a vendor.
OTHERS: Mapping[str, str] = {
    "local": "it has worker processes and no network: tests/speech/test_local_recognizer.py",
    "scripted": "it knows beforehand what will be said: tests/simulation",
}
