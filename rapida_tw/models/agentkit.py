"""AgentKit: a user's own agent as the model of a call, over gRPC.

The agent has the whole dialogue, its tools and its prompt itself: it is told what the caller says,
turn by turn, on one stream that lasts as long as the call.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from secrets import randbits
from typing import Any
from uuid import uuid4

from cryptography import x509
from twisted.internet.defer import Deferred, succeed

from rapida_tw.account import NOBODY, Account
from rapida_tw.errors import MisconfiguredAssistant, VendorFailed
from rapida_tw.expect import Expectation
from rapida_tw.models.agentkit_talk import VENDOR, Talk, Turn
from rapida_tw.models.agentkit_wire import Opening
from rapida_tw.models.base import Completion, Message, Model, ModelProvider, Tool
from rapida_tw.options import read
from rapida_tw.speech.base import Host

_SCHEMES = {"grpc": "http", "http": "http", "grpcs": "https", "https": "https"}
_NOT_OURS = frozenset(("credential_id", "rapida.credential_id"))
_PLACE = re.compile(r"(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9._-]+)(:[0-9]{1,5})?(/\S*)?")
_HEADER = re.compile(r"[0-9a-z_.-]+")


@dataclass(frozen=True, slots=True)
class AgentKitOptions:
    """`url`: host:port, or with https:// (TLS) or http:// before it.

    `certificate`: who vouches for the agent, in PEM, instead of the platform's authorities; with it
    a bare host:port means TLS. `metadata`: gRPC metadata, such as the agent's token; `args`: what
    the agent is told of the call at its beginning.
    """

    url: str = ""
    certificate: str = field(default="", repr=False)
    metadata: dict[str, Any] = field(default_factory=dict, repr=False)
    args: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name, value in self.metadata.items():
            if not _HEADER.fullmatch(name.lower()) or name.lower().startswith("grpc-"):
                raise ValueError(f"metadata cannot have the key {name!r}")
            if isinstance(value, dict | list) or not str(value).isprintable():
                raise ValueError(f"metadata's {name} must be one line of text")
        if self.certificate:
            try:
                x509.load_pem_x509_certificates(self.certificate.encode())
            except ValueError:
                raise ValueError("certificate must be certificates in PEM") from None

    def base(self, told: str) -> str:
        """Where the agent is, as http: or https:."""
        scheme, slashes, rest = told.rpartition("://")
        if not slashes:
            scheme = "https" if self.certificate or rest.endswith(":443") else "http"
        if scheme.lower() not in _SCHEMES or not _PLACE.fullmatch(rest):
            raise MisconfiguredAssistant(f"{VENDOR}: {told!r} is no address of an agent")
        return f"{_SCHEMES[scheme.lower()]}://{rest}"


class AgentKitModel:
    """One call's. A stream that is lost is opened anew, with the same conversation's id."""

    def __init__(
        self, host: Host, base: str, headers: Mapping[str, str], options: AgentKitOptions
    ) -> None:
        self._host = host
        self._base = base
        self._headers = dict(headers)
        self._options = options
        args = {name: str(value) for name, value in options.args.items()}
        self._opening = Opening(randbits(62) + 1, args)
        self._talk: Talk | None = None

    def prepare(self) -> None:
        self._open()

    def opening(self) -> Expectation | None:
        return None

    def reply(
        self, messages: Sequence[Message], tools: Sequence[Tool], say: Callable[[str], None]
    ) -> Deferred[Completion]:
        newest = next((one for one in reversed(messages) if one.role in ("user", "tool")), None)
        # What a tool of ours came to is nothing that an agent can be told.
        if newest is None or newest.role == "tool":
            return succeed(Completion(""))
        return Deferred.fromCoroutine(self._reply(newest.text, say))

    async def _reply(self, text: str, say: Callable[[str], None]) -> Completion:
        kept = self._talk is not None and self._talk.alive
        if self._talk is not None and self._talk.late:
            calls, self._talk.late = tuple(self._talk.late), []
            return Completion("", calls)
        while True:
            talk = self._open()
            turn = Turn(uuid4().hex, say, self._host.clock, talk.interrupted)
            talk.ask(turn, text)
            try:
                return await turn.done
            except VendorFailed as error:
                # A stream of an earlier turn may have been lost unnoticed.
                if not kept or talk.alive or turn.text or not error.retryable:
                    raise
                kept = False

    def stop(self) -> Deferred[None]:
        talk, self._talk = self._talk, None
        return succeed(None) if talk is None else talk.close()

    def _open(self) -> Talk:
        if self._talk is None or not self._talk.alive:
            self._talk = Talk(self._host.net, self._host.clock, self._host.now, self._opening)
            self._talk.connect(self._base, self._headers, self._options.certificate)
        return self._talk


class AgentKitProvider:
    """`agentkit.*` are its options; a token of the credential is sent as `authorization`."""

    vendor = VENDOR
    description = "AgentKit: an agent of your own, by gRPC"
    options = AgentKitOptions

    def __init__(self, host: Host) -> None:
        self._host = host

    def open(self, options: Mapping[str, Any], account: Account = NOBODY) -> Model:
        given = {name.removeprefix("model."): value for name, value in options.items()}
        given = {name: value for name, value in given.items() if name not in _NOT_OURS}
        chosen = read(self.options, given, "agentkit.", self.vendor)
        told = account.base_url(chosen.url)
        if not told:
            raise MisconfiguredAssistant(f"{VENDOR} needs the option agentkit.url")
        headers = {name.lower(): str(value) for name, value in chosen.metadata.items()}
        token = account.first("token", "authorization", "key", "api_key", "apiKey")
        if token:
            headers.setdefault("authorization", token)
        return AgentKitModel(self._host, chosen.base(told), headers, chosen)

    def stop(self) -> Deferred[None]:
        return succeed(None)


_conforms: tuple[type[Model], type[ModelProvider]] = (AgentKitModel, AgentKitProvider)
