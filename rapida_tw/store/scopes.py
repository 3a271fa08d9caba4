"""What an API key may do: a key has scopes, or none named, and then may do everything.

A scope is a noun of the API and `read` or `write`; who may write may read. `talk` is for those who
bring calls: carriers' webhooks, phones and trunks.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from rapida_tw.errors import BadRequest, Forbidden
from rapida_tw.store.records import ApiKey

TALK = "talk"
ANYTHING = ""  # what every living key may do

SCOPES: Mapping[str, str] = {
    TALK: "Bring calls and messages: carriers' webhooks, their media, SIP.",
    "assistants:read": "Read assistants and their deployments.",
    "assistants:write": "Make, change and delete them.",
    "credentials:read": "List credentials, without their values.",
    "credentials:write": "Make, change, verify and delete them.",
    "calls:read": "See live calls.",
    "calls:write": "Place and steer calls.",
    "conversations:read": "Read history, recordings included.",
    "messages:write": "Send messages, and talk to an assistant in text.",
    "campaigns:read": "See campaigns and their progress.",
    "campaigns:write": "Make, pause, resume and cancel them.",
    "webhooks:read": "See what assistants' webhooks were told.",
    "webhooks:write": "Have it told again.",
    "numbers:read": "Ask carriers about numbers, which costs money.",
}


def require(key: ApiKey, scope: str) -> None:
    """`Forbidden` unless the key may do that; what is no scope is for keys that have none named."""
    if key.scopes is None or scope == ANYTHING or scope in key.scopes:
        return
    noun, _, kind = scope.partition(":")
    if kind == "read" and f"{noun}:write" in key.scopes:
        return
    named = f"it has not the scope {scope}" if scope in SCOPES else "it is limited to its scopes"
    raise Forbidden(f"the API key {key.prefix}… may not do that: {named}")


def may(key: ApiKey, scope: str) -> bool:
    """The same as an answer."""
    try:
        require(key, scope)
    except Forbidden:
        return False
    return True


def read_scopes(given: Iterable[str]) -> tuple[str, ...]:
    """In the order of `SCOPES`, each once; `BadRequest` for what is none, and for none at all."""
    wanted = set(given)
    if unknown := sorted(wanted - SCOPES.keys()):
        raise BadRequest(f"no scope {', '.join(unknown)}: there are {', '.join(SCOPES)}")
    if not wanted:
        raise BadRequest(f"name a scope at least: there are {', '.join(SCOPES)}")
    return tuple(scope for scope in SCOPES if scope in wanted)
