"""Who calls by gRPC: the API key of the metadata (the contract, section 2)."""

from __future__ import annotations

from collections.abc import Mapping

from rapida_tw.errors import Unauthenticated
from rapida_tw.rpc.base import Caller
from rapida_tw.store.records import KeyStore
from rapida_tw.store.scopes import require

KEY = "x-api-key"
_PREFIX = "rpd-"
_PROJECT = "rpd-prj-"  # clients write it before a key, or leave it out
_LONGEST = 200  # characters of what else is told


def key_text(metadata: Mapping[str, str]) -> str:
    """The key as it was given; "" when there is none."""
    given = metadata.get(KEY, "").strip()
    if given:
        return given
    authorization = metadata.get("authorization", "").strip()
    scheme, _, token = authorization.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else authorization


def spellings(text: str) -> tuple[str, ...]:
    """The keys that a text may mean: ours begin with rpd-, whatever was put before or left out."""
    bare = text.removeprefix(_PROJECT)
    if bare == text:
        return (text,) if text.startswith(_PREFIX) else (f"{_PREFIX}{text}",)
    # "rpd-prj-x" is a key that begins so by chance, or another one with the prefix before it.
    return text, bare if bare.startswith(_PREFIX) else f"{_PREFIX}{bare}"


class Gate:
    """Lets calls with a living key in."""

    def __init__(self, keys: KeyStore) -> None:
        self._keys = keys

    async def caller(self, metadata: Mapping[str, str], scope: str) -> Caller:
        """`Unauthenticated`, the same for no key and a wrong one; `Forbidden`, `Unavailable`."""
        for text in spellings(key_text(metadata)):
            try:
                key = await self._keys.check(text)
            except Unauthenticated:
                continue
            require(key, scope)
            return Caller(
                key,
                metadata.get("x-auth-id", "").strip()[:_LONGEST],
                metadata.get("x-client-source", "").strip()[:_LONGEST] or "sdk",
                metadata.get("idempotency-key", "").strip(),
            )
        raise Unauthenticated("no API key, or none that opens anything")
