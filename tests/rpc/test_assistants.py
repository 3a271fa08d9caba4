"""Assistants and their tools by gRPC, and the health service."""

from __future__ import annotations

from typing import Any

from rapida_tw.rpc.messages.assistant_pb2 import (
    AssistantTool,
    CreateAssistantProviderRequest,
    CreateAssistantRequest,
    CreateAssistantToolRequest,
    DeleteAssistantRequest,
    DeleteAssistantToolRequest,
    GetAllAssistantRequest,
    GetAllAssistantResponse,
    GetAllAssistantToolRequest,
    GetAllAssistantToolResponse,
    GetAssistantRequest,
    GetAssistantResponse,
    GetAssistantToolRequest,
    GetAssistantToolResponse,
    UpdateAssistantDetailRequest,
    UpdateAssistantToolRequest,
)
from rapida_tw.rpc.messages.health_pb2 import HealthCheckRequest, HealthCheckResponse
from rapida_tw.rpc.messages.shared_pb2 import (
    AssistantDefinition,
    Criteria,
    Metadata,
    TextChatCompletePrompt,
    TextPrompt,
)
from rapida_tw.rpc.values import to_struct
from rapida_tw.store.records import Deployment
from tests.rpc.services import ASSISTANT, ServicesCase

MODEL = CreateAssistantProviderRequest.CreateAssistantProviderModel
AGENTKIT = CreateAssistantProviderRequest.CreateAssistantProviderAgentkit
WEBSOCKET = CreateAssistantProviderRequest.CreateAssistantProviderWebsocket


class AssistantTests(ServicesCase):
    def create(self, **fields: Any) -> GetAssistantResponse:
        asked = CreateAssistantRequest(**{"name": "Eve"} | fields)
        return self.ask(f"{ASSISTANT}CreateAssistant", asked, GetAssistantResponse)

    def get(self, id: int) -> GetAssistantResponse:
        named = AssistantDefinition(assistantId=id)
        asked = GetAssistantRequest(assistantDefinition=named)
        return self.ask(f"{ASSISTANT}GetAssistant", asked, GetAssistantResponse)

    def test_model(self) -> None:
        """Model, options, prompt and tools get where they belong, and are read back."""
        prompt = TextChatCompletePrompt(prompt=[TextPrompt(role="system", content="Be kind.")])
        model = MODEL(
            modelProviderName="scripted",
            template=prompt,
            assistantModelOptions=[Metadata(key="model.name", value="m1")],
        )
        made = self.create(
            description="Answers.",
            assistantProvider=CreateAssistantProviderRequest(model=model),
            assistantTools=[CreateAssistantToolRequest(executionMethod="end-of-conversation")],
        )
        self.assertEqual((made.code, made.data.name), (200, "Eve"), made)
        kept = self.successResultOf(self.assistants.get(made.data.id, self.project))
        self.assertEqual(
            (kept.model.provider, kept.model.options), ("scripted", {"model.name": "m1"})
        )
        self.assertEqual((kept.prompt[0].role, kept.prompt[0].content), ("system", "Be kind."))
        self.assertEqual(kept.tools[0]["executionMethod"], "end_of_conversation")
        read = self.get(made.data.id).data
        self.assertEqual(read, made.data)
        self.assertEqual(read.assistantProviderModel.template, prompt)
        self.assertEqual(read.assistantProvider, "model")
        self.assertFalse(read.HasField("phoneDeployment"))

    def test_agents(self) -> None:
        """The other two kinds of providers; what is secret of them does not come back."""
        agent = AGENTKIT(agentKitUrl="brain:50051", metadata={"authorization": "s3cret"})
        made = self.create(assistantProvider=CreateAssistantProviderRequest(agentkit=agent))
        self.assertEqual(made.data.assistantProviderAgentkit.url, "brain:50051")
        self.assertNotIn("s3cret", str(made))
        kept = self.successResultOf(self.assistants.get(made.data.id))
        self.assertEqual(kept.model.options["agentkit.metadata"], {"authorization": "s3cret"})
        socket = WEBSOCKET(websocketUrl="wss://brain", headers={"x": "s3cret"})
        made = self.create(assistantProvider=CreateAssistantProviderRequest(websocket=socket))
        self.assertEqual(made.data.assistantProviderWebsocket.url, "wss://brain")
        self.assertNotIn("s3cret", str(made))

    def test_with_a_deployment(self) -> None:
        """It comes along."""
        deployment = Deployment(self.assistant.id, "twilio", greeting="Hi")
        self.successResultOf(self.assistants.deploy(deployment))
        self.assertEqual(self.get(self.assistant.id).data.phoneDeployment.greeting, "Hi")

    def test_refused(self) -> None:
        """A name is needed, two tools of one name are one too many."""
        self.assertEqual(self.create(name="").code, 400)
        tools = [CreateAssistantToolRequest(name="a", executionMethod="mcp")] * 2
        self.assertEqual(self.create(assistantTools=tools).code, 400)
        self.assertEqual(self.get(7).code, 404)

    def test_list(self) -> None:
        """Newest first; of criteria, none."""
        made = self.create().data.id
        path, asked = f"{ASSISTANT}GetAllAssistant", GetAllAssistantRequest()
        page = self.ask(path, asked, GetAllAssistantResponse)
        self.assertEqual([one.id for one in page.data], [made, self.assistant.id])
        asked.criterias.append(Criteria(key="name", value="Eve"))
        self.assertEqual(self.ask(path, asked, GetAllAssistantResponse).code, 400)

    def test_change(self) -> None:
        """What is empty stays."""
        asked = UpdateAssistantDetailRequest(assistantId=self.assistant.id, description="New.")
        path = f"{ASSISTANT}UpdateAssistantDetail"
        data = self.ask(path, asked, GetAssistantResponse).data
        self.assertEqual((data.name, data.description), ("Ada", "New."))

    def test_delete(self) -> None:
        """Once, and of one's own."""
        asked = DeleteAssistantRequest(id=self.assistant.id)
        path, kind = f"{ASSISTANT}DeleteAssistant", GetAssistantResponse
        self.assertEqual(self.ask(path, asked, kind, key=self.other_project()).code, 404)
        self.assertEqual(self.ask(path, asked, kind).data.status, "INACTIVE")
        self.assertEqual(self.ask(path, asked, kind).code, 404)


