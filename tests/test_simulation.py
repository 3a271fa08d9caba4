"""VirtualClock: time as Twisted's own Clock has it, but event by event. And a story's tools."""

from __future__ import annotations

from collections.abc import Callable

from hypothesis import given
from hypothesis import strategies as st
from twisted.internet.defer import fail, succeed
from twisted.internet.error import AlreadyCalled, AlreadyCancelled
from twisted.internet.interfaces import IReactorTime
from twisted.internet.task import Clock, LoopingCall
from twisted.trial.unittest import SynchronousTestCase
from zope.interface.verify import verifyObject

from rapida_tw.errors import VendorFailed
from rapida_tw.sim.phone import CallFailed
from rapida_tw.simulation import Simulation, VirtualClock, done
from rapida_tw.simulation.transports import TRANSPORTS

_delays = st.integers(0, 40).map(lambda quarters: quarters / 4)
_acts = st.one_of(
    st.tuples(st.just("call"), _delays),
    st.tuples(st.just("cancel"), st.integers(0, 20)),
    st.tuples(st.just("reset"), st.integers(0, 20), _delays),
    st.tuples(st.just("delay"), st.integers(0, 20), _delays),
    st.tuples(st.just("nested"), _delays, _delays),
    st.tuples(st.just("pass"), _delays),
)


class VirtualClockTests(SynchronousTestCase):
    """Against `task.Clock`, moved in the smallest steps."""

    def test_interface(self) -> None:
        """It is an IReactorTime."""
        self.assertTrue(verifyObject(IReactorTime, VirtualClock()))

    @given(st.lists(_acts, max_size=30))
    def test_same_as_twisted(self, acts: list[tuple[object, ...]]) -> None:
        """Whatever is called, put off, brought forward and cancelled: the same at the same time."""
        clock, virtual = Clock(), VirtualClock()

        def advance(seconds: float) -> None:
            clock.pump([0.0, *[0.25] * round(seconds * 4)])

        def run(seconds: float) -> None:
            virtual.run(virtual.seconds() + seconds)

        # No reactor promises an order within one moment.
        self.assertEqual(sorted(_play(clock, advance, acts)), sorted(_play(virtual, run, acts)))
        self.assertEqual(
            sorted(call.getTime() for call in clock.getDelayedCalls()),
            sorted(call.getTime() for call in virtual.getDelayedCalls()),
        )

    def test_own_time(self) -> None:
        """Each call sees the time for which it was asked, not the end of the run."""
        clock = VirtualClock()
        seen: list[float] = []
        for delay in (3.0, 1.0, 2.0):
            clock.callLater(delay, lambda: seen.append(clock.seconds()))
        clock.run(10.0)
        self.assertEqual((seen, clock.seconds()), ([1.0, 2.0, 3.0], 10.0))

    def test_same_moment(self) -> None:
        """Calls of one moment come in the order in which they were asked for."""
        clock = VirtualClock()
        seen: list[int] = []
        for number in range(5):
            clock.callLater(1.0, seen.append, number)
        clock.run(1.0)
        self.assertEqual(seen, [0, 1, 2, 3, 4])

    def test_never_back(self) -> None:
        """Time does not go back."""
        clock = VirtualClock()
        clock.run(5.0)
        clock.run(1.0)
        self.assertEqual(clock.seconds(), 5.0)

    def test_error(self) -> None:
        """An error ends the run at its moment; what is due later is still due."""
        clock = VirtualClock()
        clock.callLater(1.0, lambda: 1 / 0)
        seen: list[float] = []
        clock.callLater(2.0, seen.append, 2.0)
        self.assertRaises(ZeroDivisionError, clock.run, 5.0)
        self.assertEqual(clock.seconds(), 1.0)
        clock.run(5.0)
        self.assertEqual(seen, [2.0])

    def test_looping_call(self) -> None:
        """Twisted's own users of time work with it."""
        clock = VirtualClock()
        times: list[float] = []
        loop = LoopingCall(lambda: times.append(clock.seconds()))
        loop.clock = clock
        looping = loop.start(0.5)
        clock.run(2.0)
        loop.stop()
        self.successResultOf(looping)
        self.assertEqual(times, [0.0, 0.5, 1.0, 1.5, 2.0])
        self.assertEqual(clock.getDelayedCalls(), [])


