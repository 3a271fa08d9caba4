"""Authority: on whose behalf a request comes (RFC 3261 22, RFC 7616, RFC 8760).

Digest first, because a trunk's Request-URI names the dialled number; then a password in the
Request-URI; then a trusted network, whose dialled number decides. Everybody else is challenged
without leaving anything in memory. No password and no part of one goes into a log or an answer.
"""

from __future__ import annotations

import hmac
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NoReturn, Protocol

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from rapida_tw.errors import RemoteProtocolError, Unauthenticated
from rapida_tw.sip.base import Flow, Party, Reception
from rapida_tw.sip.counters import logins
from rapida_tw.sip.guard import Guard
from rapida_tw.sip.networks import Networks
from rapida_tw.sip.parties import Dialled, assistant_id, dialled, printable, uri_of
from rapida_tw.sip.peculiar import algorithms
from rapida_tw.sip.registrations import Through
from rapida_tw.sip.settings import SipSettings
from rapida_tw.wire.sip_digest import Challenge, Credentials, Nonces, check, ha1
from rapida_tw.wire.sip_message import Request, Response
from rapida_tw.wire.sip_uri import SipUri

_NOBODY = 0  # no assistant has this id: asked for, so that an unknown name takes as long as a known
_DUMMY = ("rpd-nobody",)
_REFUSED_CALLS = 1_000  # Call-IDs whose first wrong answer is remembered
_MOST_KEYS = 50
_TOLD_EVERY = 1.0  # seconds: a sweep of passwords fills no log


class Denied(Exception):
    """The request is answered with `status`; 401 with challenges, `stale` in them."""

    def __init__(self, status: int, stale: bool = False) -> None:
        super().__init__(str(status))
        self.status = status
        self.stale = stale


@dataclass(frozen=True, slots=True)
class Admitted:
    """For whom the call is, and how that was proven: digest, uri, network or registration."""

    party: Party
    number: str  # what was dialled; "" where the URI names an assistant
    by: str


class Inlets(Protocol):
    """Where calls come in that we have asked for (sip/registrations.py)."""

    def through(self, request: Request, flow: Flow) -> Through | None:
        """By which registration of ours it has come, if by any."""


