"""/v1/credentials: secrets of carriers and vendors, which go in and never come out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from rapida_tw.carriers.base import Carrier
from rapida_tw.sip import trunk
from rapida_tw.store.credential_documents import (
    Known,
    changed_credential,
    credential_document,
    known_fields,
    new_credential,
)
from rapida_tw.store.records import CredentialStore
from rapida_tw.store.verification import Logins, verification
from rapida_tw.web.answers import Answer
from rapida_tw.web.api import Api, Ask
from rapida_tw.web.operation import Operation, ref
from rapida_tw.web.ports import InThread, PlugIns
from rapida_tw.web.route import Route

PATH = "/v1/credentials"
TAG = "Credentials"
_ONE = ref("Credential")
_CREATE = Operation("createCredential", "Store secrets.", TAG, _ONE, ref("NewCredential"))
_LIST = Operation("listCredentials", "Newest first, without values.", TAG, _ONE, paged=True)
_SHOW = Operation("getCredential", "Which keys are set, never the values.", TAG, _ONE)
_CHANGE = Operation(
    "changeCredential",
    "Its name, its value as a whole, or both.",
    TAG,
    _ONE,
    ref("CredentialChange"),
)
_DELETE = Operation("deleteCredential", "Take it away.", TAG, ref("Id"))
_VERIFY = Operation("verifyCredential", "Log in with it at its provider.", TAG, ref("Verification"))


class Credentials:
    """Each in the project of the key; others' are not found."""

    def __init__(
        self,
        store: CredentialStore,
        carriers: Mapping[str, Carrier],
        vendors: Sequence[PlugIns],
        in_thread: InThread,
        logins: Logins,
    ) -> None:
        """`vendors`: the kinds of plug-ins that are used with credentials."""
        self._store = store
        self._carriers = carriers
        self._vendors = vendors
        self._in_thread = in_thread
        self._logins = logins
        self._declared: Known | None = None

    def routes(self, api: Api) -> Iterator[Route]:
        one = f"{PATH}/<credential_id>"
        yield Route("POST", PATH, api(self.create), operation=_CREATE)
        yield Route("GET", PATH, api(self.list), operation=_LIST)
        yield Route("GET", one, api(self.show), operation=_SHOW)
        yield Route("PATCH", one, api(self.change), operation=_CHANGE)
        yield Route("DELETE", one, api(self.delete), operation=_DELETE)
        yield Route("POST", f"{one}/verify", api(self.verify), operation=_VERIFY)

    async def create(self, ask: Ask) -> Answer:
        new = new_credential(ask.document(), await self._known())
        made = await self._store.create(ask.project_id, new.name, new.provider, new.value)
        return Answer(credential_document(made))

    async def list(self, ask: Ask) -> Answer:
        """Newest first."""
        page = await self._store.page(ask.project_id, *ask.page())
        return Answer([credential_document(credential) for credential in page.items], page)

    async def show(self, ask: Ask, credential_id: int) -> Answer:
        return Answer(credential_document(await self._store.get(credential_id, ask.project_id)))

    async def change(self, ask: Ask, credential_id: int) -> Answer:
        """Its name, its value as a whole, or both."""
        found = await self._store.get(credential_id, ask.project_id)
        name, value = changed_credential(ask.document(), found, await self._known())
        changed = await self._store.update(credential_id, ask.project_id, name, value)
        return Answer(credential_document(changed))

    async def delete(self, ask: Ask, credential_id: int) -> Answer:
        await self._store.delete(credential_id, ask.project_id)
        return Answer({"id": str(credential_id)})

    async def verify(self, ask: Ask, credential_id: int) -> Answer:
        """What is seen here, and what the provider says to a login."""
        known = await self._known()
        return Answer(
            await verification(self._store, credential_id, ask.project_id, known, self._logins)
        )

    async def _known(self) -> Known:
        """In a thread, once: importing thirty plug-ins takes longer than a frame of a call."""
        if self._declared is None:
            vendors = [await self._in_thread(plugins.declared) for plugins in self._vendors]
            carriers = known_fields(self._carriers, *vendors)
            self._declared = {**carriers, trunk.PROVIDER: trunk.CREDENTIAL_FIELDS}
        return self._declared
