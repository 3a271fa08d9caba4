"""Phone deployments as the contract has them (its section 8), both ways.

Rapida keeps what listens in one list, `listen.…` and `microphone.…` together: here that is the
recogniser, the detector (`microphone.vad.…`) and the end of speech (`microphone.eos.…`).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rapida_tw.rpc.answers import stamp
from rapida_tw.rpc.messages.deployment_pb2 import (
    AssistantPhoneDeployment,
    DeploymentAudioProvider,
)
from rapida_tw.rpc.pairs import (
    CREDENTIAL,
    choice_document,
    choice_options,
    read_pairs,
    write_pairs,
)
from rapida_tw.store.records import Deployment, VendorChoice

_MICROPHONE = "microphone."
_VAD, _EOS = "microphone.vad.", "microphone.eos."
# Noise is what the detectors here are made for: there is nothing to switch.
_LEFT_OUT = "microphone.denoising."
_PROVIDER = "provider"


def read_deployment(message: AssistantPhoneDeployment) -> dict[str, Any]:
    """The document of a deployment; what is 0 or absent is as by default."""
    options = read_pairs(message.phoneOptions)
    document: dict[str, Any] = {
        "provider": message.phoneProviderName.strip().lower(),
        "credentialId": options.pop(CREDENTIAL, None) or None,
        "options": options,
        "greeting": message.greeting,
        **_listening(message.inputAudio),
        "tts": choice_document(
            message.outputAudio.audioProvider, read_pairs(message.outputAudio.audioOptions)
        ),
    }
    if message.HasField("mistake"):
        document["errorMessage"] = message.mistake
    if message.HasField("greetingInterruptible"):
        document["greetingInterruptible"] = message.greetingInterruptible
    if message.idealTimeout:
        document["idleTimeout"] = message.idealTimeout
    if message.idealTimeoutMessage:
        document["idleMessage"] = message.idealTimeoutMessage
    if message.idealTimeoutBackoff or message.idealTimeout:
        document["idleTimeoutRetries"] = message.idealTimeoutBackoff
    if message.maxSessionDuration:
        document["maxCallDuration"] = message.maxSessionDuration
    return document


def deployment_message(deployment: Deployment) -> AssistantPhoneDeployment:
    """There is one of an assistant, and so it has the assistant's id."""
    options = dict(deployment.options)
    if deployment.credential_id is not None:
        options[CREDENTIAL] = str(deployment.credential_id)
    return AssistantPhoneDeployment(
        id=deployment.assistant_id,
        assistantId=deployment.assistant_id,
        greeting=deployment.greeting,
        mistake=deployment.error_message,
        inputAudio=_audio("input", deployment.stt, _microphone(deployment)),
        outputAudio=_audio("output", deployment.tts, {}),
        phoneProviderName=deployment.provider,
        phoneOptions=write_pairs(options),
        createdDate=stamp(deployment.updated),
        updatedDate=stamp(deployment.updated),
        status="ACTIVE",
        maxSessionDuration=round(deployment.max_call_duration),
        idealTimeout=round(deployment.idle_timeout),
        idealTimeoutMessage=deployment.idle_message,
        idealTimeoutBackoff=deployment.idle_timeout_retries,
        greetingInterruptible=deployment.greeting_interruptible,
    )


def _listening(audio: DeploymentAudioProvider) -> dict[str, Any]:
    stt: dict[str, Any] = {}
    vad: dict[str, Any] = {}
    eos: dict[str, Any] = {}
    for key, value in read_pairs(audio.audioOptions).items():
        if key.startswith(_EOS):
            eos[key] = value
        elif key.startswith(_MICROPHONE):
            vad[key] = value
        else:
            stt[key] = value
    vad = {key: value for key, value in vad.items() if not key.startswith(_LEFT_OUT)}
    return {
        "stt": choice_document(audio.audioProvider, stt),
        "vad": choice_document(vad.pop(_VAD + _PROVIDER, ""), vad),
        "endOfSpeech": choice_document(eos.pop(_EOS + _PROVIDER, ""), eos),
    }


def _microphone(deployment: Deployment) -> dict[str, Any]:
    return _prefixed(_VAD, deployment.vad) | _prefixed(_EOS, deployment.end_of_speech)


def _prefixed(prefix: str, choice: VendorChoice) -> dict[str, Any]:
    named = {
        key if key.startswith(_MICROPHONE) else prefix + key: value
        for key, value in choice.options.items()
    }
    return named | ({prefix + _PROVIDER: choice.provider} if choice.provider else {})


def _audio(
    kind: str, choice: VendorChoice, more: Mapping[str, Any]
) -> DeploymentAudioProvider | None:
    options = {**choice_options(choice), **more}
    if not choice.provider and not options:
        return None
    return DeploymentAudioProvider(
        audioProvider=choice.provider,
        audioOptions=write_pairs(options),
        status="ACTIVE",
        audioType=kind,
    )
