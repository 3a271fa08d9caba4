"""Session timers by RFC 4028, in both roles, without time."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapida_tw.wire.sip_message import Headers, Request, Response
from rapida_tw.wire.sip_timer import SessionTimer


def request(expires: str = "", supported: str = "timer", min_se: str = "") -> Request:
    fields = {"Session-Expires": expires, "Supported": supported, "Min-SE": min_se}
    found = Headers((name, value) for name, value in fields.items() if value)
    return Request("INVITE", "sip:us", found)


def response(status: int = 200, expires: str = "", min_se: str = "") -> Response:
    fields = {"Session-Expires": expires, "Min-SE": min_se}
    return Response(status, "", Headers((name, value) for name, value in fields.items() if value))


def accepted(theirs: Request) -> tuple[SessionTimer, Response]:
    timer, answer = SessionTimer(), response()
    timer.accept(theirs, answer)
    return timer, answer


# Their Session-Expires and Supported; our Session-Expires, Require, whether we refresh.
ANSWERS = [
    ("1800;refresher=uac", "timer", "1800;refresher=uac", "timer", False),
    ("1800", "100rel, timer", "1800;refresher=uac", "timer", False),
    ("90", "timer", "90;refresher=uac", "timer", False),
    ("1800;refresher=uas", "timer", "1800;refresher=uas", "timer", True),
    ("1800 ; Refresher = UAS ;x", "timer", "1800;refresher=uas", "timer", True),
    ("1800;refresher=other", "timer", "1800;refresher=uac", "timer", False),
    ("1800", "100rel", "1800;refresher=uas", "", True),
    ("1800;refresher=uac", "", "1800;refresher=uas", "", True),
    ("60", "", "60;refresher=uas", "", True),
    ("", "timer", "", "", False),
    ("soon", "timer", "", "", False),
    ("-1", "timer", "", "", False),
    ("0", "timer", "", "", False),
    ("99999999999", "timer", "", "", False),
]


@pytest.mark.parametrize(("expires", "supported", "ours", "require", "refreshing"), ANSWERS)
def test_answers(expires: str, supported: str, ours: str, require: str, refreshing: bool) -> None:
    """The table of RFC 4028 9."""
    timer, answer = accepted(request(expires, supported))
    assert answer.headers.get("Session-Expires") == ours
    assert answer.headers.get("Require") == require
    assert timer.refreshing is refreshing
    assert (timer.interval > 0) is bool(ours)


def test_compact_form() -> None:
    """x: is Session-Expires."""
    theirs = request()
    theirs.headers.add("x", "600;refresher=uas")
    assert accepted(theirs)[0].interval == 600


def test_require_is_added_to() -> None:
    """What the answer requires otherwise stays."""
    timer, answer = SessionTimer(), response()
    answer.headers.add("Require", "100rel")
    timer.accept(request("1800"), answer)
    assert answer.headers.tokens("Require") == {"100rel", "timer"}


def test_times() -> None:
    """Half the interval to a refresh; a third of it, but 32 s at most, before its end: BYE."""
    timer = accepted(request("1800;refresher=uas"))[0]
    assert (timer.refresh_after, timer.expires_after) == (900, 1768)
    timer = accepted(request("90"))[0]
    assert (timer.refresh_after, timer.expires_after) == (None, 60)
    timer = accepted(request(""))[0]
    assert (timer.refresh_after, timer.expires_after) == (None, None)


def test_below_the_least() -> None:
    """What a proxy has asked for is repeated, and not kept to."""
    timer, answer = accepted(request("10", ""))
    assert answer.headers.get("Session-Expires") == "10;refresher=uas"
    assert (timer.refresh_after, timer.expires_after) == (45, 60)


@pytest.mark.parametrize(
    ("expires", "supported", "refused"),
    [("89", "timer", True), ("90", "timer", False), ("89", "", False), ("", "timer", False)],
)
def test_refuses(expires: str, supported: str, refused: bool) -> None:
    """422 below 90 s, and only to who understands it."""
    assert SessionTimer().refuses(request(expires, supported)) is refused


def test_refused() -> None:
    """The 422 names our least, and the old timer runs on."""
    timer = accepted(request("1800"))[0]
    assert timer.refuses(request("30"))
    answer = response(422)
    timer.refuse(answer)
    assert answer.headers.get("Min-SE") == "90"
    assert timer.expires_after == 1768


def test_refresh_without() -> None:
    """A 2xx without Session-Expires ends the timer."""
    timer = accepted(request("1800"))[0]
    timer.accept(request(""), response())
    assert timer.expires_after is None


def offered(timer: SessionTimer) -> Headers:
    ours = request(supported="")
    timer.offer(ours)
    return ours.headers


def test_offer() -> None:
    """The first INVITE asks for half an hour and leaves the roles to them."""
    headers = offered(SessionTimer())
    assert headers.get("Session-Expires") == "1800"
    assert headers.get("Min-SE") == "90"
    assert headers.get("Supported") == "timer"


def test_offer_says_timer_once() -> None:
    """Supported has it already."""
    ours = request(supported="100rel, timer")
    SessionTimer().offer(ours)
    assert ours.headers.get("Supported") == "100rel, timer"


@pytest.mark.parametrize(
    ("expires", "interval", "refreshing"),
    [
        ("1800;refresher=uac", 1800, True),
        ("600;refresher=uas", 600, False),
        ("600", 600, True),
        ("", 0, False),
        ("what", 0, False),
    ],
)
def test_answered(expires: str, interval: int, refreshing: bool) -> None:
    """What the 2xx says holds, asked for or not."""
    timer = SessionTimer()
    timer.answered(response(200, expires))
    assert (timer.interval, timer.refreshing) == (interval, refreshing)


@pytest.mark.parametrize(("theirs", "ours"), [("uac", "uac"), ("uas", "uas")])
def test_roles_stay(theirs: str, ours: str) -> None:
    """A later request of ours names who refreshes: uac is now whoever asks (7.4)."""
    timer = SessionTimer()
    timer.answered(response(200, f"600;refresher={theirs}"))
    assert offered(timer).get("Session-Expires") == f"600;refresher={ours}"


def test_roles_stay_for_the_called() -> None:
    """They refresh as the caller; in our re-INVITE they are the uas."""
    timer = accepted(request("600;refresher=uac"))[0]
    assert offered(timer).get("Session-Expires") == "600;refresher=uas"


def test_no_timer_later() -> None:
    """A dialog that began without a timer is not given one."""
    timer = accepted(request(""))[0]
    assert "Session-Expires" not in offered(timer)


def test_raised() -> None:
    """Their 422 raises what the next one asks for (7.3)."""
    timer = SessionTimer()
    assert timer.raised(response(422, min_se="3600;x=y"))
    headers = offered(timer)
    assert (headers.get("Session-Expires"), headers.get("Min-SE")) == ("3600", "3600")


@pytest.mark.parametrize("minimum", ["", "90", "1800", "86401", "1e9", "-5"])
def test_not_raised(minimum: str) -> None:
    """A 422 that does not ask for more, or for too much, is not tried again."""
    assert not SessionTimer().raised(response(422, min_se=minimum))


@given(st.integers(90, 5000), st.sampled_from(["", ";refresher=uac", ";refresher=uas"]))
def test_both_sides(offer: int, role: str) -> None:
    """Caller and called agree on one refresher, and it refreshes long before the other gives up."""
    caller, called = SessionTimer(offer), SessionTimer()
    ours = request(supported="")
    caller.offer(ours)
    ours.headers.set("Session-Expires", f"{offer}{role}")
    answer = response()
    assert not called.refuses(ours)
    called.accept(ours, answer)
    caller.answered(answer)
    for _ in range(2):
        assert caller.interval == called.interval == offer
        assert caller.refreshing is not called.refreshing
        refresher, other = (caller, called) if caller.refreshing else (called, caller)
        assert refresher.refresh_after is not None
        assert other.expires_after is not None
        assert refresher.refresh_after < other.expires_after
        # Whoever asks next, the roles stay.
        ours, answer = request(supported=""), response()
        called.offer(ours)
        caller.accept(ours, answer)
        called.answered(answer)


@given(st.text(max_size=40))
def test_whatever_comes(text: str) -> None:
    """No header value is an error."""
    timer = SessionTimer()
    timer.refuses(request(text))
    timer.accept(request(text), response())
    timer.answered(response(200, text))
    timer.raised(response(422, min_se=text))
    assert timer.expires_after is None or timer.expires_after >= 60
