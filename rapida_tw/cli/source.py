"""Source: where a command finds assistants, credentials and conversations.

Two places have them: the database of the configuration (`local.py`) and a running server
(`remote.py`). Both answer the documents of the REST API, at once, and raise `CallError` or
`OSError` with a sentence for people.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

Document = dict[str, Any]

MOST = 100  # items of a listing: the largest page that the API gives


@dataclass(frozen=True, slots=True)
class Listing:
    """Some items of a listing; `total` counts those that are not shown too."""

    items: Sequence[Document]
    total: int


class Usage(Exception):
    """The command was given what it cannot use; the text says what and what to give instead."""


class Source(Protocol):
    """Documents in, documents out; ids are ints."""

    def assistants(self, count: int) -> Listing:
        """The newest so many."""

    def assistant(self, assistant_id: int) -> Document: ...
    def create_assistant(self, document: Document) -> Document: ...
    def update_assistant(self, assistant_id: int, document: Document) -> Document: ...
    def delete_assistant(self, assistant_id: int) -> None: ...
    def deployment(self, assistant_id: int) -> Document: ...
    def deploy(self, assistant_id: int, document: Document) -> Document:
        """Replace it as a whole."""

    def credentials(self, count: int) -> Listing:
        """The newest so many."""

    def credential(self, credential_id: int) -> Document:
        """Of its value only which keys are set."""

    def create_credential(self, document: Document) -> Document: ...
    def update_credential(self, credential_id: int, document: Document) -> Document:
        """Change its name, replace its value as a whole, or both."""

    def verify_credential(self, credential_id: int) -> Document: ...
    def delete_credential(self, credential_id: int) -> None: ...
    def conversations(self, count: int, assistant_id: int | None) -> Listing:
        """The newest so many, without what was said."""

    def conversation(self, conversation_id: int) -> Document:
        """One, with messages, metrics, events and recordings."""

    def deliveries(
        self, count: int, conversation_id: int | None, assistant_id: int | None, state: str
    ) -> Listing:
        """The newest so many of what webhooks were told."""

    def delivery(self, delivery_id: int) -> Document:
        """With its body and its attempts."""

    def retry_delivery(self, delivery_id: int) -> Document: ...
    def ping_webhooks(self, assistant_id: int) -> Sequence[Document]:
        """A delivery for each webhook of the assistant."""

    def close(self) -> None: ...
