"""Whether a credential can be used: what is seen here, and what its provider says."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Protocol
from urllib.parse import quote

from twisted.internet.defer import Deferred, TimeoutError
from twisted.internet.interfaces import IReactorTime

from rapida_tw.account import Account
from rapida_tw.errors import CallError, NotSupported
from rapida_tw.store.credential_documents import ANOTHER_SPELLING, PRIVATE_KEY, Known
from rapida_tw.store.documents import Document
from rapida_tw.store.private_key import normalised
from rapida_tw.store.records import CredentialStore
from rapida_tw.store.vault import CredentialUnreadable

ANSWERED_WITHIN = 10.0  # seconds
_NOBODY = "not asked: nothing here knows how to log in there"
_SHORTEST = 6  # characters of a value that is taken out of a provider's words
_LONGEST = 500  # characters of them


class Login(Protocol):
    """What can ask a provider (`carriers.outbound.Telephone`, `vendor_login.VendorLogin`)."""

    def check(self, account: Account) -> Deferred[str]:
        """Log in: a sentence of who it is. `NotSupported` where nobody is asked; else `CallError`
        in the provider's words.
        """


@dataclass(frozen=True, slots=True)
class Logins:
    """Whom to ask: carriers by their names, and one for all else."""

    clock: IReactorTime
    carriers: Mapping[str, Login] = field(default_factory=dict)
    others: Login | None = None

    def of(self, provider: str) -> Login | None:
        return self.carriers.get(provider, self.others)


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at; `passed` is None where it cannot be known here."""

    check: str
    passed: bool | None
    detail: str


async def verification(
    credentials: CredentialStore,
    credential_id: int,
    project_id: int,
    known: Known,
    logins: Logins | None = None,
) -> Document:
    """What verifying answers: `verified` is False where a check failed, true where the provider has
    let us in, else null. `NotFound`.
    """
    found = await credentials.get(credential_id, project_id)
    checks = []
    try:
        secrets = await credentials.secrets(credential_id, project_id)
    except CredentialUnreadable as error:
        checks.append(Check("vault", False, str(error)))
    else:
        checks.append(Check("vault", True, "the value opens with the server's secret_key"))
        checks += _look_at(secrets, known.get(found.provider, {}))
        if all(check.passed is not False for check in checks):
            checks.append(await _asked(found.provider, secrets, logins))
    return {
        "id": str(found.id),
        "name": found.name,
        "provider": found.provider,
        "verified": _verdict(checks),
        "checks": [asdict(check) for check in checks],
    }


def _verdict(checks: Sequence[Check]) -> bool | None:
    if any(check.passed is False for check in checks):
        return False
    return True if checks[-1].passed else None


async def _asked(provider: str, secrets: Mapping[str, str], logins: Logins | None) -> Check:
    login = None if logins is None else logins.of(provider)
    if logins is None or login is None:
        return Check("provider", None, _NOBODY)
    try:
        asking = login.check(Account(provider, secrets))
        asking.addTimeout(ANSWERED_WITHIN, logins.clock)
        return Check("provider", True, _without(secrets, await asking))
    except NotSupported as error:
        return Check("provider", None, _without(secrets, str(error)))
    except TimeoutError:
        return Check("provider", False, f"no answer within {ANSWERED_WITHIN:.0f} s")
    except CallError as error:
        return Check("provider", False, _without(secrets, str(error)))


def _without(secrets: Mapping[str, str], said: str) -> str:
    """A provider's words without any value of the credential: some repeat what they were given."""
    for value in sorted(secrets.values(), key=len, reverse=True):
        if len(value) >= _SHORTEST:
            for spelled in (value, quote(value, safe=""), *_encoded(value.encode())):
                said = said.replace(spelled, "***")
    return said[:_LONGEST]


def _encoded(value: bytes) -> Iterator[str]:
    """In hex, and as it stands within a longer base64: of Basic authentication, for one."""
    yield value.hex()
    for before in range(3):
        # Without the characters that its neighbours have a share in.
        first, last = (before * 8 + 5) // 6, (before + len(value)) * 8 // 6
        yield b64encode(b"\0" * before + value).decode("ascii")[first:last]


def _look_at(secrets: Mapping[str, str], fields: Mapping[str, str]) -> Iterator[Check]:
    missing = [
        f"{key} ({sentence})"
        for key, sentence in fields.items()
        if key not in secrets and not sentence.startswith((ANOTHER_SPELLING, "Optional: "))
    ]
    if not fields:
        yield Check("keys", None, "which keys this provider needs is not known here")
    elif missing:
        # What is needed depends on what it is for, which the sentences tell.
        yield Check("keys", None, f"not set: {'; '.join(missing)}")
    else:
        yield Check("keys", True, "all are set")
    if PRIVATE_KEY in fields and PRIVATE_KEY in secrets:
        try:
            normalised(secrets[PRIVATE_KEY])
        except ValueError as error:
            yield Check(PRIVATE_KEY, False, str(error))
        else:
            yield Check(PRIVATE_KEY, True, "can be read")
