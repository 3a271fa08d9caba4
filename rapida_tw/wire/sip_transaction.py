"""The transactions of SIP as tables (RFC 3261 17 figures 5 to 8, RFC 6026 7), and their timers.

A machine is a state, a table and a set of running timers. What it is given is an `Event`: a message
that has come, something its user wants, or a timer. `table.get((state, event))` is the `Step` to
take; None means that nothing happens. Nothing here knows the time or a socket.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import Final

T1: Final = 0.5  # seconds, the round trip that is assumed (17.1.1.1); all timers are multiples


class State(Enum):
    """Those of the figures, and three that make a flag unnecessary."""

    CALLING = "calling"
    GIVING_UP = "giving up"  # calling, with a CANCEL that must wait for a provisional response
    TRYING = "trying"
    PROCEEDING = "proceeding"
    CANCELLED = "cancelled"  # proceeding, with the CANCEL sent
    COMPLETED = "completed"
    CONFIRMED = "confirmed"
    ACCEPTED = "accepted"
    ACKNOWLEDGED = "acknowledged"  # accepted, with the ACK of the 2xx seen
    TERMINATED = "terminated"


class Event(Enum):
    """Why a machine moves. The timers have the RFC's letters where it gives one."""

    REQUEST = "their request, or its repetition"
    ACK = "ACK within the transaction"
    SEND_1XX = "send a provisional response"
    SEND_2XX = "send a 2xx"
    SEND_FAILURE = "send a 300 to 699"
    ACKNOWLEDGED = "the ACK of the 2xx has been seen"

    GOT_1XX = "a provisional response has come"
    GOT_2XX = "a 2xx has come"
    GOT_FAILURE = "a 300 to 699 has come"
    CANCEL = "give the INVITE up"
    UNSENT = "the way to the peer has gone"  # a timer too: nobody is told while still sending

    A = "A: repeat the INVITE"
    B = "B: nobody answers the INVITE"
    D = "D: no more repeated failures are awaited"
    E = "E: repeat the request"
    E_SLOW = "E, once a provisional response has come"
    F = "F: nobody answers the request"
    G = "G: repeat the failure"
    H = "H: nobody acknowledges the failure"
    I = "I: no more repeated ACKs are awaited"  # noqa: E741 - the RFC's name
    J = "J: no more repeated requests are awaited"
    K = "K: no more repeated responses are awaited"
    L = "L: the time of the 2xx is over"
    M = "M: no more 2xx of forks are awaited"
    REPEAT_2XX = "repeat the 2xx (13.3.1.4)"
    NO_487 = "nothing final follows the CANCEL (9.1)"
    UNANSWERED = "the client has given up long ago (17.1.2.2)"


class Action(Enum):
    """What the owner of a machine does, in the order of the step."""

    SEND = "send what the user has given"
    REPEAT = "send the last message again"
    REPEAT_2XX = "send the 2xx again"
    SEND_ACK = "acknowledge the failure that has come"
    SEND_CANCEL = "send CANCEL"
    TELL = "tell the user of the response that has come"
    PASS_ACK = "hand the ACK to the dialog"
    TIMED_OUT = "tell the user that there is no answer"
    UNSENT = "tell the user that it could not be sent"
    NOT_ACKNOWLEDGED = "tell the user that no ACK has come"


class Stream(Enum):
    """What a timer does over TCP and TLS, which lose nothing."""

    SAME = "runs too"
    NEVER = "is not started"
    AT_ONCE = "has run out as soon as it is started"


@dataclass(frozen=True, slots=True)
class Timing:
    """In units of T1. One with `most` that a step starts again doubles, up to that.

    T2 is 8, T4 is 10 and 64 is the life of a transaction: 4, 5 and 32 s as long as T1 is 0.5 s.
    """

    after: int
    most: int = 0
    over_stream: Stream = Stream.SAME


@dataclass(frozen=True, slots=True)
class Step:
    """Where to go, what to do, which timers to start.

    Timers stop where the state changes, but for those in `keep`; one that has fired is over unless
    it is started again.
    """

    state: State
    actions: tuple[Action, ...] = ()
    start: tuple[Event, ...] = ()
    keep: tuple[Event, ...] = ()


Table = Mapping[tuple[State, Event], Step]

S, E, X = State, Event, Action

# Table 4 of RFC 3261, and L and M of RFC 6026 8.
TIMINGS: Final[Mapping[Event, Timing]] = MappingProxyType(
    {
        E.A: Timing(1, 64, Stream.NEVER),
        E.B: Timing(64),
        E.D: Timing(64, over_stream=Stream.AT_ONCE),
        E.E: Timing(1, 8, Stream.NEVER),
        E.E_SLOW: Timing(8, 8, Stream.NEVER),
        E.F: Timing(64),
        E.G: Timing(1, 8, Stream.NEVER),
        E.H: Timing(64),
        E.I: Timing(10, over_stream=Stream.AT_ONCE),
        E.J: Timing(64, over_stream=Stream.AT_ONCE),
        E.K: Timing(10, over_stream=Stream.AT_ONCE),
        E.L: Timing(64),
        E.M: Timing(64),
        E.REPEAT_2XX: Timing(1, 8),  # only the ACK tells that it has arrived, whatever the way
        E.NO_487: Timing(64),
        E.UNANSWERED: Timing(64),
        E.UNSENT: Timing(0),
    }
)