def _play(
    clock: Clock | VirtualClock,
    forward: Callable[[float], None],
    acts: list[tuple[object, ...]],
) -> list[tuple[float, str]]:
    log: list[tuple[float, str]] = []
    calls = []

    def happens(name: str) -> None:
        log.append((clock.seconds(), name))

    def nests(name: str, delay: float) -> None:
        happens(name)
        clock.callLater(delay, happens, f"{name}, nested")

    for number, (what, *values) in enumerate(acts):
        if what == "call":
            calls.append(clock.callLater(values[0], happens, str(number)))  # type: ignore[arg-type]
        elif what == "nested":
            calls.append(clock.callLater(values[0], nests, str(number), values[1]))  # type: ignore[arg-type]
        elif what == "pass":
            forward(values[0])  # type: ignore[arg-type]
        elif calls:
            call = calls[values[0] % len(calls)]  # type: ignore[operator]
            try:
                getattr(call, str(what))(*values[1:])
            except (AlreadyCalled, AlreadyCancelled) as error:
                log.append((clock.seconds(), type(error).__name__))
    return log


class StoryTests(SynchronousTestCase):
    """The tools of the stories themselves."""

    def test_done(self) -> None:
        """`done` gives a result, raises a failure, and refuses what has not fired."""
        self.assertEqual(done(succeed(7)), 7)
        self.assertRaises(VendorFailed, done, fail(VendorFailed("no")))

    def test_leftovers(self) -> None:
        """A call that runs is left over, in each way; one that is over is not."""
        sim = Simulation(greeting="Hello.")
        sim.run(until=1.0)
        kinds = {left.partition(":")[0] for left in sim.server.leftovers()}
        self.assertEqual(kinds, {"timer", "on the beat", "running", "connection"})
        sim.asterisk.hang_up()
        sim.run(until=3.0)
        self.assertEqual(sim.server.leftovers(), [])

    def test_leftovers_of_sockets(self) -> None:
        """So is a call over a carrier's WebSocket, and a socket that waits for its start."""
        sim = Simulation(greeting="Hello.", transport="twilio")
        sim.run(until=1.0)
        kinds = {left.partition(":")[0] for left in sim.leftovers()}
        self.assertEqual(kinds, {"timer", "on the beat", "running", "connection", "media socket"})
        sim.line.hang_up()
        sim.run(until=3.0)
        self.assertEqual(sim.leftovers(), [])
        assert sim.web is not None
        sim.web.door.waiting = 1
        self.assertEqual(sim.leftovers(), ["waiting to start: 1"])

    def test_transports(self) -> None:
        """A story over any transport leads to a call of its carrier's."""
        for name, transport in TRANSPORTS.items():
            sim = Simulation(greeting="Hello.", transport=name)
            sim.hangs_up(at=1.0)
            sim.run(until=3.0)
            conversation = done(sim.server.conversations.get(sim.server.latest()))
            self.assertEqual(conversation.carrier, transport.carrier, name)
            self.assertEqual(sim.leftovers(), [])

    def test_refused(self) -> None:
        """A call that the server refuses is an error of the story, with the server's words."""
        sim = Simulation(transport="exotel-pcm", model={"replies": [["12", "no words"]]})
        error = self.assertRaises(CallFailed, sim.run, 1.0)
        self.assertIn("configuration-failed", str(error))

    def test_wall_clock(self) -> None:
        """The wall clock goes with the virtual one."""
        sim = Simulation()
        before = sim.server.now()
        sim.clock.run(60.0)
        self.assertEqual(sim.server.now() - before, 60.0)
        sim.clock.run(400.0)
        self.assertEqual(sim.server.leftovers(), [])
