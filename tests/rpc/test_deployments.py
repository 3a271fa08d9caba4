"""Phone deployments and credentials by gRPC."""

from __future__ import annotations

from typing import Any

from rapida_tw.rpc.messages.deployment_pb2 import (
    AssistantPhoneDeployment,
    AssistantWhatsappDeployment,
    CreateAssistantDeploymentRequest,
    DeploymentAudioProvider,
    GetAllAssistantDeploymentRequest,
    GetAllAssistantPhoneDeploymentResponse,
    GetAssistantDeploymentRequest,
    GetAssistantPhoneDeploymentResponse,
)
from rapida_tw.rpc.messages.shared_pb2 import Metadata
from rapida_tw.rpc.messages.vault_pb2 import (
    CreateProviderCredentialRequest,
    DeleteCredentialRequest,
    GetAllOrganizationCredentialRequest,
    GetAllOrganizationCredentialResponse,
    GetCredentialRequest,
    GetCredentialResponse,
)
from rapida_tw.rpc.values import to_struct
from tests.rpc.services import DEPLOYMENT, VAULT, ServicesCase

UNIMPLEMENTED = 12
SECRET = "a-secret-token-0123456789"


def pairs(**options: str) -> list[Metadata]:
    return [Metadata(key=key.replace("__", "."), value=value) for key, value in options.items()]


class DeploymentCase(ServicesCase):
    def credential(self, **value: Any) -> GetCredentialResponse:
        given = value or {"account_sid": "AC123", "account_token": SECRET}
        asked = CreateProviderCredentialRequest(
            name="mine", provider="twilio", credential=to_struct(given)
        )
        return self.ask(f"{VAULT}CreateProviderCredential", asked, GetCredentialResponse)

    def deploy(self, **fields: Any) -> GetAssistantPhoneDeploymentResponse:
        given = {"assistantId": self.assistant.id, "phoneProviderName": "twilio"} | fields
        asked = CreateAssistantDeploymentRequest(phone=AssistantPhoneDeployment(**given))
        path = f"{DEPLOYMENT}CreateAssistantPhoneDeployment"
        return self.ask(path, asked, GetAssistantPhoneDeploymentResponse)

    def get(self, what: str = "Get", id: int | None = None) -> GetAssistantPhoneDeploymentResponse:
        number = self.assistant.id if id is None else id
        asked = GetAssistantDeploymentRequest(assistantId=number)
        path = f"{DEPLOYMENT}{what}AssistantPhoneDeployment"
        return self.ask(path, asked, GetAssistantPhoneDeploymentResponse)