# Figure 7 with the Accepted state; ACKNOWLEDGED and REPEAT_2XX are the user's part of 13.3.1.4.
# An ACK in ACCEPTED has the INVITE's branch: RFC 2543, or a mistake that is easily forgiven.
INVITE_SERVER: Final[Table] = MappingProxyType(
    {
        (S.PROCEEDING, E.REQUEST): Step(S.PROCEEDING, (X.REPEAT,)),
        (S.PROCEEDING, E.SEND_1XX): Step(S.PROCEEDING, (X.SEND,)),
        (S.PROCEEDING, E.SEND_2XX): Step(S.ACCEPTED, (X.SEND,), (E.REPEAT_2XX, E.L)),
        (S.PROCEEDING, E.SEND_FAILURE): Step(S.COMPLETED, (X.SEND,), (E.G, E.H)),
        (S.COMPLETED, E.REQUEST): Step(S.COMPLETED, (X.REPEAT,)),
        (S.COMPLETED, E.G): Step(S.COMPLETED, (X.REPEAT,), (E.G,)),
        (S.COMPLETED, E.ACK): Step(S.CONFIRMED, (), (E.I,)),
        (S.COMPLETED, E.H): Step(S.TERMINATED),
        (S.CONFIRMED, E.I): Step(S.TERMINATED),
        (S.ACCEPTED, E.REPEAT_2XX): Step(S.ACCEPTED, (X.REPEAT_2XX,), (E.REPEAT_2XX,)),
        (S.ACCEPTED, E.ACK): Step(S.ACCEPTED, (X.PASS_ACK,)),
        (S.ACCEPTED, E.ACKNOWLEDGED): Step(S.ACKNOWLEDGED, keep=(E.L,)),
        (S.ACCEPTED, E.L): Step(S.TERMINATED, (X.NOT_ACKNOWLEDGED,)),
        (S.ACKNOWLEDGED, E.ACK): Step(S.ACKNOWLEDGED, (X.PASS_ACK,)),
        (S.ACKNOWLEDGED, E.L): Step(S.TERMINATED),
    }
)

# Figure 8. Nobody waits for an answer after 64*T1, and none may be sent then (RFC 4320 4.2).
SERVER: Final[Table] = MappingProxyType(
    {
        (S.TRYING, E.SEND_1XX): Step(S.PROCEEDING, (X.SEND,), keep=(E.UNANSWERED,)),
        (S.TRYING, E.SEND_2XX): Step(S.COMPLETED, (X.SEND,), (E.J,)),
        (S.TRYING, E.SEND_FAILURE): Step(S.COMPLETED, (X.SEND,), (E.J,)),
        (S.TRYING, E.UNANSWERED): Step(S.TERMINATED),
        (S.PROCEEDING, E.REQUEST): Step(S.PROCEEDING, (X.REPEAT,)),
        (S.PROCEEDING, E.SEND_1XX): Step(S.PROCEEDING, (X.SEND,)),
        (S.PROCEEDING, E.SEND_2XX): Step(S.COMPLETED, (X.SEND,), (E.J,)),
        (S.PROCEEDING, E.SEND_FAILURE): Step(S.COMPLETED, (X.SEND,), (E.J,)),
        (S.PROCEEDING, E.UNANSWERED): Step(S.TERMINATED),
        (S.COMPLETED, E.REQUEST): Step(S.COMPLETED, (X.REPEAT,)),
        (S.COMPLETED, E.J): Step(S.TERMINATED),
    }
)

