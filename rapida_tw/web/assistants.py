"""/v1/assistants: assistants and their phone deployments."""

from __future__ import annotations

from collections.abc import Iterator

from rapida_tw.errors import ChangedMeanwhile
from rapida_tw.store.credential_documents import check_model_references, check_references
from rapida_tw.store.documents import (
    assistant_document,
    changed_assistant,
    deployment_document,
    new_assistant,
    new_deployment,
)
from rapida_tw.store.records import AssistantStore, CredentialStore
from rapida_tw.web.answers import Answer
from rapida_tw.web.api import Api, Ask
from rapida_tw.web.operation import Operation, ref
from rapida_tw.web.route import Route

PATH = "/v1/assistants"
TAG = "Assistants"
_TRIES = 3  # to change what others change, too
_ONE = ref("Assistant")
_CREATE = Operation("createAssistant", "Make an assistant.", TAG, _ONE, ref("NewAssistant"))
_LIST = Operation("listAssistants", "Newest first.", TAG, _ONE, paged=True)
_SHOW = Operation("getAssistant", "One assistant.", TAG, _ONE)
_CHANGE = Operation(
    "changeAssistant",
    "Change what is given (a merge patch, RFC 7396), keep the rest.",
    TAG,
    _ONE,
    ref("AssistantChange"),
)
_DELETE = Operation("deleteAssistant", "Its conversations stay.", TAG, ref("Id"))
_DEPLOYMENT = Operation(
    "getPhoneDeployment",
    "How it is on the phone; a default one where none was set.",
    TAG,
    ref("Deployment"),
)
_DEPLOY = Operation(
    "setPhoneDeployment", "Set or replace it.", TAG, ref("Deployment"), ref("NewDeployment")
)


class Assistants:
    """Each in the project of the key; others' are not found."""

    def __init__(self, store: AssistantStore, credentials: CredentialStore) -> None:
        self._store = store
        self._credentials = credentials

    def routes(self, api: Api) -> Iterator[Route]:
        one = f"{PATH}/<assistant_id>"
        yield Route("POST", PATH, api(self.create), operation=_CREATE)
        yield Route("GET", PATH, api(self.list), operation=_LIST)
        yield Route("GET", one, api(self.show), operation=_SHOW)
        yield Route("PATCH", one, api(self.change), operation=_CHANGE)
        yield Route("DELETE", one, api(self.delete), operation=_DELETE)
        yield Route("GET", f"{one}/phone-deployment", api(self.deployment), operation=_DEPLOYMENT)
        yield Route("PUT", f"{one}/phone-deployment", api(self.deploy), operation=_DEPLOY)

    async def create(self, ask: Ask) -> Answer:
        new = new_assistant(ask.document(), ask.project_id)
        await check_model_references(new.model, ask.project_id, self._credentials)
        return Answer(assistant_document(await self._store.create(new)))

    async def list(self, ask: Ask) -> Answer:
        """Newest first."""
        page = await self._store.page(ask.project_id, *ask.page())
        return Answer([assistant_document(assistant) for assistant in page.items], page)

    async def show(self, ask: Ask, assistant_id: int) -> Answer:
        return Answer(assistant_document(await self._store.get(assistant_id, ask.project_id)))

    async def change(self, ask: Ask, assistant_id: int) -> Answer:
        """A merge patch (RFC 7396), onto what others have changed in the same moment."""
        document = ask.document()
        for left in reversed(range(_TRIES)):
            assistant = await self._store.get(assistant_id, ask.project_id)
            changed = changed_assistant(document, assistant)
            await check_model_references(changed.model, ask.project_id, self._credentials)
            try:
                return Answer(assistant_document(await self._store.update(changed)))
            except ChangedMeanwhile:
                if not left:
                    raise
        raise AssertionError("unreachable")

    async def delete(self, ask: Ask, assistant_id: int) -> Answer:
        await self._store.delete(assistant_id, ask.project_id)
        return Answer({"id": str(assistant_id)})

    async def deployment(self, ask: Ask, assistant_id: int) -> Answer:
        """A default one when none was set."""
        await self._store.get(assistant_id, ask.project_id)
        return Answer(deployment_document(await self._store.deployment(assistant_id)))

    async def deploy(self, ask: Ask, assistant_id: int) -> Answer:
        """Set or replace it."""
        await self._store.get(assistant_id, ask.project_id)
        new = new_deployment(ask.document(), assistant_id)
        await check_references(new, ask.project_id, self._credentials)
        return Answer(deployment_document(await self._store.deploy(new)))
