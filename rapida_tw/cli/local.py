"""Local: the database of the configuration as a source of documents, without a server."""

from __future__ import annotations

import os
import time
from argparse import Namespace
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from twisted.internet.defer import Deferred

from rapida_tw.account import Account
from rapida_tw.carriers.insight import Insight, Question
from rapida_tw.cli.source import Document, Listing, Source
from rapida_tw.config import Config, find, former_key, load, secret_key
from rapida_tw.first_run import Installed, install
from rapida_tw.ids import Ids
from rapida_tw.log import wall_clock
from rapida_tw.store.assistants import Assistants
from rapida_tw.store.conversations import Conversations
from rapida_tw.store.credential_documents import (
    Known,
    changed_credential,
    check_model_references,
    check_references,
    credential_document,
    new_credential,
)
from rapida_tw.store.credentials import Credentials
from rapida_tw.store.database import Database
from rapida_tw.store.deliveries import Deliveries
from rapida_tw.store.documents import (
    LARGEST_PAGE,
    assistant_document,
    changed_assistant,
    deployment_document,
    new_assistant,
    new_deployment,
)
from rapida_tw.store.key_texts import KeyTexts
from rapida_tw.store.keys import Keys
from rapida_tw.store.projects import Projects
from rapida_tw.store.records import ApiKey, Assistant
from rapida_tw.store.rotation import Rotation, rotate
from rapida_tw.store.vault import Vault
from rapida_tw.store.verification import verification
from rapida_tw.web.conversations import summary, whole
from rapida_tw.webhooks.addressed import pings
from rapida_tw.webhooks.documents import delivery_document, logged_document, read_state

T = TypeVar("T")


def configuration(arguments: Namespace) -> Config:
    """What the server would load; `ConfigError` tells all mistakes."""
    env_file = arguments.env_file and Path(arguments.env_file)
    return load(find(arguments.config, os.environ), os.environ, env_file)


