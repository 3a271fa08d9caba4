"""The configuration: frozen sections, read from TOML and the environment."""

from __future__ import annotations

from rapida_tw.config.load import ConfigError, find, load
from rapida_tw.config.secret_key import former_key, secret_key
from rapida_tw.config.sections import (
    AudioSocket,
    Config,
    Database,
    Http,
    Log,
    Metrics,
    Model,
    Recording,
    Redis,
    Server,
    Sip,
    Speech,
)

__all__ = [
    "AudioSocket",
    "Config",
    "ConfigError",
    "Database",
    "Http",
    "Log",
    "Metrics",
    "Model",
    "Recording",
    "Redis",
    "Server",
    "Sip",
    "Speech",
    "find",
    "former_key",
    "load",
    "secret_key",
]