class DeploymentTests(DeploymentCase):
    def test_there_and_back(self) -> None:
        """Every field gets where it belongs, and is read back the same."""
        credential = self.credential().data.id
        listening = pairs(
            listen__model="nova-3",
            listen__language="de",
            microphone__vad__provider="energy",
            microphone__vad__threshold="0.6",
            microphone__eos__timeout="700",
            rapida__credential_id=str(credential),
        )
        answer = self.deploy(
            greeting="Hello",
            mistake="Oh no.",
            greetingInterruptible=False,
            inputAudio=DeploymentAudioProvider(audioProvider="deepgram", audioOptions=listening),
            outputAudio=DeploymentAudioProvider(
                audioProvider="elevenlabs", audioOptions=pairs(speak__voice__id="v1")
            ),
            phoneOptions=pairs(rapida__credential_id=str(credential), phone="+15550100"),
            idealTimeout=20,
            idealTimeoutMessage="Hello?",
            idealTimeoutBackoff=0,
            maxSessionDuration=400,
        )
        self.assertEqual((answer.code, answer.success), (200, True), answer)
        kept = self.successResultOf(self.assistants.deployment(self.assistant.id))
        self.assertEqual((kept.provider, kept.credential_id), ("twilio", credential))
        self.assertEqual(dict(kept.options), {"phone": "+15550100"})
        self.assertEqual((kept.greeting, kept.error_message), ("Hello", "Oh no."))
        self.assertFalse(kept.greeting_interruptible)
        self.assertEqual((kept.stt.provider, kept.stt.credential_id), ("deepgram", credential))
        self.assertEqual(kept.stt.options, {"listen.model": "nova-3", "listen.language": "de"})
        self.assertEqual(kept.vad.provider, "energy")
        self.assertEqual(kept.vad.options, {"microphone.vad.threshold": "0.6"})
        self.assertEqual(kept.end_of_speech.options, {"microphone.eos.timeout": "700"})
        self.assertEqual(kept.tts.options, {"speak.voice.id": "v1"})
        self.assertEqual((kept.idle_timeout, kept.idle_timeout_retries), (20.0, 0))
        self.assertEqual((kept.idle_message, kept.max_call_duration), ("Hello?", 400.0))
        read = self.get().data
        self.assertEqual(read, answer.data)
        found = {one.key: one.value for one in read.inputAudio.audioOptions}
        self.assertEqual(found, {one.key: one.value for one in listening})
        self.assertEqual((read.status, read.idealTimeout), ("ACTIVE", 20))
        again = self.deploy(**{field.name: value for field, value in read.ListFields()})
        self.assertEqual(again.data.inputAudio, read.inputAudio)

    def test_defaults(self) -> None:
        """What is left out is as by default."""
        data = self.deploy().data
        self.assertEqual((data.idealTimeout, data.idealTimeoutBackoff), (30, 2))
        self.assertEqual((data.maxSessionDuration, data.greeting), (300, ""))
        self.assertTrue(data.greetingInterruptible)
        self.assertFalse(data.HasField("inputAudio"))

    def test_none(self) -> None:
        """Success without data."""
        answer = self.get()
        self.assertEqual((answer.code, answer.success), (200, True))
        self.assertFalse(answer.HasField("data"))
        self.assertEqual(self.get(id=7).code, 404)

    def test_disable(self) -> None:
        """It is gone then."""
        self.deploy()
        self.assertEqual(self.get("Disable").data.status, "INACTIVE")
        self.assertFalse(self.get().HasField("data"))
        self.assertEqual(self.get("Disable").code, 200)

    def test_list(self) -> None:
        """The one that there is."""
        self.deploy(greeting="one")
        self.deploy(greeting="two")
        asked = GetAllAssistantDeploymentRequest(assistantId=self.assistant.id)
        path = f"{DEPLOYMENT}GetAllAssistantPhoneDeployment"
        page = self.ask(path, asked, GetAllAssistantPhoneDeploymentResponse)
        self.assertEqual([one.greeting for one in page.data], ["two"])
        self.assertEqual(page.paginated.totalItem, 1)

    def test_refusals(self) -> None:
        """The contract's numbers."""
        strangers = DeploymentAudioProvider(
            audioProvider="deepgram", audioOptions=pairs(rapida__credential_id="7")
        )
        for number, fields in (
            (1005004, {"assistantId": 0}),
            (1005004, {"assistantId": 7}),
            (1005010, {"phoneProviderName": " "}),
            (1005006, {"inputAudio": strangers}),
            (1005007, {"idealTimeout": 100_000}),
            (1005008, {"idealTimeoutBackoff": 6}),
            (1005009, {"maxSessionDuration": 2**40}),
            (1005005, {"phoneOptions": pairs(rapida__credential_id="7")}),
        ):
            answer = self.deploy(**fields)
            self.assertEqual(answer.error.errorCode, number, answer)
            self.assertEqual((answer.code, answer.success), (400, False))
        self.assertFalse(self.get().HasField("data"))

    def test_other_kinds(self) -> None:
        """There is nothing like them here."""
        for kind in ("Api", "Webplugin", "Debugger", "Whatsapp"):
            path = f"{DEPLOYMENT}GetAssistant{kind}Deployment"
            self.assertEqual(self.client.call(path, b"", key=self.key).status, UNIMPLEMENTED)
        asked = CreateAssistantDeploymentRequest(whatsapp=AssistantWhatsappDeployment(name="x"))
        path = f"{DEPLOYMENT}CreateAssistantPhoneDeployment"
        answer = self.ask(path, asked, GetAssistantPhoneDeploymentResponse)
        self.assertEqual((answer.code, answer.error.errorCode), (400, 1005005))


class VaultTests(DeploymentCase):
    def test_secrets_stay(self) -> None:
        """They go in, and only the names of their keys come out."""
        made = self.credential()
        self.assertEqual((made.code, made.data.provider), (200, "twilio"))
        kept = self.successResultOf(self.credentials.secrets(made.data.id, self.project))
        self.assertEqual(kept["account_token"], SECRET)
        read = self.ask(
            f"{VAULT}GetCredential",
            GetCredentialRequest(vaultId=made.data.id),
            GetCredentialResponse,
        )
        page = self.ask(
            f"{VAULT}GetAllOrganizationCredential",
            GetAllOrganizationCredentialRequest(),
            GetAllOrganizationCredentialResponse,
        )
        self.assertEqual(read.data.value["account_token"], "***")
        self.assertEqual([one.id for one in page.data], [made.data.id])
        for message in (made, read, page):
            self.assertNotIn(SECRET.encode(), message.SerializeToString())
        self.assertTrue(read.data.HasField("lastUsedDate"))

    def test_refused(self) -> None:
        """Keys that the provider does not have, and no repetition of what was given."""
        answer = self.credential(**{SECRET: "x"})
        self.assertEqual((answer.code, answer.success), (400, False))
        self.assertNotIn(SECRET, str(answer))
        self.assertEqual(self.credential(account_sid={"a": 1}).code, 400)

    def test_numbers(self) -> None:
        """A Struct knows no others than doubles; the vault keeps texts."""
        made = self.credential(account_sid=17)
        kept = self.successResultOf(self.credentials.secrets(made.data.id, self.project))
        self.assertEqual(kept["account_sid"], "17")

    def test_delete(self) -> None:
        """Once."""
        made = self.credential().data.id
        asked = DeleteCredentialRequest(vaultId=made)
        path = f"{VAULT}DeleteCredential"
        self.assertEqual(self.ask(path, asked, GetCredentialResponse).data.status, "INACTIVE")
        self.assertEqual(self.ask(path, asked, GetCredentialResponse).code, 404)

    def test_others(self) -> None:
        """Another project does not see it."""
        asked = GetCredentialRequest(vaultId=self.credential().data.id)
        answer = self.ask(
            f"{VAULT}GetCredential", asked, GetCredentialResponse, key=self.other_project()
        )
        self.assertEqual(answer.code, 404)

    def test_oauth(self) -> None:
        """There is none."""
        called = self.client.call(f"{VAULT}GetOauth2Credential", b"", key=self.key)
        self.assertEqual(called.status, UNIMPLEMENTED)
