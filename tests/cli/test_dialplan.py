"""`rapida dialplan`."""

from __future__ import annotations

from pathlib import Path

from tests.cli.conftest import Rapida


def test_filled_in(rapida: Rapida, tmp_path: Path) -> None:
    """Host, ports and assistant are those of the configuration and the database."""
    rapida.config.write_text(
        f'[server]\ndata_dir = "{tmp_path / "var"}"\npublic_host = "voice.test:8443"\n'
        "[audiosocket]\nport = 4999\n"
    )
    assistant = rapida.json("init")["assistant_id"]
    _, out, _ = rapida("dialplan")
    for text in ("https://voice.test:8443", "= voice.test\n", "= 4999", f"= {assistant}\n"):
        assert text in out


def test_options_win(rapida: Rapida) -> None:
    """What is given by hand stands instead."""
    given = ("--url", "http://10.0.0.5:9007", "--api-key", "rpd-mine", "--assistant", "77")
    _, out, _ = rapida("dialplan", *given)
    for text in ("= http://10.0.0.5:9007\n", "= 10.0.0.5\n", "= 77\n", "= rpd-mine\n"):
        assert text in out


def test_examples(rapida: Rapida) -> None:
    """Where nothing is known there are examples, and nothing is installed on the side."""
    _, out, _ = rapida("dialplan")
    assert "voice.example.com" in out
    assert rapida.json("assistant", "list") == []


def test_files(rapida: Rapida) -> None:
    """Programs get the files one by one; each transport and direction has its own."""
    inbound = rapida.json("dialplan")["files"]
    assert inbound.keys() == {"extensions.conf", "modules.conf"}
    outbound = rapida.json("dialplan", "--transport", "websocket", "--outbound")["files"]
    assert {"websocket_client.conf", "ari.conf", "http.conf"} <= outbound.keys()


def test_trunk(rapida: Rapida, tmp_path: Path) -> None:
    """The trunk of SIP knows where the server announces that it is, and its port."""
    rapida.config.write_text(
        f'[server]\ndata_dir = "{tmp_path / "var"}"\npublic_host = "voice.test:8443"\n'
        '[sip]\nport = 5098\nexternal_ip = "203.0.113.10"\n'
    )
    given = ("--api-key", "rpd-mine", "--assistant", "77")
    pjsip = rapida.json("dialplan", "--transport", "sip", *given)["files"]["pjsip.conf"]
    for text in ("contact = sip:203.0.113.10:5098\n", "username = 77\n", "password = rpd-mine\n"):
        assert text in pjsip


def test_impossible_value(rapida: Rapida) -> None:
    """What would break Asterisk's files is refused."""
    status, out, err = rapida("dialplan", "--assistant", "7\nexten => s,1,System(id)")
    assert (status, out) == (2, "")
    assert "assistant_id" in err
