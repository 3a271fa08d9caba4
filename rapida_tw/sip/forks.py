"""The early dialogs of one INVITE: each is a session, and all of them share its media.

The first that is answered keeps the media; what the others end, that one still needs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress

from rapida_tw.audio.format import AudioFormat
from rapida_tw.errors import RemoteProtocolError
from rapida_tw.media.leg import LegListener
from rapida_tw.sip.base import Flow
from rapida_tw.sip.media import Offers, Stream
from rapida_tw.sip.session import Session
from rapida_tw.wire.sdp import Agreed
from rapida_tw.wire.sip_dialog import Dialog
from rapida_tw.wire.sip_message import Request, Response


class Lent:
    """The stream as one fork's session has it: it is closed only by the session that keeps it."""

    def __init__(self, stream: Stream) -> None:
        self._stream = stream
        self.keeps = False
        # On the 20 ms path there is no step between.
        self.send_audio: Callable[[bytes], None] = stream.send_audio
        self.send_digits: Callable[[str], bool] = stream.send_digits

    @property
    def format(self) -> AudioFormat:
        return self._stream.format

    @format.setter
    def format(self, format: AudioFormat) -> None:
        self._stream.format = format

    def agree(self, agreed: Agreed, signalling_host: str) -> None:
        self._stream.agree(agreed, signalling_host)

    def begin(self, flowing: Callable[[], None]) -> None:
        self._stream.begin(flowing)

    def listen(self, listener: LegListener) -> None:
        self._stream.listen(listener)

    def measures(self) -> Mapping[str, tuple[str, Mapping[str, object]]]:
        return self._stream.measures()

    def close(self) -> None:
        if self.keeps:
            self._stream.close()


class Fork:
    """One of them. `session` None: it is over already."""

    def __init__(self, session: Session, lent: Lent) -> None:
        self.session: Session | None = session
        self.lent = lent
        self.description = b""  # their latest


# A session in a dialog that a response to that INVITE has made, over that way and stream.
Make = Callable[[Dialog, Request, Flow, Stream], Session]


class Forks:
    """All of them, by their tags."""

    def __init__(self, offers: Offers, stream: Stream, make: Make) -> None:
        self._offers = offers
        self._stream = stream
        self._make = make
        self._forks: dict[str, Fork] = {}
        self._latest: Fork | None = None  # whose description the media have

    def progressed(self, dialog: Dialog, invite: Request, response: Response, flow: Flow) -> None:
        """A provisional response of one of them."""
        fork = self._of(dialog, invite, flow)
        if fork.session is None:
            return
        fork.session.provisional_received(response)
        if response.sdp:
            fork.description, self._latest = response.sdp, fork

    def answered(
        self, dialog: Dialog, invite: Request, response: Response, flow: Flow
    ) -> Session | None:
        """The one that stays, with the media; None when it had ended before."""
        fork = self._of(dialog, invite, flow)
        self.leave(fork)
        session = fork.session
        if session is None:
            return None
        if not response.sdp and self._latest not in (None, fork):
            self._return_to(fork, session, flow.peer[0])
        fork.lent.keeps = True
        return session

    def leave(self, stays: Fork | None = None) -> None:
        """All the others are over: nothing is sent to them, and the media stay."""
        for fork in self._forks.values():
            session = fork.session
            if fork is not stays and session is not None:
                fork.session = None
                session.hang_up()
        if stays is None:
            self._forks.clear()

    def __len__(self) -> int:
        """That are not over."""
        return sum(fork.session is not None for fork in self._forks.values())

    def ended(self, dialog: Dialog) -> None:
        """It has ended by itself."""
        if dialog.remote_tag in self._forks:
            self._forks[dialog.remote_tag].session = None

    def _of(self, dialog: Dialog, invite: Request, flow: Flow) -> Fork:
        fork = self._forks.get(dialog.remote_tag)
        if fork is None:
            lent = Lent(self._stream)
            fork = Fork(self._make(dialog, invite, flow, lent), lent)
            self._forks[dialog.remote_tag] = fork
        return fork

    def _return_to(self, fork: Fork, session: Session, host: str) -> None:
        """Another one has described itself since, and the 200 does not tell again."""
        self._offers.agreed = None  # what the other one has said does not hold for this one
        if fork.description:
            with suppress(RemoteProtocolError):
                fork.lent.agree(self._offers.answered(fork.description), host)
                session.format = fork.lent.format


_conforms: type[Stream] = Lent