class ToolTests(ServicesCase):
    def create(self, **fields: Any) -> GetAssistantToolResponse:
        given = {
            "assistantId": self.assistant.id,
            "name": "look_up",
            "executionMethod": "api-request",
            "fields": to_struct({"type": "object", "properties": {}}),
            "executionOptions": [
                Metadata(key="tool.endpoint", value="https://shop.example/{id}"),
                Metadata(key="tool.headers", value='{"x-a": "b"}'),
            ],
        }
        asked = CreateAssistantToolRequest(**given | fields)
        return self.ask(f"{ASSISTANT}CreateAssistantTool", asked, GetAssistantToolResponse)

    def all(self) -> list[AssistantTool]:
        asked = GetAllAssistantToolRequest(assistantId=self.assistant.id)
        path = f"{ASSISTANT}GetAllAssistantTool"
        return list(self.ask(path, asked, GetAllAssistantToolResponse).data)

    def test_create(self) -> None:
        """As the assistant's document has it: options that are JSON are what they say."""
        made = self.create(description="Looks up.").data
        (kept,) = self.successResultOf(self.assistants.get(self.assistant.id)).tools
        self.assertEqual(
            kept,
            {
                "name": "look_up",
                "executionMethod": "api_request",
                "description": "Looks up.",
                "parameters": {"type": "object", "properties": {}},
                "options": {
                    "tool.endpoint": "https://shop.example/{id}",
                    "tool.headers": {"x-a": "b"},
                },
            },
        )
        self.assertEqual(self.all(), [made])
        self.assertGreater(made.id, 0)
        self.assertEqual(made.executionMethod, "api_request")

    def test_change(self) -> None:
        """It keeps its place, and with its name its id."""
        first, second = self.create().data, self.create(name="other").data
        asked = UpdateAssistantToolRequest(
            id=first.id, assistantId=self.assistant.id, name="look_up", executionMethod="mcp"
        )
        path, kind = f"{ASSISTANT}UpdateAssistantTool", GetAssistantToolResponse
        changed = self.ask(path, asked, kind).data
        self.assertEqual((changed.id, changed.executionMethod), (first.id, "mcp"))
        self.assertEqual([one.id for one in self.all()], [first.id, second.id])
        asked.name = "other"
        self.assertEqual(self.ask(path, asked, kind).code, 400)

    def test_delete(self) -> None:
        """Of several, that one."""
        first, second = self.create().data, self.create(name="other").data
        asked = DeleteAssistantToolRequest(id=first.id, assistantId=self.assistant.id)
        path, kind = f"{ASSISTANT}DeleteAssistantTool", GetAssistantToolResponse
        self.assertEqual(self.ask(path, asked, kind).data.name, "look_up")
        self.assertEqual([one.id for one in self.all()], [second.id])
        self.assertEqual(self.ask(path, asked, kind).code, 404)
        one = GetAssistantToolRequest(id=second.id, assistantId=self.assistant.id)
        self.assertEqual(self.ask(f"{ASSISTANT}GetAssistantTool", one, kind).data.name, "other")

    def test_refused(self) -> None:
        """No name, or one that is taken."""
        self.create()
        self.assertEqual(self.create().code, 400)
        self.assertEqual(self.create(name="", executionMethod="").code, 400)
        self.assertEqual(self.create(assistantId=7).code, 404)


class HealthTests(ServicesCase):
    def check(self, service: str = "") -> int:
        """Without a key."""
        asked = HealthCheckRequest(service=service).SerializeToString()
        called = self.client.call("/grpc.health.v1.Health/Check", asked, key=None)
        (message,) = called.messages
        return int(HealthCheckResponse.FromString(message).status)

    def test_states(self) -> None:
        """Serving, or not while no call is taken, and what there is not."""
        self.assertEqual((self.check(), self.check("talk_api.TalkService")), (1, 1))
        self.trouble = "draining"
        self.assertEqual(self.check(), 2)
        self.assertEqual(self.check("acme.Service"), 3)
