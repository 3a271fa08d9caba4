"""What `rapida dialplan` prints, and that conf/asterisk is the same."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rapida_tw.dialplan import (
    AUDIOSOCKET,
    SIP,
    WEBSOCKET,
    Settings,
    dialplan,
    every_file,
    some_files,
)

CONF = Path(__file__).parents[1] / "conf" / "asterisk"
DEFAULT = Settings()
LAN = Settings(
    url="http://10.0.0.5:9007/",
    audiosocket_host="10.0.0.5",
    audiosocket_port=4574,
    assistant_id="42",
    api_key="rpd-secret",
    sip_host="10.0.0.6",
    sip_port=5098,
    pjsip_port=5062,
    trunk_password="hush",
)
# Contexts that Asterisk enters by itself or that the server names, not by a Goto of ours.
ENTRANCES = {
    "rapida-inbound",
    "rapida-inbound-failover",
    "rapida-inbound-wideband",
    "rapida-inbound-sip",
    "rapida-inbound-ws",
    "rapida-outbound",
    "rapida-outbound-ws",
}


def contexts(extensions: str) -> set[str]:
    return set(re.findall(r"^\[([\w-]+)\]", extensions, re.MULTILINE)) - {"globals"}


def destinations(extensions: str) -> set[str]:
    extensions = re.sub(r"^;.*", "", extensions, flags=re.MULTILINE)
    return set(re.findall(r"(rapida-[a-z-]+),(?:s|\$\{\w+\}),1", extensions))


@pytest.mark.parametrize("name", [*every_file(DEFAULT)])
def test_conf_is_rendered(name: str) -> None:
    """conf/asterisk is what is printed for the default values.

    After a change of the pieces, write it anew:
    for name, text in every_file(Settings()).items(): Path("conf/asterisk", name).write_text(text)
    """
    assert (CONF / name).read_text("utf-8") == every_file(DEFAULT)[name]


def test_conf_has_nothing_else() -> None:
    """No file in conf/asterisk is left behind."""
    assert {path.name for path in CONF.iterdir()} == set(every_file(DEFAULT))


def test_values() -> None:
    """The values are where Asterisk looks for them."""
    text = some_files(LAN, AUDIOSOCKET)["extensions.conf"]
    values = dict(re.findall(r"^(\w+) += (\S+)$", text, re.MULTILINE))
    assert values["RAPIDA_HTTP"] == "http://10.0.0.5:9007"
    assert values["RAPIDA_AS_HOST"] == "10.0.0.5"
    assert values["RAPIDA_PORT"] == "4574"
    assert values["ASSISTANT_ID"] == "42"
    assert values["RAPIDA_API_KEY"] == "rpd-secret"


@pytest.mark.parametrize("transport", [AUDIOSOCKET, WEBSOCKET, SIP])
@pytest.mark.parametrize("outbound", [False, True])
def test_no_placeholder_left(transport: str, outbound: bool) -> None:
    """Everything is filled in."""
    assert not re.search(r"@[a-z_]+@", dialplan(DEFAULT, transport, outbound=outbound))


@pytest.mark.parametrize("transport", [AUDIOSOCKET, WEBSOCKET])
@pytest.mark.parametrize("outbound", [False, True])
def test_whole(transport: str, outbound: bool) -> None:
    """Every context that is gone to is printed as well, and none that is never entered."""
    extensions = some_files(DEFAULT, transport, outbound=outbound)["extensions.conf"]
    assert contexts(extensions) - ENTRANCES == destinations(extensions)


def test_websocket_client() -> None:
    """The client of chan_websocket speaks TLS when the server does."""
    text = some_files(DEFAULT, WEBSOCKET)["websocket_client.conf"]
    assert "uri = wss://voice.example.com/v1/talk/asterisk/ctx\n" in text
    assert "tls_enabled = yes\n" in text
    text = some_files(LAN, WEBSOCKET)["websocket_client.conf"]
    assert "uri = ws://10.0.0.5:9007/v1/talk/asterisk/ctx\n" in text
    assert "tls_enabled = no\n" in text


def test_what_the_transport_needs() -> None:
    """Only files of the wanted transport and direction are printed, each under its name."""
    assert set(some_files(DEFAULT, AUDIOSOCKET)) == {"extensions.conf", "modules.conf"}
    websocket = set(some_files(DEFAULT, WEBSOCKET, outbound=True))
    assert websocket == set(every_file(DEFAULT)) - {"pjsip.conf"}
    printed = dialplan(DEFAULT, AUDIOSOCKET, outbound=True)
    for name, text in some_files(DEFAULT, AUDIOSOCKET, outbound=True).items():
        assert f"; ---- /etc/asterisk/{name} ----\n\n{text}" in printed


@pytest.mark.parametrize("outbound", [False, True])
def test_trunk(outbound: bool) -> None:
    """For SIP nothing is asked over HTTP; the trunk knows both passwords, and both addresses."""
    printed = some_files(LAN, SIP, outbound=outbound)
    assert set(printed) == {"extensions.conf", "modules.conf", "pjsip.conf"}
    assert ("rapida-inbound-sip" in contexts(printed["extensions.conf"])) is not outbound
    assert "CURL" not in printed["extensions.conf"]
    lines = printed["pjsip.conf"].splitlines()
    for line in (
        "bind = 0.0.0.0:5062",
        "contact = sip:10.0.0.6:5098",
        "match = 10.0.0.6",
        "username = 42",
        "password = rpd-secret",
        "password = hush",
    ):
        assert line in lines


@pytest.mark.parametrize("outbound", [False, True])
def test_trunk_goes_somewhere(outbound: bool) -> None:
    """The contexts of the dialplan for SIP are those that pjsip.conf and a Goto enter."""
    printed = some_files(LAN, SIP, outbound=outbound)
    extensions = printed["extensions.conf"]
    entered = set(re.findall(r"^context = (\S+)", printed["pjsip.conf"], re.MULTILINE))
    assert entered == {"rapida-transfer"}
    assert contexts(extensions) - ENTRANCES == destinations(extensions) | entered


def test_no_other_transport() -> None:
    """A transport that Asterisk does not have is an error which names those it has."""
    with pytest.raises(ValueError, match="audiosocket, websocket, sip"):
        dialplan(DEFAULT, "smoke")


@given(st.text())
def test_values_stay_values(text: str) -> None:
    """No value can add a line, a comment or an expression to Asterisk's configuration."""
    try:
        settings = Settings(api_key=text)
    except ValueError:
        return
    plain = every_file(DEFAULT)["extensions.conf"].replace(DEFAULT.api_key, text)
    assert every_file(settings)["extensions.conf"] == plain
    assert not re.search(r"[\s;${}(),\"'\\]", text)


def test_wrong_url() -> None:
    """A host alone is no URL."""
    with pytest.raises(ValueError, match=r"voice\.example\.com"):
        Settings(url="voice.example.com")
