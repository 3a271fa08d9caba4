"""Every voice with the fake of its vendor; one that is installed without a line here fails.

A fake takes `key`, has `manners` (sim/vendors/delivery.py), and speaks in tones
(sim/vendors/speaking.py).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from rapida_tw.sim.vendors.azure_voice import AzureVoice
from rapida_tw.sim.vendors.cartesia_voice import Cartesia
from rapida_tw.sim.vendors.custom_voice import CustomVoice
from rapida_tw.sim.vendors.deepgram_voice import DeepgramVoice
from rapida_tw.sim.vendors.delivery import Trouble
from rapida_tw.sim.vendors.elevenlabs_voice import ElevenLabs
from rapida_tw.sim.vendors.google_voice import GoogleVoice
from rapida_tw.sim.vendors.openai_voice import OpenAI
from rapida_tw.sim.vendors.polly import Polly
from rapida_tw.sim.vendors.rime import Rime
from rapida_tw.sim.vendors.sarvam_voice import SarvamVoice

KEY = "key-of-a-test-0123456789"


@dataclass(frozen=True, slots=True)
class Row:
    """`fake(KEY)`; `fields` of the credential; `options` beside the defaults.

    `socket`: it has a WebSocket for the whole call, and not a request for each phrase. `words`: it
    tells when words are spoken. `whole`: all of a phrase comes at once, when it is complete.
    `never`: what cannot befall this vendor.
    """

    fake: Callable[[str], Any]
    fields: Mapping[str, str] = field(default_factory=lambda: {"key": KEY})
    options: Mapping[str, Any] = field(default_factory=dict)
    socket: bool = True
    words: bool = False
    whole: bool = False
    never: frozenset[Trouble] = frozenset()


OURS = {"key": KEY, "base_url": "https://api.openai.com/v1"}
# What cannot befall an answer that comes all at once.
IN_PARTS = frozenset((Trouble.DROP_MIDWAY, Trouble.STALL, Trouble.NO_DONE))
AWS = {"access_key_id": "AKIAEXAMPLE", "secret_access_key": KEY}

CUSTOM = {"baseUrl": "wss://voice.custom.example/v1", "headers": json.dumps({"X-Custom-Key": KEY})}
ID = {"$var": "packet.message_id"}
WHOSE = {"$path": "id"}
SOUND = {"$decode": "base64", "value": {"$path": "data"}}
# Of sim/vendors/custom_voice.py, as an assistant's owner would write them down.
RULES = {
    "speak.query_params": {"rate": 16_000},
    "speak.request_rules": [
        {
            "when": {"packet": "text"},
            "send": {"frame": "json", "body": {"say": {"$var": "packet.text"}, "id": ID}},
        },
        {"when": {"packet": "done"}, "send": {"frame": "json", "body": {"end": ID}}},
        {"when": {"packet": "interrupt"}, "send": {"frame": "json", "body": {"stop": ID}}},
    ],
    "speak.response_rules": [
        {
            "when": {"path": "kind", "equals": "sound"},
            "emit": {"audio": SOUND, "message_id": WHOSE},
        },
        {
            "when": {"path": "kind", "equals": "over"},
            "emit": {"done": True, "message_id": WHOSE},
        },
        {"when": {"path": "kind", "equals": "fault"}, "emit": {"error": {"$path": "why"}}},
    ],
}

# What is installed, by the name of its entry point; several rows of one where it has several ways.
ROWS: Mapping[str, Row] = {
    "elevenlabs": Row(ElevenLabs, words=True),
    "cartesia": Row(Cartesia, words=True),
    "deepgram": Row(DeepgramVoice),
    "deepgram flux": Row(DeepgramVoice, options={"speak.voice.id": "flux-haley-en"}),
    "azure": Row(AzureVoice, {"key": KEY, "region": "eastus"}, socket=False),
    "azure-speech-service": Row(
        AzureVoice, {"subscription_key": KEY, "region": "West Europe"}, socket=False
    ),
    "sarvamai": Row(SarvamVoice),
    "sarvamai wav": Row(partial(SarvamVoice, headed=True), options={"speak.voice.id": "ritu"}),
    "polly": Row(Polly, {**AWS, "region": "us-east-1"}, socket=False),
    "aws": Row(Polly, AWS, {"speak.region": "eu-west-1"}, socket=False),
    "rime": Row(Rime, socket=False),
    "google": Row(GoogleVoice, socket=False, whole=True, never=IN_PARTS),
    "google-speech-service": Row(GoogleVoice, socket=False, whole=True, never=IN_PARTS),
    "custom": Row(CustomVoice, CUSTOM, RULES),
    "openai": Row(OpenAI, socket=False),
    "groq": Row(OpenAI, socket=False),
    "openai-compatible": Row(OpenAI, OURS, socket=False),
    "openai-compatible wav": Row(
        partial(OpenAI, kind="wav", rate=22_050), OURS, {"model": "tts-1"}, socket=False
    ),
}

# Voices without a vendor.
OTHERS: Mapping[str, str] = {
    "local": "it has engines in threads and no network: tests/speech/test_local_voice.py",
    "scripted": "it hums: tests/simulation",
}
