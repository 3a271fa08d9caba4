"""StreamedProvider: what the providers of all models behind an HTTP API have in common.

A vendor's file ends with::

    class AcmeProvider(StreamedProvider[AcmeOptions]):
        vendor = "Acme"
        description = "Acme: fast, no tools"
        options = AcmeOptions

        def dialect(self, options: AcmeOptions, account: Account) -> Dialect:
            key = account.need("key", "api_key", "apiKey")
            url = account.base_url("https://api.acme.example")
            return AcmeDialect(options, url, key, self.accepted(url, options.name))
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from twisted.internet.defer import Deferred, succeed

from rapida_tw.account import CREDENTIAL_FIELDS, NOBODY, Account
from rapida_tw.errors import MisconfiguredAssistant
from rapida_tw.models.accepted import Accepted
from rapida_tw.models.base import Model, ModelProvider
from rapida_tw.models.dialect import Dialect
from rapida_tw.models.streamed import StreamedModel
from rapida_tw.options import read
from rapida_tw.speech.base import Host

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

T = TypeVar("T", bound="DataclassInstance")

# What a credential may have: see `account.CREDENTIAL_FIELDS`.
MODEL_FIELDS: Mapping[str, str] = {
    **CREDENTIAL_FIELDS,
    "subscription_key": "The same as key.",
    "headers": "Optional: further headers of each request, a JSON object.",
}
KEYS = ("key", "api_key", "apiKey", "subscription_key")
_REMEMBERED = 256  # servers and models of which is known what they take
_STOPS = ("stop", "stop_sequences")  # white space counts in them, and commas
# Who pays is the vault's matter; the key is among the options all the same in Rapida's documents.
_NOT_OURS = frozenset(("credential_id", "rapida.credential_id"))


class StreamedProvider(Generic[T]):
    """`vendor`: its name in sentences and metrics; `options`: a frozen dataclass, all defaults."""

    vendor: str
    description: str
    options: type[T]
    credential_fields: Mapping[str, str] = MODEL_FIELDS

    def __init__(self, host: Host) -> None:
        self._host = host
        self._accepted: dict[tuple[str, str], Accepted] = {}

    def dialect(self, options: T, account: Account) -> Dialect:
        """One call's; `MisconfiguredAssistant` says what is missing.

        Whatever can be wrong with options and account must be found here, not in a call.
        """
        raise NotImplementedError

    def open(self, options: Mapping[str, Any], account: Account = NOBODY) -> Model:
        chosen = read(self.options, self._given(options), "model.", self.vendor)
        dialect = self.dialect(chosen, account)
        return StreamedModel(self._host.net, self._host.clock, dialect, self.vendor)

    def stop(self) -> Deferred[None]:
        return succeed(None)

    def _given(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """What is null or empty is not given; documents have objects where the SDK has JSON."""
        defaults = asdict(self.options())
        given = {}
        for key, value in options.items():
            name = key.removeprefix("model.")
            if name in _NOT_OURS or value is None or value == "":
                continue
            if isinstance(value, Mapping) and isinstance(defaults.get(name), str):
                value = json.dumps(value)
            if name in _STOPS and isinstance(value, str) and not value.startswith("["):
                value = value.split("<|||>")
            given[key] = value
        return given

    def accepted(self, url: str, model: str) -> Accepted:
        """What that server takes for that model, as far as is known; shared by its calls."""
        key = url, model
        if key not in self._accepted:
            if len(self._accepted) == _REMEMBERED:
                del self._accepted[next(iter(self._accepted))]  # the oldest
            self._accepted[key] = Accepted()
        return self._accepted[key]


def model_name(vendor: str, name: str, model_id: str, usual: str = "") -> str:
    """The model, out of the options `model.name` and `model.id`; the id may begin with a vendor.

    `MisconfiguredAssistant` when there is none.
    """
    prefix, slash, rest = model_id.partition("/")
    if slash and prefix.lower() == vendor.lower():
        model_id = rest
    chosen = name or model_id or usual
    if not chosen:
        raise MisconfiguredAssistant(f"{vendor} needs the option model.name")
    return chosen


_conforms: type[ModelProvider] = StreamedProvider
