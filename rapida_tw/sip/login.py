"""Challenges of the far side to one request of ours, and what they are answered with."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from random import Random

from rapida_tw.errors import RemoteProtocolError
from rapida_tw.wire import sip_digest
from rapida_tw.wire.sip_message import Request, Response

STALE = 1  # nonces that have gone stale meanwhile are forgiven

_ANSWERS = {
    401: ("WWW-Authenticate", "Authorization"),
    407: ("Proxy-Authenticate", "Proxy-Authorization"),
}


@dataclass(frozen=True, slots=True)
class Login:
    """What challenges of the far side are answered with (a trunk's credential).

    `realm`: the only one that the password is for; "" is any.
    """

    username: str
    password: str = field(repr=False)
    realm: str = ""


class Rounds:
    """One request's: a challenge of the server, one of a proxy, and a stale nonce (RFC 3261 22)."""

    def __init__(self, login: Login | None, random: Random) -> None:
        self._login = login
        self._random = random
        self._stale = STALE
        self._fields: dict[str, str] = {}

    @property
    def fields(self) -> Iterable[tuple[str, str]]:
        """The headers that the next try carries."""
        return self._fields.items()

    def met(self, request: Request, response: Response) -> bool:
        """Whether trying again, with `fields`, is worth it."""
        login, names = self._login, _ANSWERS.get(response.status)
        if login is None or names is None:
            return False
        asked, answer = names
        challenges = [
            each for each in response.headers.all(asked) if login.realm in ("", _realm(each))
        ]
        if answer in self._fields:
            if not self._stale or not any(_stale(each) for each in challenges):
                return False  # the password was wrong
            self._stale -= 1
        value = sip_digest.answer(
            challenges,
            request.method,
            request.uri,
            login.username,
            login.password,
            f"{self._random.getrandbits(64):016x}",
            1,
        )
        if value is None:
            return False
        self._fields[answer] = value
        return True


def _realm(challenge: str) -> str | None:
    try:
        return sip_digest.Challenge.parse(challenge).realm
    except RemoteProtocolError:
        return None


def _stale(challenge: str) -> bool:
    try:
        return sip_digest.Challenge.parse(challenge).stale
    except RemoteProtocolError:
        return False
