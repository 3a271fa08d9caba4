"""Credentials as JSON documents (INTERFACE, section 4): values go in and never come out.

No mistake repeats anything of a value, nor the name of a key that is not known: who has mixed up
names and values would find a secret in the log.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from rapida_tw.errors import BadRequest, NotFound
from rapida_tw.store.documents import Document, timestamp
from rapida_tw.store.private_key import normalised
from rapida_tw.store.reading import Reading, text
from rapida_tw.store.records import Credential, CredentialStore, Deployment, VendorChoice
from rapida_tw.store.vault import Secrets
from rapida_tw.store.webhook_documents import PROVIDER as WEBHOOK

# By provider: the keys of its value, each with a sentence. Of other providers any key is taken.
Known = Mapping[str, Mapping[str, str]]
# How the sentence of a key begins that is another spelling of the one that it names.
ANOTHER_SPELLING = "The same as "

# Headers are set where the webhook is, and in no other way.
WEBHOOK_FIELDS: Mapping[str, str] = {"secret": "What an assistant's webhook is signed with."}

MOST_KEYS = 64
LONGEST = 16 * 1024  # bytes of one value
PRIVATE_KEY = "private_key"  # the key whose value is PEM, wherever it is known
_STAMPS = ("id", "projectId", "keysSet", "createdDate", "updatedDate", "lastUsedDate")
_KEY = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,63}")
_PROVIDER = re.compile(r"[a-z0-9][a-z0-9_.-]{0,99}")

_name = text(200, shortest=1)


@dataclass(frozen=True, slots=True)
class NewCredential:
    """What a POST describes."""

    name: str
    provider: str
    value: Secrets


def known_fields(carriers: Mapping[str, Any], *vendors: Mapping[str, Any]) -> Known:
    """What the plug-ins declare as `credential_fields`; `vendors`: those of each kind, by name.

    Plug-ins of one name share their credentials, and so their keys. Where one of them declares
    none, any key is taken.
    """
    known = {name: carrier.credential_fields for name, carrier in carriers.items()}
    for plugins in vendors:
        for name, plugin in plugins.items():
            declared = getattr(plugin, "credential_fields", None) or {}
            before = known.get(name, declared)
            known[name] = {**declared, **before} if before and declared else {}
    return {**known, WEBHOOK: WEBHOOK_FIELDS}


def field_documents(fields: Mapping[str, str]) -> list[Document]:
    """What may be set, for the lists of plug-ins: `sameAs` is the spelling that is kept."""
    return [
        {"name": name, "description": sentence, "sameAs": _same_as(name, sentence)}
        for name, sentence in fields.items()
    ]


def _same_as(name: str, sentence: str) -> str | None:
    """The key that this one is another spelling of."""
    if not sentence.startswith(ANOTHER_SPELLING):
        return None
    return sentence.removeprefix(ANOTHER_SPELLING).removesuffix(".")


def new_credential(document: object, known: Known) -> NewCredential:
    """`BadRequest` tells all mistakes."""
    reading = Reading(document)
    reading.skip(*_STAMPS)
    for key in ("name", "provider", "value"):
        if isinstance(document, dict) and document.get(key) is None:
            reading.skip(key)
            reading.wrong(key, "is required")
    provider = reading.value("provider", _provider, "", "")
    new = NewCredential(
        reading.value("name", _name, "", ""),
        provider,
        reading.value("value", _value(known.get(provider, {})), _NOTHING, _NOTHING),
    )
    reading.finish()
    return new


def changed_credential(
    document: object, credential: Credential, known: Known
) -> tuple[str | None, Secrets | None]:
    """The name and the value that a PATCH replaces; None stays as it is."""
    reading = Reading(document)
    reading.skip(*_STAMPS)
    for key in ("name", "provider", "value"):
        if reading.is_null(key):
            reading.wrong(key, "cannot be taken away")
    provider = reading.value("provider", _provider, credential.provider, "")
    if provider != credential.provider:
        reading.wrong("provider", f"stays {credential.provider}: make another credential")
    name = reading.value("name", _name, None, None)
    value = reading.value("value", _value(known.get(provider, {})), None, None)
    reading.finish()
    return name, value


def credential_document(credential: Credential) -> Document:
    """What a GET answers."""
    return {
        "id": str(credential.id),
        "projectId": str(credential.project_id),
        "name": credential.name,
        "provider": credential.provider,
        "keysSet": list(credential.keys_set),
        "createdDate": timestamp(credential.created),
        "updatedDate": timestamp(credential.updated),
        "lastUsedDate": timestamp(credential.last_used) if credential.last_used else None,
    }


async def check_references(
    deployment: Deployment, project_id: int, credentials: CredentialStore
) -> None:
    """`BadRequest` unless all credentials that it names are there, and its own is its carrier's."""
    named = {"credentialId": deployment.credential_id}
    choices = {
        "stt": deployment.stt,
        "tts": deployment.tts,
        "vad": deployment.vad,
        "endOfSpeech": deployment.end_of_speech,
    }
    for key, choice in choices.items():
        named |= _named(key, choice)
    mistakes = await _missing(named, project_id, credentials)
    own = deployment.credential_id
    if own is not None and not mistakes:
        found = await credentials.get(own, project_id)
        if found.provider != deployment.provider:
            mistakes.append(
                f"credentialId: credential {own} is one of {found.provider}, "
                f"the carrier is {deployment.provider}"
            )
    if mistakes:
        raise BadRequest("; ".join(mistakes))


