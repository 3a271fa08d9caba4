"""Google's access tokens: a service account's key exchanged for one, and kept until it expires.

Google Identity, "Using OAuth 2.0 for Server to Server Applications". An API key needs none of it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode

import jwt
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from twisted.internet.defer import CancelledError, Deferred, TimeoutError, succeed
from twisted.internet.interfaces import IReactorTime
from twisted.python.failure import Failure

from rapida_tw.account import Account
from rapida_tw.errors import MisconfiguredAssistant, VendorFailed
from rapida_tw.net.base import Net, Request
from rapida_tw.net.reasons import passing, reason_in

SCOPE = "https://www.googleapis.com/auth/cloud-platform"
_TOKEN_URL = "https://oauth2.googleapis.com/token"
_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_LASTS = 3_600  # seconds: the most that Google allows
_SPARE = 60.0  # seconds before its end in which a token is not used any more
_ANSWER_WITHIN = 10.0


@dataclass(frozen=True, slots=True)
class GoogleKey:
    """What an account has to show: an API key, or a service account's. The repr shows neither."""

    project: str = ""
    api_key: str = field(default="", repr=False)
    email: str = ""
    key_id: str = ""
    private_key: RSAPrivateKey | None = field(default=None, repr=False, compare=False)
    token_url: str = _TOKEN_URL


def google_key(account: Account) -> GoogleKey:
    """The key of an account; `MisconfiguredAssistant` says what is missing or malformed.

    `service_account_key`: the JSON file that Google's console gives, whole. It goes before a `key`.
    """
    project = account.first("project_id", "projectId")
    text = account.first("service_account_key", "serviceAccountKey", "service_account")
    if not text:
        api_key = account.need("key", "api_key", "apiKey", "service_account_key")
        return GoogleKey(project, api_key)
    wrong = f"{account.vendor}: its service_account_key is not the JSON of a service account"
    try:
        fields = json.loads(text)
        email, pem = fields["client_email"], fields["private_key"].encode()
        # Checking the primes would hold up all calls for some 40 ms; Google made them.
        key = load_pem_private_key(pem, None, unsafe_skip_rsa_key_validation=True)
    except (ValueError, KeyError, TypeError, AttributeError, UnsupportedAlgorithm) as error:
        raise MisconfiguredAssistant(f"{wrong} ({type(error).__name__})") from None
    if not isinstance(key, RSAPrivateKey) or not isinstance(email, str):
        raise MisconfiguredAssistant(wrong)
    return GoogleKey(
        project or str(fields.get("project_id", "")),
        "",
        email,
        str(fields.get("private_key_id", "")),
        key,
        str(fields.get("token_uri") or _TOKEN_URL),
    )


class GoogleTokens:
    """The tokens of a process's service accounts. `now`: seconds since the epoch."""

    def __init__(self, net: Net, clock: IReactorTime, now: Callable[[], float]) -> None:
        self._net = net
        self._clock = clock
        self._now = now
        self._tokens: dict[GoogleKey, tuple[str, float]] = {}  # and when it is of no use any more
        self._waiting: dict[GoogleKey, list[Deferred[Mapping[str, str]]]] = {}

    def headers(self, key: GoogleKey) -> Deferred[Mapping[str, str]]:
        """What says to Google's APIs who asks. Errbacks with `VendorFailed`; may be cancelled."""
        if key.private_key is None:
            return succeed({"x-goog-api-key": key.api_key})
        token, until = self._tokens.get(key, ("", 0.0))
        if token and self._now() < until:
            return succeed(_bearer(token))
        waiter: Deferred[Mapping[str, str]] = Deferred(lambda one: self._gave_up(key, one))
        waiting = self._waiting.setdefault(key, [])
        waiting.append(waiter)
        if len(waiting) == 1:
            exchanging = Deferred.fromCoroutine(self._exchange(key))
            exchanging.addTimeout(_ANSWER_WITHIN, self._clock)
            exchanging.addBoth(self._exchanged, key)
        return waiter

    def _gave_up(self, key: GoogleKey, waiter: Deferred[Mapping[str, str]]) -> None:
        """The exchange goes on: the next call needs a token, too."""
        if waiter in self._waiting.get(key, []):
            self._waiting[key].remove(waiter)

    async def _exchange(self, key: GoogleKey) -> str:
        now = int(self._now())
        claims = {
            "iss": key.email,
            "scope": SCOPE,
            "aud": key.token_url,
            "iat": now,
            "exp": now + _LASTS,
        }
        assert key.private_key is not None
        signed = jwt.encode(claims, key.private_key, "RS256", {"kid": key.key_id})
        answer = await self._net.request(
            Request(
                key.token_url,
                "POST",
                {"Content-Type": "application/x-www-form-urlencoded"},
                urlencode({"grant_type": _GRANT, "assertion": signed}).encode(),
            )
        )
        body = await answer.text()
        if answer.status != 200:
            why = f"Google refuses the service account: {reason_in(body)}".rstrip(": ")
            raise VendorFailed(why, answer.status, passing(answer.status))
        try:
            fields = json.loads(body)
            token, lasts = str(fields["access_token"]), float(fields.get("expires_in", _LASTS))
        except (ValueError, KeyError, TypeError, AttributeError):
            raise VendorFailed("Google's answer to a service account makes no sense") from None
        self._tokens[key] = token, now + lasts - _SPARE
        return token

    def _exchanged(self, result: str | Failure, key: GoogleKey) -> None:
        waiting = self._waiting.pop(key, [])
        if isinstance(result, Failure) and result.check(CancelledError, TimeoutError):
            late = f"Google gives no token within {_ANSWER_WITHIN:g} s"
            result = Failure(VendorFailed(late))
        for waiter in waiting:
            if waiter.called:
                continue
            if isinstance(result, Failure):
                waiter.errback(result)
            else:
                waiter.callback(_bearer(result))


def _bearer(token: str) -> Mapping[str, str]:
    return {"Authorization": f"Bearer {token}"}
