"""Whatever a trunk says, in whatever order, and whenever it is given up: one end, nothing left."""

from __future__ import annotations

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from rapida_tw.sip import counters
from tests.sip.upstream import ANSWER, ELSEWHERE, TRUNK, VIDEO, Upstream

STATUSES = (100, 180, 181, 183, 199, 200, 202, 300, 302, 380, 401, 407, 408, 422, 480, 486, 487)
HEADERS = (
    (),
    (("Require", "100rel"), ("RSeq", "1")),
    (("Require", "100rel"), ("RSeq", "99999999999")),
    (("Record-Route", "<sip:a.example>, <sip:b.example;lr>"),),
    (("Record-Route", "<tel:1>"),),
    (("Contact", "<sip:2@198.51.100.1:5070>, <tel:1>, *"),),
    (("WWW-Authenticate", 'Digest realm="a", nonce="b", qop="auth"'),),
    (("Proxy-Authenticate", 'Digest realm="a", nonce="b", stale=true'),),
    (("WWW-Authenticate", "Digest"), ("Proxy-Authenticate", 'Basic realm="x"')),
    (("Min-SE", "3600"), ("Session-Expires", "90")),
    (("Min-SE", "x"), ("Session-Expires", "\u00e9"), ("Allow", ",,")),
    (("Reason", 'Q.850;cause=17;text="'), ("Retry-After", "soon")),
)
SAID = st.tuples(
    st.just("says"),
    st.sampled_from((*STATUSES, 488, 491, 500, 503, 600, 603, 699)),
    st.sampled_from(("a", "b", "", "c")),
    st.sampled_from(HEADERS),
    st.sampled_from((b"", b"", ANSWER, ELSEWHERE, VIDEO, b"v=")),
    st.booleans(),  # to the first INVITE, not to the last
)
DONE = st.one_of(
    SAID,
    SAID,
    SAID,
    st.tuples(st.just("waits"), st.sampled_from((0.25, 1.25, 33.0, 61.0))),
    st.tuples(st.just("cancels")),
    st.tuples(st.just("hangs up"), st.sampled_from(("a", "b"))),
    st.tuples(st.just("is lost")),
)


@given(st.lists(DONE, max_size=10))
@settings(max_examples=150, deadline=None)
def test_storm(events: list[Any]) -> None:
    """No error of ours, no end twice, and all ports, timers and dialogs given back."""
    failures = counters.failures.value()
    up = Upstream()
    handle = up.dial(transport="tcp")
    for kind, *told in events:
        if kind == "says" and up.sent("INVITE"):
            status, tag, headers, body, first = told
            invite = up.sent("INVITE")[0 if first else -1]
            up.reply(invite, status, headers, tag, body)
        elif kind == "waits":
            up.clock.advance(told[0])
        elif kind == "cancels":
            handle.cancel()
        elif kind == "hangs up" and up.sent("INVITE"):
            up.asks("BYE", of=up.invite, tag=told[0])
        elif kind == "is lost":
            flow = up.ways.way(*TRUNK, "TCP")
            flow.open = False
            up.agent.lost(flow)
    handle.cancel()
    ends = [one for one in up.user.told if one not in ("trying", "ringing", "early media")]
    assert len(ends) in (1, 2), up.user.told
    if ends[0] == "answered":
        assert len(ends) == 2
    else:
        assert len(ends) == 1
    if up.user.session is not None:
        up.user.session.hang_up()
    up.nothing_left()
    assert counters.failures.value() == failures


@given(st.lists(st.one_of(SAID, st.tuples(st.just("waits"), st.just(31.0))), max_size=8))
@settings(max_examples=100, deadline=None)
def test_registrars(events: list[Any]) -> None:
    """Whatever a registrar says: tried again, or registered, until it is stopped."""
    failures = counters.failures.value()
    up = Upstream()
    up.agent.registrations.set({9: up.trunk(register="true")})
    up.clock.advance(0)
    for kind, *told in events:
        if kind == "says":
            status, tag, headers, _, first = told
            up.reply(up.sent("REGISTER")[0 if first else -1], status, headers, tag)
        else:
            up.clock.advance(told[0])
    assert up.agent.registrations.state(9) in ("registering", "registered", "failed")
    assert [call for call in up.clock.getDelayedCalls() if call.active()]
    up.agent.registrations.stop()
    up.nothing_left()
    assert counters.failures.value() == failures
