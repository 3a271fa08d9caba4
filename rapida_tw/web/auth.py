"""Who asks: the API key of a request.

A key comes in the header `x-api-key`, as a bearer token (RFC 6750) or, because carriers' forms
have nothing but a URL, as the query's `x-api-key`.
"""

from __future__ import annotations

from twisted.internet.defer import Deferred, succeed

from rapida_tw.errors import Unauthenticated
from rapida_tw.store.records import ApiKey, KeyStore
from rapida_tw.store.scopes import TALK, require
from rapida_tw.web.request import BoundedRequest

KEY = "x-api-key"
_PREFIX = "rpd-"


def key_text(request: BoundedRequest) -> str:
    """The key that the request carries; "" when it carries none."""
    scheme, _, token = request.header("authorization").partition(" ")
    # A carrier's own token may stand there: Vonage signs with one.
    ours = scheme.lower() == "bearer" and token.strip().startswith(_PREFIX)
    bearer = token.strip() if ours else ""
    return request.header(KEY).strip() or bearer or request.query.get(KEY, "").strip()


def _for_calls(key: ApiKey) -> ApiKey:
    require(key, TALK)
    return key


class Gate:
    """Lets requests with a living key in."""

    def __init__(self, keys: KeyStore) -> None:
        self._keys = keys

    def look(self, request: BoundedRequest) -> Deferred[ApiKey | None]:
        """A carrier's key, where it is not all that opens the door: None when there is none."""
        if not key_text(request):
            return succeed(None)
        return self.carrier(request).addCallback(lambda key: key)

    def carrier(self, request: BoundedRequest) -> Deferred[ApiKey]:
        """The key of who brings calls: `Unauthenticated`, `Forbidden`."""
        return self.authenticate(request).addCallback(_for_calls)

    def authenticate(self, request: BoundedRequest) -> Deferred[ApiKey]:
        """The request's key; `Unauthenticated` when there is none or it opens nothing."""
        return Deferred.fromCoroutine(self._authenticate(request))

    async def _authenticate(self, request: BoundedRequest) -> ApiKey:
        text = key_text(request)
        if not text:
            raise Unauthenticated("Unauthenticated request: it carries no API key")
        try:
            return await self._keys.check(text)
        except Unauthenticated as error:
            raise Unauthenticated(f"Unauthenticated request: {error}") from None
