"""Rapida's own library against a server of ours in another process: the contract's checklist."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import grpc
import pytest

from tests.interop.asterisk import wait_until
from tests.interop.rpc.sdk import (
    Busy,
    assistant_api_pb2,
    assistant_deployment_pb2,
    assistant_provider_pb2,
    call_request,
    common_pb2,
    configuration,
    pairs,
    rapida,
    talk_api_pb2,
    vault_api_pb2,
)
from tests.interop.server import Server

SECRET = "a-password-0123456789"


@pytest.fixture(scope="module")
def sdk(server: Server) -> Any:
    """The library with the right key."""
    return configuration(f"127.0.0.1:{server.http}", server.api_key)


@pytest.fixture(scope="module")
def busy() -> Iterator[Busy]:
    made = Busy()
    yield made
    made.close()


@pytest.fixture(scope="module")
def caller(sdk: Any, busy: Busy) -> int:
    """An assistant that calls through a trunk; made by the library alone."""
    model = assistant_provider_pb2.CreateAssistantProviderRequest.CreateAssistantProviderModel(
        modelProviderName="scripted"
    )
    made = sdk.assistant_client.CreateAssistant(
        assistant_api_pb2.CreateAssistantRequest(
            name="Caller",
            assistantProvider=assistant_provider_pb2.CreateAssistantProviderRequest(model=model),
        ),
        metadata=sdk.auth,
    )
    assert made.success, made
    value = {
        "sip_server": "127.0.0.1",
        "sip_port": str(busy.port),
        "sip_username": "u",
        "sip_password": SECRET,
    }
    credential = sdk.vault_client.CreateProviderCredential(
        vault_api_pb2.CreateProviderCredentialRequest(
            name="trunk", provider="sip", credential=value
        ),
        metadata=sdk.auth,
    )
    assert credential.success, credential
    assert SECRET not in str(credential)
    options = {"rapida.credential_id": str(credential.data.id), "phone": "+15550100"}
    deployment = assistant_deployment_pb2.AssistantPhoneDeployment(
        assistantId=made.data.id,
        greeting="Hello",
        phoneProviderName="sip",
        phoneOptions=pairs(options),
    )
    deployed = sdk.assistant_deployment_client.CreateAssistantPhoneDeployment(
        assistant_deployment_pb2.CreateAssistantDeploymentRequest(phone=deployment),
        metadata=sdk.auth,
    )
    assert deployed.success, deployed
    return int(made.data.id)


@pytest.fixture(scope="module")
def called(sdk: Any, busy: Busy, caller: int) -> Any:
    """A call that was placed; its callee was busy."""
    answer = rapida.create_phone_call(
        sdk,
        call_request(
            caller,
            "+15550111",
            metadata={"campaign": rapida.string_to_any("x")},
            args={
                "n": rapida.int32_to_any(7),
                "f": rapida.float_to_any(2.5),
                "b": rapida.bool_to_any(True),
                "raw": rapida.bytes_to_any(b"\0\xff"),
                "cart": rapida.json_to_any({"items": [1]}),
            },
            options={"experience.greeting": rapida.string_to_any("Hi")},
        ),
    )
    return answer, busy.invite("+15550111")


def test_placed(called: Any) -> None:
    """The callee's phone would have rung: by the credential and the number of the deployment."""
    answer, invite = called
    assert (answer.code, answer.success) == (200, True), answer
    assert answer.data.id > 2**53
    assert answer.data.direction == "outbound"
    assert invite.startswith("INVITE sip:+15550111@127.0.0.1")
    (sender,) = [one for one in invite.split("\r\n") if one.lower().startswith("from:")]
    assert "+15550100" in sender


