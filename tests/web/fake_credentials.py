"""A vault in memory, for the HTTP side."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from twisted.internet.defer import Deferred, fail, succeed

from rapida_tw.errors import NotFound
from rapida_tw.store.records import Credential, CredentialStore, Page
from rapida_tw.store.vault import CredentialUnreadable, Secrets


class FakeCredentials:
    """Keeps them in dicts; opens none while `shut`."""

    def __init__(self) -> None:
        self.kept: dict[int, Credential] = {}
        self.values: dict[int, Mapping[str, str]] = {}
        self.shut = False

    def create(
        self, project_id: int, name: str, provider: str, value: Mapping[str, str]
    ) -> Deferred[Credential]:
        new_id = 900 + len(self.kept)
        made = Credential(new_id, project_id, name, provider, tuple(sorted(value)), 1.0, 2.0)
        self.kept[new_id], self.values[new_id] = made, value
        return succeed(made)

    def get(self, credential_id: int, project_id: int) -> Deferred[Credential]:
        found = self.kept.get(credential_id)
        if found is None or found.project_id != project_id:
            return fail(NotFound(f"no credential {credential_id}"))
        return succeed(found)

    def page(self, project_id: int, number: int = 1, size: int = 20) -> Deferred[Page]:
        mine = [one for one in self.kept.values() if one.project_id == project_id]
        return succeed(Page(mine[(number - 1) * size : number * size], number, size, len(mine)))

    def update(
        self,
        credential_id: int,
        project_id: int,
        name: str | None = None,
        value: Mapping[str, str] | None = None,
    ) -> Deferred[Credential]:
        def change(found: Credential) -> Credential:
            if name is not None:
                found = replace(found, name=name)
            if value is not None:
                found = replace(found, keys_set=tuple(sorted(value)))
                self.values[credential_id] = value
            self.kept[credential_id] = found
            return found

        return self.get(credential_id, project_id).addCallback(change)

    def delete(self, credential_id: int, project_id: int) -> Deferred[None]:
        found = self.get(credential_id, project_id)
        return found.addCallback(lambda one: self.kept.pop(one.id) and None)

    def secrets(self, credential_id: int, project_id: int) -> Deferred[Mapping[str, str]]:
        if self.shut:
            return fail(CredentialUnreadable("sealed with another key"))
        found = self.get(credential_id, project_id)
        return found.addCallback(lambda one: Secrets(self.values[one.id]))


_conforms: type[CredentialStore] = FakeCredentials
