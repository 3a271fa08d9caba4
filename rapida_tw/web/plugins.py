"""/v1/carriers, /v1/speech, /v1/models: what is installed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import MISSING, fields, is_dataclass
from typing import Any

from rapida_tw.carriers.base import Carrier
from rapida_tw.store.credential_documents import field_documents
from rapida_tw.store.scopes import ANYTHING
from rapida_tw.web.answers import Answer
from rapida_tw.web.api import Api, Ask
from rapida_tw.web.operation import Operation, ref
from rapida_tw.web.ports import InThread, PlugIns
from rapida_tw.web.route import Route

_PLUG_INS = {"type": "array", "items": ref("PlugIn")}
_CARRIERS = Operation("listCarriers", "The carriers that are installed.", "Server", _PLUG_INS)
_SPEECH = Operation("listSpeech", "Recognisers, voices and detectors.", "Server", ref("Speech"))
_MODELS = Operation("listModels", "The models that are installed.", "Server", _PLUG_INS)


class Installed:
    """Plug-ins by name; looking at them starts none: a voice may take seconds to load.

    What one declares of itself is found in its class, in a thread: importing thirty files takes
    longer than a frame of anybody's call.
    """

    def __init__(
        self,
        carriers: Mapping[str, Carrier],
        speech: Mapping[str, PlugIns],
        models: PlugIns,
        in_thread: InThread,
    ) -> None:
        """`speech`: recognizers, synthesizers, detectors and live_models by these names."""
        self._known_carriers = carriers
        self._known_speech = speech
        self._known_models = models
        self._in_thread = in_thread

    def routes(self, api: Api) -> Iterator[Route]:
        yield Route("GET", "/v1/carriers", api(self.carriers, ANYTHING), operation=_CARRIERS)
        yield Route("GET", "/v1/speech", api(self.speech, ANYTHING), operation=_SPEECH)
        yield Route("GET", "/v1/models", api(self.models, ANYTHING), operation=_MODELS)

    async def carriers(self, ask: Ask) -> Answer:
        known = sorted(self._known_carriers.items())
        return Answer([_document(name, carrier) for name, carrier in known])

    async def speech(self, ask: Ask) -> Answer:
        kinds = self._known_speech.items()
        return Answer({kind: await self._list(plugins) for kind, plugins in kinds})

    async def models(self, ask: Ask) -> Answer:
        return Answer(await self._list(self._known_models))

    async def _list(self, plugins: PlugIns) -> list[dict[str, Any]]:
        known = {**await self._in_thread(plugins.declared), **plugins.made()}
        return [_document(name, known.get(name)) for name in sorted({*plugins.names(), *known})]


def _document(name: str, plugin: object | None) -> dict[str, Any]:
    """`description` may be null until the plug-in is in use, `options` unless it declares them.

    `credentialFields` is empty where any key is taken.
    """
    return {
        "name": name,
        "description": getattr(plugin, "description", None),
        "options": _options(getattr(plugin, "options", None)),
        "credentialFields": field_documents(getattr(plugin, "credential_fields", None) or {}),
    }


def _options(declared: object) -> list[dict[str, Any]] | None:
    """The fields of a plug-in's options, which are a dataclass; its own attribute `options`."""
    if not is_dataclass(declared):
        return None
    return [
        {
            "name": field.name,
            "type": field.type if isinstance(field.type, str) else field.type.__name__,
            "required": field.default is MISSING and field.default_factory is MISSING,
            "default": _plain(field.default),
        }
        for field in fields(declared)
    ]


def _plain(default: object) -> object:
    return default if isinstance(default, str | int | float | bool) else None
