"""Names: whose call is it that a carrier's callback speaks of?

A call has the context's id, the carrier's own name for it, and maybe others. Those of this process
are at hand; those of other processes, and of calls from before a restart, are in the database.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence

from twisted.internet.defer import Deferred

from rapida_tw.store.records import ConversationStore, NamedCall

REMEMBERED = 30_000  # names; three for each of ten thousand calls


class Names:
    """Finds calls by their names. The longest unused name is forgotten first."""

    def __init__(self, conversations: ConversationStore) -> None:
        self._conversations = conversations
        self._known: OrderedDict[tuple[str, str], NamedCall] = OrderedDict()

    def remember(self, carrier: str, names: Sequence[str], call: NamedCall) -> None:
        """The newest call of a name counts."""
        for name in filter(None, names):
            self._known[carrier, name] = call
            self._known.move_to_end((carrier, name))
        while len(self._known) > REMEMBERED:
            self._known.popitem(last=False)

    def find(
        self, carrier: str, names: Sequence[str], project_id: int | None = None
    ) -> Deferred[NamedCall | None]:
        """The call that has the first of `names` that any has; `Unavailable`.

        With a project only its own calls are seen.
        """
        return Deferred.fromCoroutine(self._find(carrier, names, project_id))

    async def _find(
        self, carrier: str, names: Sequence[str], project_id: int | None
    ) -> NamedCall | None:
        for name in names:
            call = self._known.get((carrier, name))
            if call is not None and project_id in (None, call.project_id):
                return call
        return await self._conversations.named(carrier, names, project_id) if any(names) else None