class Local:
    """Everything of the first project, the only one that an installation has by itself.

    Opening it makes the database and its tables where there are none.
    """

    def __init__(self, config: Config) -> None:
        ids = Ids(wall_clock)
        self._config = config
        self._database = Database(config.database.url)
        self._database.migrate()
        vault = Vault(partial(secret_key, config.server), partial(former_key, config.server))
        self._assistants = Assistants(self._database, ids, wall_clock, vault)
        texts = KeyTexts(self._database, vault, wall_clock)
        self._keys = Keys(self._database, ids, wall_clock, texts)
        self._credentials = Credentials(self._database, vault, ids, wall_clock)
        self._projects = Projects(self._database, ids, wall_clock)
        self._conversations = Conversations(self._database, wall_clock, "command")
        self._ids = ids
        self._deliveries = Deliveries(self._database, ids, wall_clock, "command")
        self.project = now(self._projects.ensure())

    def close(self) -> None:
        now(self._database.close())

    # -- what only the machine itself may do ------------------------------------------------------

    def install(self) -> Installed:
        """A key and an assistant, where they are missing."""
        return now(install(self._projects.ensure, self._keys, self._assistants))

    def list_keys(self) -> list[ApiKey]:
        found = now(self._keys.list(self.project))
        return list(found)

    def living_keys(self) -> list[ApiKey]:
        return [key for key in self.list_keys() if key.revoked is None]

    def create_key(self, name: str, scopes: Sequence[str] | None = None) -> tuple[ApiKey, str]:
        """The key and its text, which is not kept."""
        return now(self._keys.create(self.project, name, scopes))

    def revoke_key(self, key_id: int) -> None:
        now(self._keys.revoke(key_id, self.project))

    def rotate_key(self, given: str) -> Rotation:
        """Another key of the server, random unless given; see store/rotation.py."""
        return rotate(self._database, self._config.server, given, time.sleep)

    def account(self, vendor: str, credential_id: int | None) -> Account:
        """The credential, else the vendor's newest one; empty when it has none. `NotFound`."""
        if credential_id is None:
            page = now(self._credentials.page(self.project, 1, LARGEST_PAGE))
            named = (one.id for one in page.items if one.provider == vendor)
            credential_id = next(named, None)
        if credential_id is None:
            return Account(vendor)
        return Account(vendor, now(self._credentials.secrets(credential_id, self.project)))

    # -- Source -----------------------------------------------------------------------------------

    def assistants(self, count: int) -> Listing:
        page = now(self._assistants.page(self.project, 1, count))
        return Listing([assistant_document(one) for one in page.items], page.total)

    def assistant(self, assistant_id: int) -> Document:
        return assistant_document(now(self._assistants.get(assistant_id, self.project)))

    def create_assistant(self, document: Document) -> Document:
        new = new_assistant(document, self.project)
        self._check_model(new)
        return assistant_document(now(self._assistants.create(new)))

    def update_assistant(self, assistant_id: int, document: Document) -> Document:
        found = now(self._assistants.get(assistant_id, self.project))
        changed = changed_assistant(document, found)
        self._check_model(changed)
        return assistant_document(now(self._assistants.update(changed)))

    def _check_model(self, assistant: Assistant) -> None:
        checking = check_model_references(assistant.model, self.project, self._credentials)
        now(Deferred.fromCoroutine(checking))

    def delete_assistant(self, assistant_id: int) -> None:
        now(self._assistants.delete(assistant_id, self.project))

    def deployment(self, assistant_id: int) -> Document:
        now(self._assistants.get(assistant_id, self.project))
        return deployment_document(now(self._assistants.deployment(assistant_id)))

    def deploy(self, assistant_id: int, document: Document) -> Document:
        now(self._assistants.get(assistant_id, self.project))
        deployment = new_deployment(document, assistant_id)
        checking = check_references(deployment, self.project, self._credentials)
        now(Deferred.fromCoroutine(checking))
        return deployment_document(now(self._assistants.deploy(deployment)))

    def credentials(self, count: int) -> Listing:
        page = now(self._credentials.page(self.project, 1, count))
        return Listing([credential_document(one) for one in page.items], page.total)

    def credential(self, credential_id: int) -> Document:
        return credential_document(now(self._credentials.get(credential_id, self.project)))

    def create_credential(self, document: Document) -> Document:
        new = new_credential(document, _known(document.get("provider")))
        made = self._credentials.create(self.project, new.name, new.provider, new.value)
        return credential_document(now(made))

    def update_credential(self, credential_id: int, document: Document) -> Document:
        found = now(self._credentials.get(credential_id, self.project))
        name, value = changed_credential(document, found, _known(found.provider))
        changed = self._credentials.update(credential_id, self.project, name, value)
        return credential_document(now(changed))

    def verify_credential(self, credential_id: int) -> Document:
        from rapida_tw.cli import logins  # all that can ask: slow, and needed here alone

        found = now(self._credentials.get(credential_id, self.project))
        known = logins.known(found.provider)
        checking = verification(self._credentials, credential_id, self.project, known)
        seen = now(Deferred.fromCoroutine(checking))
        if seen["verified"] is False or not logins.can_ask(found.provider):
            return seen
        return logins.verify(
            self._credentials, credential_id, self.project, found.provider, self._config
        )

    async def ask(self, reactor: Any, credential_id: int, provider: str) -> Document:
        """The same as `verify_credential`, on a reactor that runs."""
        from rapida_tw.cli import logins

        return await logins.ask(
            reactor, self._credentials, credential_id, self.project, provider, self._config
        )

    def look_up(self, question: Question, credential_id: int | None) -> Insight:
        """What Vonage knows of a number; costs money."""
        from rapida_tw.cli import logins  # slow, and needed here alone

        return logins.look_up(self._credentials, self.project, question, credential_id)

    def delete_credential(self, credential_id: int) -> None:
        now(self._credentials.delete(credential_id, self.project))

    def conversations(self, count: int, assistant_id: int | None) -> Listing:
        page = now(self._conversations.page(self.project, 1, count, assistant_id))
        return Listing([summary(one) for one in page.items], page.total)

    def conversation(self, conversation_id: int) -> Document:
        return whole(now(self._conversations.get(conversation_id, self.project)))

    def deliveries(
        self, count: int, conversation_id: int | None, assistant_id: int | None, state: str
    ) -> Listing:
        chosen = (conversation_id, assistant_id, read_state(state))
        page = now(self._deliveries.page(self.project, 1, count, *chosen))
        return Listing([delivery_document(one) for one in page.items], page.total)

    def delivery(self, delivery_id: int) -> Document:
        return logged_document(now(self._deliveries.get(delivery_id, self.project)))

    def retry_delivery(self, delivery_id: int) -> Document:
        return delivery_document(now(self._deliveries.retry(delivery_id, self.project)))

    def ping_webhooks(self, assistant_id: int) -> Sequence[Document]:
        """The running server, if there is one, sends them within some seconds."""
        assistant = now(self._assistants.get(assistant_id, self.project))
        made = pings(assistant, wall_clock(), self._ids.new)
        now(self._deliveries.add(made))
        return [delivery_document(one) for one in made]


def _known(provider: object) -> Known:
    from rapida_tw.cli import logins  # slow, and needed for credentials alone

    return logins.known(provider) if isinstance(provider, str) else {}


def now(deferred: Deferred[T]) -> T:
    """The result of a Deferred that has fired already; its error is raised."""
    results: list[T] = []
    failures: list[Any] = []
    deferred.addCallbacks(results.append, failures.append)
    if failures:
        failures[0].raiseException()
    return results[0]


_conforms: type[Source] = Local
