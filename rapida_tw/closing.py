"""The last that is done for media connections when the server stops."""

from __future__ import annotations

from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import deferLater

from rapida_tw.transports.audiosocket import AudioSocketFactory
from rapida_tw.transports.door import Door

CLOSED_WITHIN = 0.5  # seconds for far sides to close, when all calls have been hung up
_LOOK_EVERY = 0.02  # seconds


async def close_connections(
    clock: IReactorTime, audiosocket: AudioSocketFactory, door: Door
) -> None:
    """Let far sides do it: cut at once, they lose the hang-up that was just written to them."""
    waited = 0.0
    while waited < CLOSED_WITHIN and (audiosocket.connections or door.sockets):
        await deferLater(clock, _LOOK_EVERY)
        waited += _LOOK_EVERY
    if audiosocket.connections or door.sockets:
        audiosocket.abort_all()
        door.abort_all()
        await deferLater(clock, 0.0)  # the journal is yet to learn of their ends
