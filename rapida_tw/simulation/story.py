"""One call's story, told in advance and read afterwards."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from twisted.python.failure import Failure

from rapida_tw.models.base import ModelProvider
from rapida_tw.sim.audiosocket import APPLICATION, FakeAsterisk, Manner
from rapida_tw.sim.caller import Caller
from rapida_tw.sim.datagrams import Storm
from rapida_tw.sim.sip_manner import SipManner
from rapida_tw.sim.sip_phone import SipPhone
from rapida_tw.sim.vendors.base import FakeVendor
from rapida_tw.sim.weather import Weather
from rapida_tw.sim.websocket_line import WebSocketLine
from rapida_tw.simulation.clock import VirtualClock
from rapida_tw.simulation.server import VirtualServer
from rapida_tw.simulation.sip import SETTLED, VirtualSip
from rapida_tw.simulation.transports import AUDIOSOCKET, SIP, TRANSPORTS, Transport
from rapida_tw.simulation.web import VirtualWeb
from rapida_tw.speech.base import RecognizerProvider, SynthesizerProvider
from rapida_tw.speech.scripted import ScriptedSynthesizer
from rapida_tw.store.records import Entry


class Simulation:
    """One call's story, over AudioSocket or the `transport` of that name (TRANSPORTS, SIP).

    `manner` is how an Asterisk calls by AudioSocket, `weather` is the network's (sim/weather.py, or
    a Storm for SIP), `scheme` the one that carriers know. `recognizer`, `voice`: others than the
    scripted ones. `vendors`: fakes that can be reached. `set_up`: seconds between a carrier's
    webhook and media. `sip`: another phone than the transport's; `sip_settings`: the server's.
    """

    def __init__(
        self,
        *,
        greeting: str = "",
        replies: Sequence[Sequence[str]] = (),
        model: Mapping[str, Any] | None = None,
        model_provider: ModelProvider | None = None,
        tools: Sequence[Mapping[str, Any]] = (),
        transport: str = AUDIOSOCKET,
        manner: Manner = APPLICATION,
        weather: Callable[[], float] | Storm | None = None,
        scheme: str = "https",
        metadata: Mapping[str, str] | None = None,
        recognizer: RecognizerProvider | None = None,
        voice: SynthesizerProvider | None = None,
        model_vendor: str = "",
        model_key: str = "",
        vendors: Sequence[FakeVendor] = (),
        set_up: float = 0.0,
        sip: SipManner | None = None,
        sip_settings: Mapping[str, Any] | None = None,
        **deployment: Any,
    ) -> None:
        scripted = {"replies": [list(pair) for pair in replies], "otherwise": "Pardon?"}
        options = scripted if model is None else model
        phone: dict[str, Any] = {"greeting": greeting, **deployment}
        self._way = TRANSPORTS.get(transport)
        if self._way is None and transport not in (AUDIOSOCKET, *SIP):
            raise KeyError(transport)
        by_sip = transport in SIP
        if by_sip:
            phone |= {"provider": "sip"}
        if self._way is not None:
            phone |= {"provider": self._way.carrier, "options": self._way.options}
        # TLS and proxies may join what we write in one turn: for carriers that is the rule here.
        joined = self._way is not None
        self.server = VirtualServer(
            options,
            phone,
            tools,
            model_provider,
            weather=None if by_sip or isinstance(weather, Storm) else weather,
            joined=joined,
            recognizer=recognizer,
            voice=voice,
            model_vendor=model_vendor,
            model_key=model_key,
            vendors=vendors,
        )
        self.caller = Caller()
        self._script: deque[str | None] = deque()
        self._manner = manner
        self._asterisk: FakeAsterisk | None = None
        self._line: WebSocketLine | None = None
        self._called = False
        self._secure = scheme == "https"
        self._set_up = set_up
        self.failure: Failure | None = None  # why the line did not come up, or the carrier's bug
        self.reports: list[int] = []  # the answers' status to what the carrier reported
        self.web: VirtualWeb | None = None
        self.sip: VirtualSip | None = None
        if by_sip:
            storm = weather.storm() if isinstance(weather, Weather) else weather
            assert storm is None or isinstance(storm, Storm)
            self.sip = VirtualSip(self.server, storm, sip_settings)
            self._phone = self.sip.phone(self.caller, self._script, sip or SIP[transport])
        elif self._way is None:
            self._context = self.server.register(**(metadata or {}))
        else:
            self.web = VirtualWeb(self.server, scheme)

    @property
    def clock(self) -> VirtualClock:
        return self.server.clock

    @property
    def asterisk(self) -> FakeAsterisk:
        """The far side of AudioSocket; connects on first use."""
        if self._asterisk is None:
            self._called = True
            self._asterisk = self.server.connect(
                self._context.id, self.caller, self._script, self._manner
            )
        return self._asterisk

    @property
    def phone(self) -> SipPhone:
        """The far side of SIP."""
        assert self.sip is not None, "this story is not told over SIP"
        return self._phone

    @property
    def line(self) -> Any:
        """The far side, whichever it is; a carrier's WebSocket once it is up."""
        if self.sip is not None:
            return self._phone
        if self._way is None:
            return self.asterisk
        if self.failure is not None:
            self.failure.raiseException()
        assert self._line is not None, "the line is not up yet"
        return self._line

    # -- the story --------------------------------------------------------------------------------

    def says(self, text: str, at: float, lasting: float = 0.8) -> None:
        """The caller says it, `at` seconds after the line came up. Give them in their order."""
        self._script.append(text)
        self.caller.says(text, at, lasting=lasting)

    def coughs(self, at: float, lasting: float = 0.2) -> None:
        """A sound without words."""
        self._script.append(None)
        self.caller.says("cough", at, lasting=lasting)

    def presses(self, digits: str, at: float) -> None:
        self.caller.presses(digits, at)

    def hangs_up(self, at: float) -> None:
        self.caller.hangs_up(at)

    def run(self, until: float) -> None:
        """Call, if not yet, and let time pass up to `until` seconds from the beginning."""
        if self.sip is not None:
            if not self._called:
                self._called = True
                self._phone.call()
        elif self._way is None or self.web is None:
            _ = self.asterisk
        elif not self._called:
            self._called = True
            self._call(self.web, self._way)
        self.clock.run(until)
        if self.failure is not None:
            self.failure.raiseException()

    def _call(self, web: VirtualWeb, way: Transport) -> None:
        carrier = way.call(web.callee)
        calling = web.call(
            carrier,
            self.caller,
            self._script,
            one_frame_a_record=way.one_frame_a_record and self._secure,
            set_up=self._set_up,
        )

        def up(line: WebSocketLine) -> None:
            self._line = line
            reporting = web.report(carrier, line)
            reporting.addCallbacks(self.reports.extend, self._failed)

        calling.addCallbacks(up, self._failed)

    def _failed(self, failure: Failure) -> None:
        self.failure = failure

    # -- the end ----------------------------------------------------------------------------------

    @property
    def settled(self) -> float:
        """Seconds after its end in which a call may still answer what is repeated."""
        return 3.0 if self.sip is None else SETTLED

    def leftovers(self) -> list[str]:
        """What outlived the call: empty `settled` seconds after every story."""
        if self.sip is not None:
            return self.sip.leftovers()
        return self.server.leftovers() if self.web is None else self.web.leftovers()

    # -- what came of it --------------------------------------------------------------------------

    @property
    def entries(self) -> tuple[Entry, ...]:
        return self.server.entries(self.server.latest())

    @property
    def dialogue(self) -> list[tuple[str, str]]:
        """Who said what; of the assistant only what was heard."""
        return [(entry.name, entry.value) for entry in self.entries if entry.kind == "message"]

    @property
    def events(self) -> list[str]:
        return [entry.name for entry in self.entries if entry.kind == "event"]

    @property
    def metrics(self) -> dict[str, str]:
        return {entry.name: entry.value for entry in self.entries if entry.kind == "metric"}

    @property
    def latencies(self) -> list[Mapping[str, Any]]:
        """Each answered turn's latency in seconds, and its parts."""
        return [entry.data for entry in self.entries if entry.name == "turn.latency"]

    @property
    def contexts_waiting(self) -> bool:
        """The call was registered and nobody has connected."""
        return not self._called and self._way is None and self.sip is None

    @property
    def context_id(self) -> str:
        return self._context.id

    @property
    def voice(self) -> ScriptedSynthesizer:
        return self.server.voices.opened[-1]
