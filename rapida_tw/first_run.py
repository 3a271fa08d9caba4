"""The first start of an installation: a project, an API key and an assistant worth calling."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from rapida_tw.models.receptionist import receptionist
from rapida_tw.store.documents import new_assistant, new_deployment
from rapida_tw.store.keys import Keys
from rapida_tw.store.records import AssistantStore

_log = Logger(namespace="rapida_tw.service.House")


@dataclass(frozen=True, slots=True)
class Installed:
    """What there is now. `api_key` is "" when there was one already: its text is not kept."""

    project_id: int
    api_key: str
    assistant_id: int
    made: bool  # something was made just now


def install(
    ensure_project: Callable[[], Deferred[int]], keys: Keys, assistants: AssistantStore
) -> Deferred[Installed]:
    """Make what is missing; calling it again makes nothing."""
    return Deferred.fromCoroutine(_install(ensure_project, keys, assistants))


async def _install(
    ensure_project: Callable[[], Deferred[int]], keys: Keys, assistants: AssistantStore
) -> Installed:
    project_id = await ensure_project()
    made, text = False, ""
    if not [key for key in await keys.list(project_id) if key.revoked is None]:
        _, text = await keys.create(project_id, "first key")
        made = True
    page = await assistants.page(project_id, 1, 1)
    if page.total:
        return Installed(project_id, text, page.items[0].id, made)
    documents = receptionist()
    assistant = await assistants.create(new_assistant(documents["assistant"], project_id))
    await assistants.deploy(new_deployment(documents["deployment"], assistant.id))
    return Installed(project_id, text, assistant.id, True)


def announce(installed: Installed) -> None:
    """Tell a person what was made: the key once, and not through the log, which hides keys."""
    if installed.made and installed.api_key:
        print(f"API key (shown this once): {installed.api_key}", file=sys.__stdout__, flush=True)
        # A daemon's output is seen by nobody.
        _log.info("the API key was printed, once; `rapida key create` makes another")
    _log.info("assistant {id} takes calls", id=installed.assistant_id)