def test_read_back(sdk: Any, caller: int, called: Any) -> None:
    """What was given with it, and how it ended."""
    answer, _ = called
    selectors = [
        common_pb2.FieldSelector(field=one) for one in ("metadata", "telephonyEvent", "metric")
    ]
    asked = rapida.GetAssistantConversationRequest(
        assistantId=caller, id=answer.data.id, selectors=selectors
    )
    wait_until(
        lambda: rapida.get_assistant_conversation(sdk, asked).data.status == "FAILED",
        15,
        "the call is over",
        lambda: str(rapida.get_assistant_conversation(sdk, asked)),
    )
    data = rapida.get_assistant_conversation(sdk, asked).data
    assert data.identifier == "+15550111"
    assert {one.key: one.value for one in data.metadata}["campaign"] == "x"
    arguments = {one.name: one.value for one in data.arguments}
    assert arguments["n"] == "7"
    assert (arguments["f"], arguments["b"]) == ("2.5", "true")
    assert (arguments["raw"], arguments["cart"]) == ("AP8=", '{"items": [1]}')
    assert {one.key: one.value for one in data.options} == {"experience.greeting": "Hi"}
    assert [one.eventType for one in data.telephonyEvents]


def test_listed(sdk: Any, caller: int, called: Any) -> None:
    """Pages, criteria by a whitelist."""
    answer, _ = called
    asked = rapida.GetAllAssistantConversationRequest(
        assistantId=caller,
        paginate=rapida.Paginate(page=1, pageSize=20),
        criterias=[rapida.Criteria(key="identifier", value="+15550111", logic="=")],
    )
    page = rapida.get_all_assistant_conversation(sdk, asked)
    assert [one.id for one in page.data] == [answer.data.id]
    assert (page.paginated.currentPage, page.paginated.totalItem) == (1, 1)
    asked.criterias[0].key = "identifier; drop table"
    assert rapida.get_all_assistant_conversation(sdk, asked).code == 400


def test_metrics(sdk: Any, caller: int, called: Any) -> None:
    """Kept under names of their own, and read back with the conversation."""
    answer, _ = called
    given = rapida.CreateConversationMetricRequest(
        assistantId=caller,
        assistantConversationId=answer.data.id,
        metrics=[common_pb2.Metric(name="mood", value="good")],
    )
    kept = rapida.create_conversation_metric(sdk, given)
    assert [one.name for one in kept.data] == ["custom.mood"], kept
    asked = rapida.GetAssistantConversationRequest(assistantId=caller, id=answer.data.id)
    found = rapida.get_assistant_conversation(sdk, asked).data.metrics
    assert ("custom.mood", "good") in [(one.name, one.value) for one in found]


def test_telemetry_and_messages(sdk: Any, caller: int, called: Any) -> None:
    """All that happened, in order."""
    answer, _ = called
    asked = rapida.GetAllAssistantTelemetryRequest(
        assistant=rapida.AssistantDefinition(assistantId=caller),
        criterias=[rapida.Criteria(key="conversationId", value=str(answer.data.id), logic="=")],
    )
    records = rapida.get_all_assistant_telemetry(sdk, asked).data
    assert "call.queued" in [one.event.name for one in records]
    messages = rapida.get_all_conversation_message(
        sdk,
        rapida.GetAllConversationMessageRequest(
            assistantId=caller, assistantConversationId=answer.data.id
        ),
    )
    assert (messages.code, len(messages.data)) == (200, 0)


def test_errors(sdk: Any, server: Server, caller: int) -> None:
    """The structured error reaches the library's user."""
    assert rapida.create_phone_call(sdk, call_request(caller, "")).error.errorCode == 1002003
    assert rapida.create_phone_call(sdk, call_request(7, "+15550111")).error.errorCode == 1002004
    demo = int(server.assistant_id)
    answer = rapida.create_phone_call(sdk, call_request(demo, "+15550111"))
    assert (answer.success, answer.error.errorCode) == (False, 1002008)
    assert answer.error.humanMessage
    unknown = rapida.GetAssistantConversationRequest(assistantId=caller, id=7)
    assert rapida.get_assistant_conversation(sdk, unknown).code == 404


