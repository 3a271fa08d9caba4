"""What the tree is made of: a path, and who answers it with a document."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from twisted.web.resource import IResource

from rapida_tw.carriers.base import Document
from rapida_tw.web.operation import Operation
from rapida_tw.web.request import BoundedRequest

# None: the handler has sent the response itself, all but the end. A resource: it takes over.
Answered = Document | IResource | None
# Is given the request and, by name, the parts of the path that the pattern leaves open.
Handler = Callable[..., Awaitable[Answered]]

PATIENCE = 30.0  # seconds until "unavailable" is answered instead


@dataclass(frozen=True, slots=True)
class Route:
    """One line of the tree. `path` is a pattern of Werkzeug, `methods` are divided by blanks."""

    methods: str
    path: str
    handler: Handler
    seconds: float | None = PATIENCE  # None: takes as long as it takes
    operation: Operation | None = None  # how /openapi.json describes it


def only(handler: Callable[[], Document]) -> Handler:
    """For what does not look at the request."""

    async def handle(request: BoundedRequest) -> Document:
        return handler()

    return handle
