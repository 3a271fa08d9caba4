"""Options as pairs of texts, as `Metadata` of the contract has them, and as plain JSON here."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from rapida_tw.errors import BadRequest
from rapida_tw.rpc.messages.shared_pb2 import Metadata
from rapida_tw.store.records import VendorChoice

CREDENTIAL = "rapida.credential_id"  # whose account; among the options, as there is no field
MOST = 200  # pairs of one list


def read_pairs(pairs: Iterable[Metadata]) -> dict[str, Any]:
    """Of two with the same key, the last; `BadRequest` when there are too many."""
    read: dict[str, Any] = {pair.key.strip(): pair.value for pair in pairs if pair.key.strip()}
    if len(read) > MOST:
        raise BadRequest(f"more than {MOST} options")
    return read


def write_pairs(options: Mapping[str, Any]) -> list[Metadata]:
    """What is no text is its JSON."""
    return [
        Metadata(key=key, value=value if isinstance(value, str) else json.dumps(value))
        for key, value in options.items()
    ]


def choice_document(provider: str, options: Mapping[str, Any]) -> dict[str, Any]:
    """A vendor with its options as `documents.py` reads it."""
    own = dict(options)
    credential = own.pop(CREDENTIAL, None) or None
    return {"provider": provider.strip(), "credentialId": credential, "options": own}


def choice_options(choice: VendorChoice) -> dict[str, Any]:
    """The same back."""
    named = {} if choice.credential_id is None else {CREDENTIAL: str(choice.credential_id)}
    return {**choice.options, **named}


def structured(options: Mapping[str, Any]) -> dict[str, Any]:
    """Texts that are JSON objects or lists are taken for what they say."""
    return {key: _structured(value) for key, value in options.items()}


def _structured(value: Any) -> Any:
    if not isinstance(value, str) or value.lstrip()[:1] not in ("{", "["):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value
