"""Assistants as the contract has them (its section 10), both ways."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rapida_tw.errors import BadRequest
from rapida_tw.rpc.answers import stamp
from rapida_tw.rpc.deployment_messages import deployment_message
from rapida_tw.rpc.messages.assistant_pb2 import (
    Assistant as AssistantMessage,
)
from rapida_tw.rpc.messages.assistant_pb2 import (
    AssistantProviderAgentkit,
    AssistantProviderModel,
    AssistantProviderWebsocket,
    CreateAssistantProviderRequest,
    CreateAssistantRequest,
)
from rapida_tw.rpc.messages.shared_pb2 import TextChatCompletePrompt, TextPrompt
from rapida_tw.rpc.pairs import choice_document, choice_options, read_pairs, structured, write_pairs
from rapida_tw.rpc.tool_messages import read_tool, tool_message
from rapida_tw.store.records import Assistant, Deployment

_AGENTKIT, _WEBSOCKET, _MODEL = "agentkit", "websocket", "model"  # kinds of providers


def read_assistant(request: CreateAssistantRequest) -> dict[str, Any]:
    """The document of a new assistant; `BadRequest` for what there is nothing like here."""
    if request.assistantKnowledges:
        raise BadRequest("assistantKnowledges: there is no knowledge here")
    document: dict[str, Any] = {
        "name": request.name,
        "description": request.description,
        "tools": [read_tool(one) for one in request.assistantTools],
    }
    if request.HasField("assistantProvider"):
        document["model"] = _read_provider(request.assistantProvider)
    return document


def _read_provider(provider: CreateAssistantProviderRequest) -> dict[str, Any]:
    kind = provider.WhichOneof("assistantProvider")
    if kind == _AGENTKIT:
        agent = provider.agentkit
        options = {"agentkit.url": agent.agentKitUrl, "agentkit.metadata": dict(agent.metadata)}
        if agent.certificate:
            options["agentkit.certificate"] = agent.certificate
        return choice_document(_AGENTKIT, options)
    if kind == _WEBSOCKET:
        socket = provider.websocket
        return choice_document(
            _WEBSOCKET,
            {
                "websocket.url": socket.websocketUrl,
                "websocket.headers": dict(socket.headers),
                "websocket.params": dict(socket.connectionParameters),
            },
        )
    model = provider.model
    options = structured(read_pairs(model.assistantModelOptions))
    prompt = [{"role": one.role, "content": one.content} for one in model.template.prompt]
    return {**choice_document(model.modelProviderName, options), "prompt": prompt}


def assistant_message(
    assistant: Assistant, deployment: Deployment | None = None
) -> AssistantMessage:
    """`deployment`: where one was set, and is asked for."""
    model = assistant.model
    kind = model.provider if model.provider in (_AGENTKIT, _WEBSOCKET) else _MODEL
    message = AssistantMessage(
        id=assistant.id,
        status="ACTIVE",
        visibility="private",
        projectId=assistant.project_id,
        organizationId=assistant.project_id,
        assistantProvider=kind,
        assistantProviderId=assistant.id,
        name=assistant.name,
        description=assistant.description,
        createdDate=stamp(assistant.created),
        updatedDate=stamp(assistant.updated),
        assistantTools=[tool_message(assistant, one) for one in assistant.tools],
        phoneDeployment=None if deployment is None else deployment_message(deployment),
    )
    common: dict[str, Any] = {
        "id": assistant.id,
        "assistantId": assistant.id,
        "status": "ACTIVE",
        "createdDate": stamp(assistant.updated),
        "updatedDate": stamp(assistant.updated),
    }
    if kind == _AGENTKIT:
        url = str(_option(model.options, "agentkit.url"))
        # Not its metadata: the agent's token may be among it.
        message.assistantProviderAgentkit.CopyFrom(AssistantProviderAgentkit(url=url, **common))
    elif kind == _WEBSOCKET:
        url = str(_option(model.options, "websocket.url"))
        message.assistantProviderWebsocket.CopyFrom(AssistantProviderWebsocket(url=url, **common))
    else:
        template = TextChatCompletePrompt(
            prompt=[TextPrompt(role=one.role, content=one.content) for one in assistant.prompt]
        )
        message.assistantProviderModel.CopyFrom(
            AssistantProviderModel(
                template=template,
                modelProviderName=model.provider,
                assistantModelOptions=write_pairs(choice_options(model)),
                **common,
            )
        )
    return message


def _option(options: Mapping[str, Any], name: str) -> Any:
    return options.get(name) or options.get(f"model.{name}") or ""