# Figure 5 with the Accepted state, and CANCEL of 9.1: it waits for a provisional response.
INVITE_CLIENT: Final[Table] = MappingProxyType(
    {
        (S.CALLING, E.A): Step(S.CALLING, (X.REPEAT,), (E.A,)),
        (S.CALLING, E.B): Step(S.TERMINATED, (X.TIMED_OUT,)),
        (S.CALLING, E.UNSENT): Step(S.TERMINATED, (X.UNSENT,)),
        (S.CALLING, E.CANCEL): Step(S.GIVING_UP, keep=(E.A, E.B, E.UNSENT)),
        (S.CALLING, E.GOT_1XX): Step(S.PROCEEDING, (X.TELL,)),
        (S.CALLING, E.GOT_2XX): Step(S.ACCEPTED, (X.TELL,), (E.M,)),
        (S.CALLING, E.GOT_FAILURE): Step(S.COMPLETED, (X.SEND_ACK, X.TELL), (E.D,)),
        (S.GIVING_UP, E.A): Step(S.GIVING_UP, (X.REPEAT,), (E.A,)),
        (S.GIVING_UP, E.B): Step(S.TERMINATED, (X.TIMED_OUT,)),
        (S.GIVING_UP, E.UNSENT): Step(S.TERMINATED, (X.UNSENT,)),
        (S.GIVING_UP, E.GOT_1XX): Step(S.CANCELLED, (X.SEND_CANCEL, X.TELL), (E.NO_487,)),
        (S.GIVING_UP, E.GOT_2XX): Step(S.ACCEPTED, (X.TELL,), (E.M,)),
        (S.GIVING_UP, E.GOT_FAILURE): Step(S.COMPLETED, (X.SEND_ACK, X.TELL), (E.D,)),
        (S.PROCEEDING, E.CANCEL): Step(S.CANCELLED, (X.SEND_CANCEL,), (E.NO_487,)),
        (S.PROCEEDING, E.GOT_1XX): Step(S.PROCEEDING, (X.TELL,)),
        (S.PROCEEDING, E.GOT_2XX): Step(S.ACCEPTED, (X.TELL,), (E.M,)),
        (S.PROCEEDING, E.GOT_FAILURE): Step(S.COMPLETED, (X.SEND_ACK, X.TELL), (E.D,)),
        (S.CANCELLED, E.GOT_1XX): Step(S.CANCELLED, (X.TELL,)),
        (S.CANCELLED, E.GOT_2XX): Step(S.ACCEPTED, (X.TELL,), (E.M,)),
        (S.CANCELLED, E.GOT_FAILURE): Step(S.COMPLETED, (X.SEND_ACK, X.TELL), (E.D,)),
        (S.CANCELLED, E.NO_487): Step(S.TERMINATED, (X.TIMED_OUT,)),
        (S.COMPLETED, E.GOT_FAILURE): Step(S.COMPLETED, (X.SEND_ACK,)),
        (S.COMPLETED, E.D): Step(S.TERMINATED),
        (S.ACCEPTED, E.GOT_2XX): Step(S.ACCEPTED, (X.TELL,)),
        (S.ACCEPTED, E.M): Step(S.TERMINATED),
    }
)

# Figure 6.
CLIENT: Final[Table] = MappingProxyType(
    {
        (S.TRYING, E.E): Step(S.TRYING, (X.REPEAT,), (E.E,)),
        (S.TRYING, E.F): Step(S.TERMINATED, (X.TIMED_OUT,)),
        (S.TRYING, E.UNSENT): Step(S.TERMINATED, (X.UNSENT,)),
        (S.TRYING, E.GOT_1XX): Step(S.PROCEEDING, (X.TELL,), keep=(E.E, E.F)),
        (S.TRYING, E.GOT_2XX): Step(S.COMPLETED, (X.TELL,), (E.K,)),
        (S.TRYING, E.GOT_FAILURE): Step(S.COMPLETED, (X.TELL,), (E.K,)),
        (S.PROCEEDING, E.E): Step(S.PROCEEDING, (X.REPEAT,), (E.E_SLOW,)),
        (S.PROCEEDING, E.E_SLOW): Step(S.PROCEEDING, (X.REPEAT,), (E.E_SLOW,)),
        (S.PROCEEDING, E.F): Step(S.TERMINATED, (X.TIMED_OUT,)),
        (S.PROCEEDING, E.UNSENT): Step(S.TERMINATED, (X.UNSENT,)),
        (S.PROCEEDING, E.GOT_1XX): Step(S.PROCEEDING, (X.TELL,)),
        (S.PROCEEDING, E.GOT_2XX): Step(S.COMPLETED, (X.TELL,), (E.K,)),
        (S.PROCEEDING, E.GOT_FAILURE): Step(S.COMPLETED, (X.TELL,), (E.K,)),
        (S.COMPLETED, E.K): Step(S.TERMINATED),
    }
)


@dataclass(frozen=True, slots=True)
class Kind:
    """One of the four machines: where it begins, and with which timers."""

    table: Table
    state: State
    start: tuple[Event, ...] = ()


KINDS: Final[Mapping[tuple[bool, bool], Kind]] = MappingProxyType(
    {  # by: we are the server; it is an INVITE
        (True, True): Kind(INVITE_SERVER, S.PROCEEDING),
        (True, False): Kind(SERVER, S.TRYING, (E.UNANSWERED,)),
        (False, True): Kind(INVITE_CLIENT, S.CALLING, (E.A, E.B)),
        (False, False): Kind(CLIENT, S.TRYING, (E.E, E.F)),
    }
)


def sending(status: int) -> Event:
    """The event of a response that the user gives."""
    return E.SEND_1XX if status < 200 else E.SEND_2XX if status < 300 else E.SEND_FAILURE


def getting(status: int) -> Event:
    """The event of a response that has come."""
    return E.GOT_1XX if status < 200 else E.GOT_2XX if status < 300 else E.GOT_FAILURE