class Authority:
    """Knows who may call whom, by what `Reception` knows."""

    _log = Logger()

    def __init__(
        self,
        settings: SipSettings,
        reception: Reception,
        guard: Guard,
        seconds: Callable[[], float],
        inlets: Inlets,
    ) -> None:
        self._settings = settings
        self._reception = reception
        self._guard = guard
        self._inlets = inlets
        self._nonces = Nonces(settings.secret, seconds)
        self._trusted = Networks(settings.trusted_networks)
        self._wrong: OrderedDict[str, None] = OrderedDict()
        self._seconds = seconds
        self._told_at = -_TOLD_EVERY
        self._untold = 0  # wrong passwords since

    # -- at once, and without memory --------------------------------------------------------------

    def has_credentials(self, request: Request, flow: Flow) -> bool:
        """Whether `identify` has anything to look at; if not, `challenge` is the answer."""
        credentials = self._credentials(request)
        if credentials is not None:
            if self._state(credentials) != "forged":
                return True
            logins.inc("forged")
            return False
        if _password(request) is not None or flow.peer[0] in self._trusted:
            return True
        return self._inlets.through(request, flow) is not None

    def challenge(self, request: Request, flow: Flow, stale: bool = False) -> Response:
        """401 with one challenge an algorithm; its To tag is the same for a repeated request.

        Who answers a nonce that is not ours is told so: it may be from before a restart, and then
        the password was not wrong.
        """
        if not stale:
            credentials = self._credentials(request)
            stale = credentials is not None and self._state(credentials) == "forged"
        response = request.answer(401, to_tag=self.tag(request))
        nonce = self._nonces.issue()
        for algorithm in algorithms(request, self._settings.algorithms):
            challenge = Challenge(
                realm=self._settings.realm,
                nonce=nonce,
                algorithm=algorithm,
                qop="auth",
                stale=stale,
                opaque=self._opaque(flow),
            )
            response.headers.add("WWW-Authenticate", str(challenge))
        return response

    def tag(self, request: Request) -> str:
        """For To of a response that is not remembered; the same each time, nobody can foretell it.

        Of a malformed request what is there counts.
        """
        named = (*map(request.headers.get, ("Call-ID", "From", "CSeq")), request.via.branch)
        return self._hash("\0".join(named))

    def _opaque(self, flow: Flow) -> str:
        """Shows that a challenge was given to that address, not to one that is only pretended."""
        return self._hash(f"opaque {flow.peer[0]}")

    def _hash(self, text: str) -> str:
        data = text.encode("utf-8", "surrogateescape")
        return hmac.digest(self._settings.secret, data, "sha256").hex()[:24]

    # -- with the help of the house ---------------------------------------------------------------

    def identify(self, request: Request, flow: Flow) -> Deferred[Admitted]:
        """`Denied`; `CallError` when it cannot be found out. Cancel it freely."""
        return Deferred.fromCoroutine(self._identify(request, flow))

    def verify(self, request: Request, flow: Flow) -> Deferred[Party]:
        """Of a request that calls nobody (REGISTER): whose credentials they are."""
        return Deferred.fromCoroutine(self._verify(request, flow))

    async def _verify(self, request: Request, flow: Flow) -> Party:
        credentials = self._credentials(request)
        if credentials is None:
            raise Denied(401)
        party, _ = await self._login(credentials, request, flow)
        return party

    async def _identify(self, request: Request, flow: Flow) -> Admitted:
        through = self._inlets.through(request, flow)
        if through is not None:
            return await self._by_registration(through)
        uri = uri_of(request)
        credentials = self._credentials(request)
        if credentials is not None:
            return await self._by_digest(credentials, request, uri, flow)
        if uri.password is not None:
            return await self._by_password(uri, uri.password, flow)
        if flow.peer[0] in self._trusted:
            return await self._by_network(uri)
        raise Denied(401)

    async def _by_digest(
        self, credentials: Credentials, request: Request, uri: SipUri, flow: Flow
    ) -> Admitted:
        party, key = await self._login(credentials, request, flow)
        wanted = dialled(uri.user)
        other = await self._within(party, key, wanted)
        return Admitted(other, wanted.number, "digest")

    async def _within(self, party: Party, key: str, wanted: Dialled) -> Party:
        """Who takes a call of that project: whom the dialled user names, or who has logged in."""
        if wanted.assistant_id is not None and wanted.assistant_id != party.assistant_id:
            try:
                return await self._reception.enter(wanted.assistant_id, key)
            except Unauthenticated:
                raise Denied(404) from None
        if wanted.number and wanted.number != str(party.assistant_id):
            named = await self._reception.dialled(wanted.number, party.project_id)
            if named is not None:
                return named
        return party

    async def _login(
        self, credentials: Credentials, request: Request, flow: Flow
    ) -> tuple[Party, str]:
        named = assistant_id(credentials.username)
        keys = await self._reception.passwords(_NOBODY if named is None else named)
        key = _matching(keys, credentials, request.method)
        state = self._state(credentials)  # it may be spent by now
        if key is None or named is None or not _same_target(credentials.uri, request.uri):
            self._refuse(credentials, request, flow, state)
        if state != "fresh":
            logins.inc(state)
            raise Denied(401, stale=True)
        self._nonces.spend(credentials.nonce, credentials.nc)
        try:
            party = await self._reception.enter(named, key)
        except Unauthenticated:  # revoked in this moment
            self._refuse(credentials, request, flow, state)
        self._right(request, flow)
        return party, key

    def _refuse(
        self, credentials: Credentials, request: Request, flow: Flow, state: str
    ) -> NoReturn:
        """401 for the first time in a Call-ID, then 403, which ends loops and dialling robots."""
        if state != "fresh":
            logins.inc(state)
            raise Denied(401)
        self._tell(credentials.username, flow)
        self._nonces.spend(credentials.nonce, credentials.nc)
        if credentials.opaque == self._opaque(flow):
            self._guard.mistaken(flow.peer[0])
        if request.call_id in self._wrong:
            raise Denied(403)
        self._wrong[request.call_id] = None
        if len(self._wrong) > _REFUSED_CALLS:
            self._wrong.popitem(last=False)
        raise Denied(401)

    def _tell(self, user: str, flow: Flow) -> None:
        """For whom a key was wrong, or which assistant is unknown, the operator may know."""
        logins.inc("wrong")
        now = self._seconds()
        if now - self._told_at < _TOLD_EVERY:
            self._untold += 1
            return
        self._log.warn(
            "{peer} is not let in: no assistant {user} with that API key ({count} others since)",
            peer=flow.peer[0],
            user=printable(user),
            count=self._untold,
        )
        self._told_at, self._untold = now, 0

    def _right(self, request: Request, flow: Flow) -> None:
        logins.inc("right")
        self._wrong.pop(request.call_id, None)
        self._guard.authenticated(flow.peer[0])

    async def _by_password(self, uri: SipUri, password: str, flow: Flow) -> Admitted:
        """`{assistant}:{key}`, `agent-{assistant}:{key}` or `did-{number}:{key}`."""
        named = assistant_id(uri.user.removeprefix("agent-"))
        number = ""
        if uri.user.startswith("did-"):
            number = dialled(uri.user).number
            found = await self._reception.dialled(number, None)
            named = None if found is None else found.assistant_id
        try:
            party = await self._reception.enter(_NOBODY if named is None else named, password)
        except Unauthenticated:
            self._tell(uri.user, flow)
            if flow.transport != "UDP":  # else anybody could shut out anybody
                self._guard.mistaken(flow.peer[0])
            raise Denied(403) from None
        logins.inc("right")
        self._guard.authenticated(flow.peer[0])
        return Admitted(party, number, "uri")

    async def _by_network(self, uri: SipUri) -> Admitted:
        number = dialled(uri.user).number
        party = await self._reception.dialled(number, None) if number else None
        if party is None:
            logins.inc("unmapped")
            raise Denied(404)
        logins.inc("trusted")
        return Admitted(party, number, "network")

    def _state(self, credentials: Credentials) -> str:
        return self._nonces.state(credentials.nonce, credentials.nc)

    async def _by_registration(self, through: Through) -> Admitted:
        """The number decides, within the trunk's project; else whoever has the trunk for its own.

        What the registrar says was dialled must not lead to other people's assistants.
        """
        party = None
        if through.number and through.project_id is not None:
            party = await self._reception.dialled(through.number, through.project_id)
        if party is None:
            party = await self._reception.trunk(through.credential_id)
        if party is None:
            logins.inc("unmapped")
            raise Denied(404)
        logins.inc("registered")
        return Admitted(party, through.number, "registration")

    def _credentials(self, request: Request) -> Credentials | None:
        """What answers a challenge of ours; another realm's or a broken one counts as none."""
        for value in request.headers.all("Authorization"):
            try:
                credentials = Credentials.parse(value)
            except RemoteProtocolError:
                continue
            known = credentials.algorithm in self._settings.algorithms
            if credentials.realm == self._settings.realm and known and credentials.qop == "auth":
                return credentials
        return None


def _password(request: Request) -> str | None:
    try:
        return uri_of(request).password
    except RemoteProtocolError:
        return None


def _matching(keys: Sequence[str], credentials: Credentials, method: str) -> str | None:
    """The key that the answer was made with; without any, one is tried for the time it takes."""
    secrets = [
        ha1(credentials.algorithm, credentials.username, credentials.realm, key)
        for key in keys[:_MOST_KEYS] or _DUMMY
    ]
    place = check(credentials, method, secrets)
    return None if place is None or not keys else keys[place]


def _same_target(answered: str, requested: str) -> bool:
    """Host and parameters may have been rewritten on the way, whom it is for may not.

    An answer that names nobody is good for all: SIPp's, and a nonce is good for one call only.
    """
    if answered == requested:
        return True
    try:
        return SipUri.parse(answered).user in ("", SipUri.parse(requested).user)
    except RemoteProtocolError:
        return False
