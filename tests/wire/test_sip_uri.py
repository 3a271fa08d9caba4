"""SIP URIs and addresses: what they say, and how they are written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapida_tw.errors import LocalProtocolError, RemoteProtocolError
from rapida_tw.wire.sip_uri import Address, SipUri, redacted

URIS = {
    "sip:example.com": SipUri("example.com"),
    "SIP:Example.COM:5090": SipUri("example.com", 5090),
    "sips:bob@example.com": SipUri("example.com", user="bob", scheme="sips"),
    "sip:1:rpd-a@h": SipUri("h", user="1", password="rpd-a"),
    "sip:1:a:b@h": SipUri("h", user="1", password="a:b"),
    "sip:1:p@ss@h": SipUri("h", user="1", password="p@ss"),
    "sip:1:@h": SipUri("h", user="1", password=""),
    "sip:a%3Ab:c%40d@h": SipUri("h", user="a:b", password="c@d"),
    "sip:user;par=u%40example.net@example.com": SipUri(
        "example.com", user="user;par=u@example.net"
    ),
    "sip:a?b/c@h": SipUri("h", user="a?b/c"),
    "sip:[2001:DB8::0:1]:5060": SipUri("2001:db8::1", 5060),
    "sip:h;LR;Transport=TCP;x=%41": SipUri(
        "h", parameters={"lr": "", "transport": "TCP", "x": "A"}
    ),
    "sip:h;transport=tcp;transport=udp": SipUri("h", parameters={"transport": "tcp"}),
    "sip:h?Replaces=a%3Bto-tag%3D1&b=": SipUri(
        "h", headers=(("Replaces", "a;to-tag=1"), ("b", ""))
    ),
    "sip:+1555@h;user=phone": SipUri("h", user="+1555", parameters={"user": "phone"}),
    "sip:50%25@h": SipUri("h", user="50%"),
    "sip:100%@h": SipUri("h", user="100%"),
    "sip:%C3%A4@h": SipUri("h", user="ä"),
    "sip:%FF@h": SipUri("h", user="\udcff"),
    "tel:+1-201-555;phone-context=x": SipUri(
        "", user="+1-201-555", parameters={"phone-context": "x"}, scheme="tel"
    ),
    "isbn:29;83": SipUri("", user="29;83", scheme="isbn"),
    "soap.beep://192.0.2.103:3002": SipUri("", user="//192.0.2.103:3002", scheme="soap.beep"),
}


@pytest.mark.parametrize("text", URIS)
def test_read(text: str) -> None:
    """Parts are told apart before escapes are decoded; userinfo ends at the last @."""
    assert SipUri.parse(text) == URIS[text]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "sip:",
        "example.com",
        ":h",
        "1sip:h",
        "sip:@",
        "sip:bob@",
        "sip:h:",
        "sip:h:0x10",
        "sip:h:65536",
        "sip:h:123456",
        "sip:h:٣",
        "sip:[::1",
        "sip:[::1]x",
        "sip:[1.2.3.4]",
        "sip:[:::]",
        "sip:::1",
        "sip:a b@h",
        "sip:a@h ",
        "sip:<a@h>",
        'sip:"a"@h',
        "sip:a\r\nX: y@h",
        "sip:%00@h",
        "sip:a:%0d%0a@h",
        "sip:a%7F@h",
        "tel:%00",
        "sip:" + "a" * 256,
    ],
)
def test_refused(text: str) -> None:
    """No scheme, no host, no port, or what may stand in no URI."""
    with pytest.raises(RemoteProtocolError):
        SipUri.parse(text)


def test_errors_keep_secrets() -> None:
    """What is wrong is said without the password."""
    with pytest.raises(RemoteProtocolError) as caught:
        SipUri.parse("sip:1:rpd-secret@h:99999")
    assert "secret" not in str(caught.value)


def test_password_is_never_written() -> None:
    """Neither str nor repr shows it."""
    uri = SipUri.parse("sip:1:rpd-secret@h")
    assert str(uri) == "sip:1@h"
    assert "secret" not in repr(uri) + repr(Address(uri))


@pytest.mark.parametrize(
    ("uri", "text"),
    [
        (SipUri("example.com", 5090, "bob"), "sip:bob@example.com:5090"),
        (SipUri("2001:db8::1", 5060), "sip:[2001:db8::1]:5060"),
        (SipUri("h", user="a@b c#;%"), "sip:a%40b%20c%23;%25@h"),
        (SipUri("h", user='x"\r\n<>'), "sip:x%22%0D%0A%3C%3E@h"),
        (SipUri("h", user="ä\udcff"), "sip:%C3%A4%FF@h"),
        (SipUri("h", parameters={"lr": "", "x": "a;b=c"}), "sip:h;lr;x=a%3Bb%3Dc"),
        (
            SipUri("h", user="x", headers=(("Replaces", "c;to-tag=1;from-tag=2"),)),
            "sip:x@h?Replaces=c%3Bto-tag%3D1%3Bfrom-tag%3D2",
        ),
        (SipUri("", user="+1-201", scheme="tel", parameters={"ext": "4"}), "tel:+1-201;ext=4"),
        (SipUri("", user="29;83", scheme="isbn"), "isbn:29;83"),
    ],
)
def test_written(uri: SipUri, text: str) -> None:
    """With the escapes that are needed, and no others."""
    assert str(uri) == text


def test_lone_surrogate() -> None:
    """What is no text is an error of ours, not one that reaches the reactor as another."""
    with pytest.raises(LocalProtocolError):
        str(SipUri("h", user="\ud800"))


ADDRESSES = {
    "sip:a@h;tag=1": Address(SipUri("h", user="a"), "", {"tag": "1"}),
    "<sip:a@h;lr>;TAG=xY": Address(SipUri("h", user="a", parameters={"lr": ""}), "", {"tag": "xY"}),
    "<sip:a@h>": Address(SipUri("h", user="a")),
    "Bob B. <sip:a@h>": Address(SipUri("h", user="a"), "Bob B."),
    "caller<sip:a@h>;tag=2": Address(SipUri("h", user="a"), "caller", {"tag": "2"}),
    '"Bell, <A> \\"x\\\\" <sip:a@h> ; tag = 3 ; lr': Address(
        SipUri("h", user="a"), 'Bell, <A> "x\\', {"tag": "3", "lr": ""}
    ),
    '"" <sip:a@h>': Address(SipUri("h", user="a")),
    '<sip:a@h>;x="a;b,\\"c"': Address(SipUri("h", user="a"), "", {"x": 'a;b,"c'}),
    "Jürgen <sip:a@h>": Address(SipUri("h", user="a"), "Jürgen"),
    "sip:a@h ;  tag  =  4": Address(SipUri("h", user="a"), "", {"tag": "4"}),
    'sip:a@h;x="<y>"': Address(SipUri("h", user="a"), "", {"x": "<y>"}),
    "<sip:a@h>;tag=1;Tag=2": Address(SipUri("h", user="a"), "", {"tag": "1"}),
    "<sip:a@h>;;;;": Address(SipUri("h", user="a")),
    "<tel:+155>;tag=5": Address(SipUri("", user="+155", scheme="tel"), "", {"tag": "5"}),
}


@pytest.mark.parametrize("text", ADDRESSES)
def test_address(text: str) -> None:
    """Display names, quotes and parameters, in their usual and unusual forms."""
    assert Address.parse(text) == ADDRESSES[text]


@pytest.mark.parametrize("text", ADDRESSES)
def test_address_again(text: str) -> None:
    """What was written reads as the same."""
    address = Address.parse(text)
    assert Address.parse(str(address)) == address


@pytest.mark.parametrize(
    "text",
    [
        "",
        "*",
        '"Bob <sip:a@h>',
        '"Bob" sip:a@h',
        '"Bob" x <sip:a@h>',
        'Bob "B" <sip:a@h>',
        "Bell, A <sip:a@h>",
        "<sip:a@h",
        "<sip:a@h> tag=1",
        "<sip:a@h>, <sip:b@h>",
        "sip:a@h?Route=x",
        "sip:a@h, sip:b@h",
        '<sip:a@h>;x="y',
        '<sip:a@h>;x="y"z',
        '<sip:a@h>;"x"=y',
        "<>",
        "Bob",
        'Bob\\" <sip:a@h>',
    ],
)
def test_address_refused(text: str) -> None:
    """Unbalanced quotes and brackets, two addresses, or none."""
    with pytest.raises(RemoteProtocolError):
        Address.parse(text)


def test_tag() -> None:
    """Compared exactly; "" where there is none."""
    assert Address.parse("<sip:h>;tag=aB").tag == "aB"
    assert Address.parse("<sip:h;tag=inside>").tag == ""


REDACTED = {
    "sip:1:rpd-a@h:5090": "sip:1:***@h:5090",
    "INVITE sip:1:rpd-a@h SIP/2.0": "INVITE sip:1:***@h SIP/2.0",
    "<SIPS:1:rpd-a@h>;tag=1 <sip:2:b@h>": "<SIPS:1:***@h>;tag=1 <sip:2:***@h>",
    "sip:1:a:b@c@h": "sip:1:***@h",
    "sip::rpd-a@h": "sip::***@h",
    "sip:1:rpd a@h": "sip:1:***@h",
    "sip:1:sip:a@h": "sip:1:***@h",
    "sip:bob@h:5060": "sip:bob@h:5060",
    "from sip:1.2.3.4:5060 to sip:bob@h": "from sip:1.2.3.4:5060 to sip:bob@h",
    "To: <sip:h:5060>\r\nCall-ID: 1:2@h": "To: <sip:h:5060>\r\nCall-ID: 1:2@h",
    "gossip:1:2@h": "gossip:1:2@h",
    "no URI, but a@b:c@d": "no URI, but a@b:c@d",
    "": "",
}


@pytest.mark.parametrize("text", REDACTED)
def test_redacted(text: str) -> None:
    """Passwords go, also out of broken URIs; everything else stays."""
    assert redacted(text) == REDACTED[text]


@given(st.text(alphabet='sip:@<>;,=%04a" \\?[]&', max_size=60))
def test_any_text(text: str) -> None:
    """Any text is a URI or an error; what is a URI can be written, and is then the same."""
    for kind in (SipUri, Address):
        try:
            found = kind.parse(text)
        except RemoteProtocolError:
            continue
        again = kind.parse(str(found))
        assert str(again) == str(found)
    redacted(text)


_WORD = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=20)


@given(_WORD, _WORD, st.dictionaries(st.sampled_from(["lr", "x", "y"]), _WORD))
def test_any_parts(user: str, display: str, parameters: dict[str, str]) -> None:
    """Whatever a user, a display name or a parameter holds comes back."""
    uri = SipUri("example.com", 5060, user, parameters=parameters)
    address = Address(uri, display.strip(), {"tag": "1"})
    assert Address.parse(str(address)) == address