async def check_model_references(
    model: VendorChoice, project_id: int, credentials: CredentialStore
) -> None:
    """`BadRequest` unless the credentials of a model and its fallbacks are there."""
    mistakes = await _missing(_named("model", model), project_id, credentials)
    if mistakes:
        raise BadRequest("; ".join(mistakes))


def _named(key: str, choice: VendorChoice) -> dict[str, int | None]:
    """The credentials of a choice by the place where they stand."""
    named = {f"{key}.credentialId": choice.credential_id}
    for at, fallback in enumerate(choice.fallbacks):
        named[f"{key}.fallbacks[{at}].credentialId"] = fallback.credential_id
    return named


async def _missing(
    named: Mapping[str, int | None], project_id: int, credentials: CredentialStore
) -> list[str]:
    mistakes = []
    for key, credential_id in named.items():
        if credential_id is None:
            continue
        try:
            await credentials.get(credential_id, project_id)
        except NotFound:
            mistakes.append(f"{key}: there is no credential {credential_id}")
    return mistakes


_NOTHING = Secrets({})


def _provider(given: Any) -> str:
    if not isinstance(given, str) or not _PROVIDER.fullmatch(given):
        raise ValueError("must be a name in lower case, such as twilio")
    return given


def _value(fields: Mapping[str, str]) -> Callable[[Any], Secrets]:
    """Reads the value of a provider with these fields; without any, of an unknown provider."""

    def check(given: Any) -> Secrets:
        if not isinstance(given, dict) or len(given) > MOST_KEYS:
            raise ValueError(f"must be an object of at most {MOST_KEYS} texts")
        if not all(isinstance(key, str) and _KEY.fullmatch(key) for key in given):
            raise ValueError("must have names of at most 64 letters, digits, _, . and - for keys")
        names = _spellings(fields)
        if fields and not all(_folded(key) in names for key in given):
            raise ValueError(f"has a key that is not known; known are {', '.join(fields)}")
        kept: dict[str, str] = {}
        for key, found in given.items():
            name: str = names.get(_folded(key)) or key
            # Nobody's secret begins or ends with a blank, but many a copied one does.
            if not (secret := _secret(name, found).strip()):
                continue
            if kept.setdefault(name, secret) != secret:
                raise ValueError(f"has two different texts for {name}, in two spellings")
        if not kept:
            raise ValueError("must set a key")
        if PRIVATE_KEY in fields and PRIVATE_KEY in kept:
            kept[PRIVATE_KEY] = _pem(kept[PRIVATE_KEY])
        return Secrets(kept)

    return check


def _spellings(fields: Mapping[str, str]) -> dict[str, str]:
    """The documented names, by each folded spelling."""
    return {_folded(name): _same_as(name, said) or name for name, said in fields.items()}


def _folded(name: str) -> str:
    """accountSid, account_sid and ACCOUNT_SID are one name."""
    return name.replace("_", "").replace("-", "").lower()


def _secret(key: str, given: Any) -> str:
    try:
        if isinstance(given, str) and len(given.encode()) <= LONGEST and "\0" not in given:
            return given
    except UnicodeEncodeError:  # half of a surrogate pair, which JSON can hold
        pass
    raise ValueError(f"must have a text of at most {LONGEST} bytes for {key}")


def _pem(given: str) -> str:
    try:
        return normalised(given)
    except ValueError as error:
        raise ValueError(f"has a {PRIVATE_KEY} that {error}") from None
