"""OwnHold: why one call is silent: it is held by its far side, or by us, or a machine talks."""

from __future__ import annotations

from collections.abc import Callable

from twisted.internet.defer import Deferred
from twisted.logger import Logger
from twisted.python.failure import Failure

from rapida_tw.calls.journal import Notebook
from rapida_tw.carriers.outbound import CarrierRefused, Line
from rapida_tw.errors import NotSupported, VendorFailed
from rapida_tw.pipeline.steering_tools import Holding


class OwnHold:
    """The dialogue is told of the first reason that comes, and of the last one that goes."""

    _log = Logger()

    def __init__(self, tell: Callable[[bool], None], line: Line, notebook: Notebook) -> None:
        self._tell = tell
        self._line = line
        self._notebook = notebook
        self._theirs = self._ours = self._machine = False
        self._resumed: list[Deferred[None]] = []

    def theirs(self, held: bool) -> None:
        """The far side has put us on hold, or taken us back."""
        before = self._silent
        self._theirs = held
        self._notebook.event("hold.started" if held else "hold.ended")
        self._changed(before)

    def hold(self, on: bool) -> None:
        """Ours. Music, where the carrier has some."""
        if on is self._ours:
            return
        before = self._silent
        self._ours = on
        self._notebook.event("hold.started" if on else "hold.ended", by="assistant")
        self._line.hold(on).addErrback(self._no_music)
        if not on:
            self._fire()
        self._changed(before)

    def quiet(self, quiet: bool) -> None:
        """A machine's greeting is waited for."""
        before = self._silent
        self._machine = quiet
        self._changed(before)

    def until_resumed(self) -> Deferred[None]:
        resumed: Deferred[None] = Deferred(lambda _: None)
        self._resumed.append(resumed)
        return resumed

    def key_pressed(self) -> bool:
        """A key of the caller's: it ends our hold, and does nothing else then."""
        if not self._ours:
            return False
        self.hold(False)
        return True

    def stop(self) -> None:
        """The call is over."""
        self._resumed.clear()

    @property
    def _silent(self) -> bool:
        return self._theirs or self._ours or self._machine

    def _changed(self, before: bool) -> None:
        if self._silent is not before:
            self._tell(self._silent)

    def _fire(self) -> None:
        resumed, self._resumed = self._resumed, []
        for one in resumed:
            if not one.called:
                one.callback(None)

    def _no_music(self, failure: Failure) -> None:
        if not failure.check(NotSupported, CarrierRefused, VendorFailed):
            self._log.failure("hold: the carrier was not told", failure)


_conforms: type[Holding] = OwnHold
