"""The library's own local addresses are three ports of one server."""

from __future__ import annotations

from pathlib import Path

from tests.interop.rpc.sdk import call_request, configuration, rapida, vault_api_pb2
from tests.process import ended, started
from tests.server.installation import Installation, free_port, until


def test_also_ports(tmp_path: Path) -> None:
    """As `with_local()` has them: the assistant's, the web's and the endpoint's."""
    ports = free_port(), free_port()
    server = Installation(tmp_path, HTTP__ALSO_PORTS=",".join(map(str, ports)))
    log = tmp_path / "log"
    process = started(
        server.twistd("-n", "--pidfile="), log, cwd=server.folder, env=server.environ()
    )
    try:
        until(lambda: "takes calls" in log.read_text(), 30, log.read_text)
        server.use_key_in(log.read_text())
        sdk = configuration(f"127.0.0.1:{server.http}", server.api_key)
        web, endpoint = (f"127.0.0.1:{port}" for port in ports)
        sdk.with_custom_endpoint(
            {"assistant": f"127.0.0.1:{server.http}", "web": web, "endpoint": endpoint}, True
        )
        assert rapida.create_phone_call(sdk, call_request(7, "")).error.errorCode == 1002003
        asked = vault_api_pb2.GetAllOrganizationCredentialRequest()
        assert sdk.vault_client.GetAllOrganizationCredential(asked, metadata=sdk.auth).success
    finally:
        ended(process, 15)
    assert "Traceback" not in log.read_text()