def test_bulk(sdk: Any, busy: Busy, caller: int, called: Any) -> None:
    """In order; a bad entry does not lose the others."""
    numbers = ["+15550121", "", "+15550123"]
    request = rapida.CreateBulkPhoneCallRequest(
        phoneCalls=[call_request(caller, one) for one in numbers]
    )
    answer = rapida.create_bulk_phone_call(sdk, request)
    assert [one.status for one in answer.data] == ["QUEUED", "FAILED", "QUEUED"]
    assert [one.identifier for one in answer.data] == numbers
    assert (answer.success, answer.error.errorCode) == (True, 1003004)
    for number in (numbers[0], numbers[2]):
        busy.invite(number)


def test_keys(server: Server, caller: int) -> None:
    """None and a wrong one are not let in; the right one in all its spellings."""
    address = f"127.0.0.1:{server.http}"
    for key in ("", "rpd-wrong", "rpd-" + "x" * 43):
        with pytest.raises(grpc.RpcError) as refused:
            rapida.create_phone_call(configuration(address, key), call_request(caller, "+1555"))
        assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED
    bare = server.api_key.removeprefix("rpd-")
    for key in (f"rpd-prj-{server.api_key}", f"rpd-prj-{bare}", bare):
        answer = rapida.create_phone_call(configuration(address, key), call_request(caller, ""))
        assert answer.error.errorCode == 1002003


def test_unknown_methods(sdk: Any, server: Server) -> None:
    """Those of the library's that are not here say so at once."""
    asked = assistant_provider_pb2.GetAllAssistantProviderRequest()
    with pytest.raises(grpc.RpcError) as refused:
        sdk.assistant_client.GetAllAssistantProvider(asked, metadata=sdk.auth)
    assert refused.value.code() is grpc.StatusCode.UNIMPLEMENTED


def test_oversized(sdk: Any, caller: int) -> None:
    """A message of more than 10 MiB; the server goes on."""
    large = call_request(caller, "+1555", metadata={"x": rapida.string_to_any("y" * 10_485_760)})
    with pytest.raises(grpc.RpcError) as refused:
        rapida.create_phone_call(sdk, large)
    assert refused.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    assert rapida.create_phone_call(sdk, call_request(caller, "")).error.errorCode == 1002003


def test_many_at_once(server: Server, sdk: Any, caller: int) -> None:
    """200 calls over 200 channels of the library, and over 200 connections."""
    request = call_request(caller, "")
    address = f"127.0.0.1:{server.http}"
    waiting = [
        sdk.conversation_client.CreatePhoneCall.future(request, metadata=sdk.auth)
        for _ in range(200)
    ]
    assert {one.result(30).error.errorCode for one in waiting} == {1002003}
    options = (("grpc.use_local_subchannel_pool", 1),)
    channels = [grpc.insecure_channel(address, options) for _ in range(200)]
    calls = [
        one.unary_unary(
            "/talk_api.TalkService/CreatePhoneCall",
            request_serializer=talk_api_pb2.CreatePhoneCallRequest.SerializeToString,
            response_deserializer=talk_api_pb2.CreatePhoneCallResponse.FromString,
        ).future(request, metadata=sdk.auth, wait_for_ready=True)
        for one in channels
    ]
    assert {one.result(30).error.errorCode for one in calls} == {1002003}
    for one in channels:
        one.close()


def test_compressed(server: Server, caller: int) -> None:
    """What the library's users may switch on."""
    with grpc.insecure_channel(f"127.0.0.1:{server.http}", compression=grpc.Compression.Gzip) as to:
        call = to.unary_unary(
            "/talk_api.TalkService/CreatePhoneCall",
            request_serializer=talk_api_pb2.CreatePhoneCallRequest.SerializeToString,
            response_deserializer=talk_api_pb2.CreatePhoneCallResponse.FromString,
        )
        large = call_request(caller, "", metadata={"x": rapida.string_to_any("y" * 100_000)})
        answer = call(large, metadata=(("x-api-key", server.api_key),))
    assert answer.error.errorCode == 1002003
