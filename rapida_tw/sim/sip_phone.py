"""A SIP phone, faithful and strict: what it calls, what it does in a call, how that ends.

Written from RFC 3261 and its family, not from the server's code. Over UDP, in memory or for real.
What it does not like of the server's messages is counted in `complaints`; the call goes on. What
the server asks of it within the call is in sip_desk.py.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from random import Random

from twisted.internet.defer import Deferred
from twisted.internet.interfaces import IDelayedCall, IReactorTime

from rapida_tw.sim import sip_login, sip_text
from rapida_tw.sim.metronome import Metronome
from rapida_tw.sim.phone import Ending, Line, Phone, Reason
from rapida_tw.sim.sip_asking import Asking
from rapida_tw.sim.sip_desk import Desk
from rapida_tw.sim.sip_gate import Gate
from rapida_tw.sim.sip_manner import SipAccount, SipManner
from rapida_tw.sim.sip_media import SipMedia
from rapida_tw.sim.sip_offers import Offers
from rapida_tw.sim.sip_signalling import Fields, Signalling
from rapida_tw.sim.sip_sound import CODECS
from rapida_tw.sim.sip_text import SipText
from rapida_tw.sim.udp import Network

LINGER = 35.0  # seconds after the end in which repeated messages are answered (64*T1, and some)
_BUSY_AGAIN = 2.5  # seconds: who owns the Call-ID waits 2.1 to 4 after a 491 (14.1)


class SipPhone:
    """One call's far side: a `Line` from `call` on, or from the server's INVITE to it.

    `answered_at`, `invited_at`: on the clock. `refusals`: of what it asked within the call.
    `parted` fires when a BYE, whoever's, has been answered.
    """

    def __init__(
        self,
        phone: Phone,
        network: Network,
        host: str,
        account: SipAccount,
        clock: IReactorTime,
        manner: SipManner | None = None,
        random: Random | None = None,
        metronome: Metronome | None = None,
    ) -> None:
        """`host`: the phone's own address. `metronome`: one that many share; it must fit."""
        self.manner = manner = manner or SipManner()
        self.clock = clock
        self.rate = CODECS[manner.codecs[0]].rate
        self.interval = manner.ptime / 1000
        self.gate = gate = Gate(network)
        self.ending: Ending | None = None
        self.complaints: Counter[str] = Counter()
        self.invited_at = self.answered_at = 0.0
        self.refusals: list[int] = []
        self.parted: Deferred[None] = Deferred()
        self.random = random = random or Random()
        self._account = account
        self._phone = phone
        self._metronome = metronome or Metronome(clock, manner.interval)
        self._start = 0.0
        self._timers: set[IDelayedCall] = set()
        self._refreshing: IDelayedCall | None = None
        self._session: tuple[int, bool] | None = None  # seconds; we refresh it
        self._up = False
        self._gave_up = False
        self._invite: Asking | None = None
        self._authorization = ""
        socket = gate.bind(host)
        try:
            self.media = SipMedia(
                gate.bind, host, clock.seconds, random, self.rate, self.complaints, self._heard
            )
        except OSError:
            socket.close()
            raise
        self.offers = Offers(host, self.media, manner, random.getrandbits(31), self.complaints)
        self.desk = Desk(self)
        self.signalling = Signalling(
            socket,
            account,
            manner,
            clock,
            random,
            self.complaints,
            self.desk.received,
            self._progressed,
        )
        self.ask = self.signalling.ask
        self.dialog = self.signalling.dialog

    @property
    def seconds(self) -> float:
        """Since the line came up."""
        return self.clock.seconds() - self._start

    @property
    def ladder(self) -> list[str]:
        """First lines of all messages, > ours and < theirs."""
        return [f"{direction} {line}" for _, direction, line in self.signalling.ladder]

    # -- a call -----------------------------------------------------------------------------------

    def call(self) -> None:
        """Send the INVITE; the caller is told when it is answered, or how it ended."""
        self._start = self.invited_at = self.clock.seconds()
        self._send_invite()

    def _send_invite(self) -> None:
        body = b"" if self.manner.late_offer else self.offers.describe()
        fields = self._timer()
        if self._authorization:
            fields.append(("Authorization", self._authorization))
        uri = self._account.uri(bool(self.manner.digest))
        self._invite = self.ask("INVITE", self._invited, fields, body, uri)

    def _invited(self, response: SipText | None) -> None:
        if response is None:
            self.end(Ending(Reason.NO_ANSWER))
        elif response.status == 401 and self.manner.digest and not self._authorization:
            self._log_in(response)
        elif response.status >= 300:
            self.end(Ending(Reason.REFUSED, response.start.partition(" ")[2]))
        else:
            self.dialog.theirs = response.one("to")
            self.dialog.routes = response.all("record-route")[::-1]
            self._confirmed(response)
            self._acknowledge(response)
            if self._gave_up:
                self.ask("BYE", self._left)  # it was faster than our CANCEL
            elif self.ending is None:
                self.went_up()

    def _log_in(self, response: SipText) -> None:
        account = self._account
        try:
            self._authorization = sip_login.answer(
                response.all("www-authenticate"),
                self.manner.digest,
                "INVITE",
                account.uri(True),
                account.assistant_id,
                account.password,
                f"{self.random.getrandbits(64):016x}",
            )
        except sip_login.BadChallenge as error:
            self.complain(str(error))
            self.end(Ending(Reason.REFUSED, str(error)))
        else:
            self._send_invite()

    def _confirmed(self, response: SipText) -> None:
        """A 2xx to an INVITE or an UPDATE of ours: target and timer are new."""
        try:
            self.dialog.target = sip_text.address(response.one("contact"))[0]
        except sip_text.BadText:
            self.dialog.target = self._account.uri(True)  # which has been complained of
        self.note_timer(response.one("session-expires"), own=True)

    def _acknowledge(self, response: SipText) -> None:
        body = b""
        if self.signalling.asked(response).body:
            self.offers.agree(response.body)
        elif response.body:
            body = self.offers.answer(response.body)
        else:
            self.complain("a 2xx without the offer")
        self.signalling.acknowledge(response, body)

    def _progressed(self) -> None:
        """A response to an INVITE has come: a CANCEL may go now (9.1)."""
        invite = self._invite
        if self._gave_up and invite is not None and invite.provisional and not invite.done:
            self.signalling.cancel(invite)

    def went_up(self) -> None:
        """The line is up: time 0."""
        self._up = True
        self._start = self.answered_at = self.clock.seconds()
        self._metronome.add(self._beat)
        self._phone.connected(self)

    # -- Line -------------------------------------------------------------------------------------

    def send_audio(self, payload: bytes) -> None:
        self.media.send_audio(payload)

    def press(self, digit: str) -> None:
        """By telephone-event, else by INFO."""
        if self.ending is None and self._up and not self.media.press(digit):
            body = f"Signal={digit}\r\nDuration=160\r\n".encode()
            self.ask("INFO", self._changed, [("Content-Type", "application/dtmf-relay")], body)

    def hang_up(self) -> None:
        """BYE; CANCEL before there is an answer."""
        if self.ending is not None:
            return
        if self._up:
            self.ask("BYE", self._left)
        else:
            self._gave_up = True
            self._progressed()
        self.end(Ending(Reason.CALLER_HUNG_UP))

    def _left(self, response: SipText | None) -> None:
        if response is None or response.status != 200:
            self.complain(f"BYE: {response.start if response else 'no answer'}")
        self.over()

    def over(self) -> None:
        """A BYE has been answered: from now on nothing may come."""
        self.media.expect_silence()
        if not self.parted.called:
            self.parted.callback(None)

    # -- within a call ----------------------------------------------------------------------------

    def hold(self, direction: str = "sendonly") -> None:
        """Put the server on hold; `resume` takes it back."""
        self.renegotiate(direction=direction)

    def resume(self) -> None:
        self.renegotiate(direction="sendrecv")

    def renegotiate(
        self, *, direction: str = "", codecs: tuple[str, ...] = (), late: bool = False
    ) -> None:
        """A re-INVITE; without arguments it changes nothing. `late`: they are to offer."""
        self.offers.direction = direction or self.offers.direction
        self.offers.codecs = codecs or self.offers.codecs
        body = b"" if late else self.offers.describe()
        self.ask("INVITE", self._changed, self._timer(), body)

    def update(self) -> None:
        """Refresh the session and nothing else (RFC 3311)."""
        self.ask("UPDATE", self._changed, self._timer())

    def move_media(self, tell: bool) -> None:
        """Other ports: they are told by a re-INVITE, or find out (a NAT that has forgotten)."""
        self.media.move()
        if tell:
            self.renegotiate()

    def options(self) -> None:
        """Are you there?"""
        self.ask("OPTIONS", self._changed)

    def _changed(self, response: SipText | None) -> None:
        if response is None:
            self.complain("no answer within the call")
        elif response.status >= 300:
            self.refusals.append(response.status)
            if response.status == 491 and self.ending is None:
                self.later(_BUSY_AGAIN, self.renegotiate)
        elif response.cseq_method in ("INVITE", "UPDATE"):
            self._confirmed(response)
            if response.cseq_method == "INVITE":
                self._acknowledge(response)

    # -- session timers (RFC 4028) ----------------------------------------------------------------

    def _timer(self) -> Fields:
        if self._session is not None:
            interval, ours = self._session
            refresher = "uac" if ours else "uas"
            return [("Session-Expires", f"{interval};refresher={refresher}"), ("Min-SE", "90")]
        if not self.manner.expires:
            return []
        refresher = f";refresher={self.manner.refresher}" if self.manner.refresher else ""
        return [("Session-Expires", f"{self.manner.expires}{refresher}"), ("Min-SE", "90")]

    def note_timer(self, value: str, own: bool) -> None:
        """What a 2xx says; `own`: the request was ours."""
        if self._refreshing is not None:
            self._stop(self._refreshing)
            self._refreshing = None
        number = value.partition(";")[0]
        if not number.isdigit() or self.ending is not None:
            return
        interval = int(number)
        ours = (sip_text.parameters(value).get("refresher") == "uac") is own
        self._session = interval, ours
        if ours:
            self._refreshing = self.later(interval / 2, self.update)
        else:
            self._refreshing = self.later(interval - min(32, interval / 3), self._expired)

    def _expired(self) -> None:
        self.complain("the session was not refreshed")
        self.hang_up()

    # -- inside -----------------------------------------------------------------------------------

    def _beat(self) -> None:
        self.media.beat()
        self._phone.beat(self.seconds)

    def _heard(self, payload: bytes, rate: int) -> None:
        if self.ending is None and self._up:
            self._phone.audio_heard(payload, rate, self.seconds)

    def complain(self, why: str) -> None:
        """A strict peer would warn about it."""
        self.complaints[why] += 1

    def later(self, seconds: float, act: Callable[[], object]) -> IDelayedCall:
        """Unless the call is over by then."""

        def go() -> None:
            self._timers.discard(timer)
            act()

        timer = self.clock.callLater(seconds, go)
        self._timers.add(timer)
        return timer

    def _stop(self, timer: IDelayedCall) -> None:
        self._timers.discard(timer)
        if timer.active():
            timer.cancel()

    # -- ends -------------------------------------------------------------------------------------

    def stall(self) -> None:
        """Keep back what would be sent, as a network does that has lost its way."""
        self.gate.stall()

    def unstall(self) -> None:
        self.gate.unstall()

    def vanish(self) -> None:
        """A power failure: never a packet again."""
        self.gate.dead = True
        self.end(Ending(Reason.CUT))
        self.close()

    def end(self, ending: Ending) -> None:
        """The line is down; what comes late is still answered for a while."""
        if self.ending is not None:
            return
        self.ending = ending
        self._metronome.remove(self._beat)
        for timer in tuple(self._timers):
            self._stop(timer)
        self.media.goodbye()
        self.later(LINGER, self.close)
        self._phone.disconnected(ending, self.seconds)

    def close(self) -> None:
        """Answer nothing any more; nothing is left."""
        for timer in tuple(self._timers):
            self._stop(timer)
        self.desk.close()
        self.signalling.close()
        self.media.close()


_conforms: type[Line] = SipPhone
