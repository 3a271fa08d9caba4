"""The figures of RFC 3261 17 and RFC 6026, walked without time."""

from __future__ import annotations

import pytest

from rapida_tw.wire.sip_transaction import (
    CLIENT,
    INVITE_CLIENT,
    INVITE_SERVER,
    KINDS,
    SERVER,
    TIMINGS,
    Action,
    Event,
    State,
    Step,
    Stream,
    Table,
    getting,
    sending,
)

S, E, X = State, Event, Action
TABLES = {
    "INVITE server": INVITE_SERVER,
    "server": SERVER,
    "INVITE client": INVITE_CLIENT,
    "client": CLIENT,
}
each_table = pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)

# From the figures, by what is seen of them: the events, the actions, the state in the end.
PATHS = [
    (INVITE_SERVER, "SEND_1XX SEND_2XX ACKNOWLEDGED L", "SEND SEND", S.TERMINATED),
    (INVITE_SERVER, "SEND_2XX REQUEST REPEAT_2XX L", "SEND REPEAT_2XX NOT_ACKNOWLEDGED", None),
    (INVITE_SERVER, "SEND_1XX REQUEST SEND_FAILURE REQUEST G ACK", "SEND REPEAT SEND REPEAT REPEAT",
     S.CONFIRMED),
    (INVITE_SERVER, "SEND_FAILURE ACK ACK REQUEST I", "SEND", S.TERMINATED),
    (INVITE_SERVER, "SEND_FAILURE H", "SEND", S.TERMINATED),
    (INVITE_SERVER, "SEND_2XX ACK ACKNOWLEDGED ACK", "SEND PASS_ACK PASS_ACK", S.ACKNOWLEDGED),
    (INVITE_SERVER, "ACK", "", S.PROCEEDING),
    (SERVER, "REQUEST SEND_2XX REQUEST J", "SEND REPEAT", S.TERMINATED),
    (SERVER, "SEND_1XX REQUEST SEND_FAILURE", "SEND REPEAT SEND", S.COMPLETED),
    (SERVER, "UNANSWERED", "", S.TERMINATED),
    (INVITE_CLIENT, "A GOT_1XX GOT_1XX GOT_2XX GOT_2XX M", "REPEAT TELL TELL TELL TELL", None),
    (INVITE_CLIENT, "GOT_FAILURE GOT_FAILURE D", "SEND_ACK TELL SEND_ACK", S.TERMINATED),
    (INVITE_CLIENT, "A B", "REPEAT TIMED_OUT", S.TERMINATED),
    (INVITE_CLIENT, "UNSENT", "UNSENT", S.TERMINATED),
    (INVITE_CLIENT, "CANCEL A GOT_1XX GOT_1XX GOT_FAILURE",
     "REPEAT SEND_CANCEL TELL TELL SEND_ACK TELL", S.COMPLETED),
    (INVITE_CLIENT, "GOT_1XX CANCEL CANCEL NO_487", "TELL SEND_CANCEL TIMED_OUT", None),
    (INVITE_CLIENT, "GOT_1XX CANCEL GOT_2XX CANCEL", "TELL SEND_CANCEL TELL", S.ACCEPTED),
    (CLIENT, "E GOT_1XX E E_SLOW GOT_2XX GOT_2XX K", "REPEAT TELL REPEAT REPEAT TELL", None),
    (CLIENT, "GOT_1XX F", "TELL TIMED_OUT", S.TERMINATED),
    (CLIENT, "GOT_FAILURE E", "TELL", S.COMPLETED),
]  # fmt: skip


def beginning(table: Table) -> State:
    return next(kind.state for kind in KINDS.values() if kind.table is table)


@pytest.mark.parametrize(("table", "events", "actions", "end"), PATHS)
def test_paths(table: Table, events: str, actions: str, end: State | None) -> None:
    """What happens, in order, and where it ends."""
    state, seen = beginning(table), []
    for name in events.split():
        step = table.get((state, E[name]), Step(state))
        state = step.state
        seen += [action.name for action in step.actions]
    assert seen == actions.split()
    assert state is (end or S.TERMINATED)


@each_table
def test_ends(table: Table) -> None:
    """From every state that can be reached, timers alone lead to the end or wait for the user."""
    waiting = {(True, S.PROCEEDING), (False, S.PROCEEDING)}  # an INVITE's answer takes its time
    kind = next(kind for kind in KINDS.values() if kind.table is table)
    todo = [(kind.state, frozenset(kind.start))]
    seen = set(todo)
    while todo:
        state, running = todo.pop()
        if state is S.TERMINATED:
            continue
        ending = {timer for timer in running if (state, timer) in table}
        assert ending == running, f"{state}: timers without a step"
        ends = any(table[state, timer].state is not state for timer in ending)
        invite = table in (INVITE_SERVER, INVITE_CLIENT)
        assert ends or (invite and (invite, state) in waiting), f"{state} lasts for ever"
        for (at, event), step in table.items():
            if at is not state or (event in TIMINGS and event not in running):
                continue
            kept = running - {event}
            if step.state is not state:
                kept &= set(step.keep)
            found = (step.state, frozenset(kept | set(step.start)))
            if found not in seen:
                seen.add(found)
                todo.append(found)
    assert {state for state, _ in seen} >= {state for state, _ in table}


@each_table
def test_timers_repeat(table: Table) -> None:
    """Only a timer with an upper interval starts itself again."""
    for (_, event), step in table.items():
        assert event not in step.start or TIMINGS[event].most


@pytest.mark.parametrize(
    ("timer", "seconds", "most", "stream"),
    [
        (E.A, 0.5, 32, Stream.NEVER),
        (E.B, 32, 0, Stream.SAME),
        (E.D, 32, 0, Stream.AT_ONCE),
        (E.E, 0.5, 4, Stream.NEVER),
        (E.E_SLOW, 4, 4, Stream.NEVER),
        (E.F, 32, 0, Stream.SAME),
        (E.G, 0.5, 4, Stream.NEVER),
        (E.H, 32, 0, Stream.SAME),
        (E.I, 5, 0, Stream.AT_ONCE),
        (E.J, 32, 0, Stream.AT_ONCE),
        (E.K, 5, 0, Stream.AT_ONCE),
        (E.L, 32, 0, Stream.SAME),
        (E.M, 32, 0, Stream.SAME),
        (E.REPEAT_2XX, 0.5, 4, Stream.SAME),
    ],
)
def test_timings(timer: Event, seconds: float, most: float, stream: Stream) -> None:
    """Table 4 of RFC 3261 with T1 of 0.5 s."""
    timing = TIMINGS[timer]
    assert timing.after * 0.5 == seconds
    assert timing.most * 0.5 == most
    assert timing.over_stream is stream


@pytest.mark.parametrize(
    ("status", "name"),
    [(100, "1XX"), (199, "1XX"), (200, "2XX"), (300, "FAILURE"), (699, "FAILURE")],
)
def test_classes(status: int, name: str) -> None:
    """Where the classes of statuses meet."""
    assert sending(status) is E[f"SEND_{name}"]
    assert getting(status) is E[f"GOT_{name}"]
