"""The SIP trunks among the stored credentials, looked at now and then."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from twisted.internet.defer import Deferred
from twisted.logger import Logger

from rapida_tw.errors import CallError, Unavailable
from rapida_tw.sip.trunk import PROVIDER, Trunk
from rapida_tw.store.records import Credential, CredentialStore

EVERY = 30.0  # seconds: any process, and the command, may change credentials


class Trunks:
    """Tells `changed` all trunks, by the credential's id, when they are others than before."""

    _log = Logger()

    def __init__(
        self, credentials: CredentialStore, changed: Callable[[Mapping[int, Trunk]], None]
    ) -> None:
        self._credentials = credentials
        self._changed = changed
        # By credential: when it was last changed, and what it said; None: nothing of use.
        self._known: dict[int, tuple[float, Trunk | None]] = {}
        self._looking = False

    def look(self) -> None:
        """Ask the store. What cannot be had now is asked for the next time."""
        if not self._looking:
            self._looking = True
            looking = Deferred.fromCoroutine(self._look())
            looking.addErrback(lambda f: self._log.failure("SIP trunks were not read", f))

    async def _look(self) -> None:
        try:
            found: dict[int, tuple[float, Trunk | None]] = {}
            for credential in await self._credentials.of_provider(PROVIDER):
                known = self._known.get(credential.id)
                if known is not None and known[0] == credential.updated:
                    found[credential.id] = known
                else:
                    found[credential.id] = credential.updated, await self._read(credential)
        except Unavailable as error:
            self._log.warn("SIP trunks were not read: {error}", error=error)
            return
        finally:
            self._looking = False
        if found != self._known:
            self._known = found
            trunks = {number: trunk for number, (_, trunk) in found.items() if trunk is not None}
            self._changed(trunks)

    async def _read(self, credential: Credential) -> Trunk | None:
        """None, and a line in the log, for one that cannot be used. `Unavailable`."""
        try:
            secrets = await self._credentials.secrets(credential.id, credential.project_id)
            return Trunk.read(secrets, credential.project_id)
        except Unavailable:
            raise
        except CallError as error:
            self._log.error("credential {id}: {error}", id=credential.id, error=error)
            return None
