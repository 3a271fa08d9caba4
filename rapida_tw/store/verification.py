"""What can be said of a credential without asking anybody."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass

from rapida_tw.store.credential_documents import PRIVATE_KEY, Known
from rapida_tw.store.documents import Document
from rapida_tw.store.private_key import normalised
from rapida_tw.store.records import CredentialStore
from rapida_tw.store.vault import CredentialUnreadable

_NOT_ASKED = "not asked: this server cannot log in at a provider yet"


# How the sentence of a key begins that stands for another one.
ANOTHER_SPELLING = "The same as "


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at; `passed` is None where it cannot be known here."""

    check: str
    passed: bool | None
    detail: str


async def verification(
    credentials: CredentialStore, credential_id: int, project_id: int, known: Known
) -> Document:
    """What verifying answers: `verified` is False where a check failed, else null.

    `NotFound`. It would be true if the provider had let us in.
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
    checks.append(Check("provider", None, _NOT_ASKED))
    failed = any(check.passed is False for check in checks)
    return {
        "id": str(found.id),
        "name": found.name,
        "provider": found.provider,
        "verified": False if failed else None,
        "checks": [asdict(check) for check in checks],
    }


def _look_at(secrets: Mapping[str, str], fields: Mapping[str, str]) -> Iterator[Check]:
    missing = [
        f"{key} ({sentence})"
        for key, sentence in fields.items()
        if key not in secrets and not sentence.startswith(ANOTHER_SPELLING)
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
