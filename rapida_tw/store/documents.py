"""Assistants and phone deployments as JSON documents (INTERFACE, section 4), both ways.

Keys are camelCase, ids are strings, times are RFC 3339 in UTC. Reading tells every mistake at
once, each with its key, by one `BadRequest`. A document that we wrote may be sent back as it is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from rapida_tw.store.reading import (
    Reading,
    flag,
    mapping,
    mappings,
    number,
    reference,
    text,
    whole,
)
from rapida_tw.store.records import Assistant, Deployment, PromptMessage, VendorChoice
from rapida_tw.store.webhook_documents import webhooks

Document = dict[str, Any]

ROLES = ("system", "user", "assistant")
USUAL_PAGE = 20
LARGEST_PAGE = 100
LARGEST_PAGE_SIZE = 1_000_000  # that may be asked for
LAST_PAGE = 1_000_000
MOST_FALLBACKS = 4
_STAMPS = ("id", "projectId", "assistantId", "createdDate", "updatedDate")

_name = text(200, shortest=1)
_word = text(100)
_sentence = text(2_000)
_prompt_text = text(100_000)


def new_assistant(document: object, project_id: int) -> Assistant:
    """The assistant that a POST describes, with id 0."""
    return changed_assistant(document, Assistant(id=0, project_id=project_id, name=""))


def changed_assistant(document: object, assistant: Assistant) -> Assistant:
    """The assistant after a PATCH: JSON Merge Patch (RFC 7396).

    Absent keys stay, null resets, `model` is merged key by key; lists and `options` are replaced.
    """
    reading = Reading(document)
    reading.skip(*_STAMPS)
    model, prompt = _read_model(reading, assistant)
    changed = replace(
        assistant,
        name=reading.value("name", _name, assistant.name, ""),
        description=reading.value("description", _sentence, assistant.description, ""),
        model=model,
        prompt=prompt,
        tools=reading.value("tools", mappings, assistant.tools, ()),
        webhooks=reading.value("webhooks", webhooks, assistant.webhooks, ()),
    )
    if not changed.name and isinstance(document, dict) and document.get("name") is None:
        reading.wrong("name", "is required")
    reading.finish()
    return changed


def assistant_document(assistant: Assistant) -> Document:
    """What a GET answers."""
    prompt = [{"role": message.role, "content": message.content} for message in assistant.prompt]
    return {
        "id": str(assistant.id),
        "projectId": str(assistant.project_id),
        "name": assistant.name,
        "description": assistant.description,
        "model": _choice_document(assistant.model) | {"prompt": prompt},
        "tools": list(assistant.tools),
        "webhooks": list(assistant.webhooks),
        "createdDate": timestamp(assistant.created),
        "updatedDate": timestamp(assistant.updated),
    }


def new_deployment(document: object, assistant_id: int) -> Deployment:
    """The deployment that a PUT describes: what it leaves out is as by default."""
    default = Deployment(assistant_id)
    reading = Reading(document)
    reading.skip(*_STAMPS)

    def value(key: str, check: Any, attribute: str) -> Any:
        usual = getattr(default, attribute)
        return reading.value(key, check, usual, usual)

    deployment = Deployment(
        assistant_id,
        provider=value("provider", _name, "provider"),
        credential_id=value("credentialId", reference, "credential_id"),
        options=value("options", mapping, "options"),
        greeting=value("greeting", _sentence, "greeting"),
        greeting_interruptible=value("greetingInterruptible", flag, "greeting_interruptible"),
        error_message=value("errorMessage", _sentence, "error_message"),
        idle_timeout=value("idleTimeout", number(1, 600), "idle_timeout"),
        idle_message=value("idleMessage", _sentence, "idle_message"),
        idle_timeout_retries=value("idleTimeoutRetries", whole(0, 5), "idle_timeout_retries"),
        max_call_duration=value("maxCallDuration", number(1, 86_400), "max_call_duration"),
        stt=_read_choice(reading, "stt"),
        tts=_read_choice(reading, "tts"),
        vad=_read_choice(reading, "vad"),
        end_of_speech=_read_choice(reading, "endOfSpeech"),
        recording=value("recording", flag, "recording"),
    )
    reading.finish()
    return deployment


def deployment_document(deployment: Deployment) -> Document:
    """What a GET answers; `updatedDate` is null for one that was never set."""
    return {
        "assistantId": str(deployment.assistant_id),
        "provider": deployment.provider,
        "credentialId": _reference_document(deployment.credential_id),
        "options": dict(deployment.options),
        "greeting": deployment.greeting,
        "greetingInterruptible": deployment.greeting_interruptible,
        "errorMessage": deployment.error_message,
        "idleTimeout": deployment.idle_timeout,
        "idleMessage": deployment.idle_message,
        "idleTimeoutRetries": deployment.idle_timeout_retries,
        "maxCallDuration": deployment.max_call_duration,
        "stt": _choice_document(deployment.stt),
        "tts": _choice_document(deployment.tts),
        "vad": _choice_document(deployment.vad),
        "endOfSpeech": _choice_document(deployment.end_of_speech),
        "recording": deployment.recording,
        "updatedDate": timestamp(deployment.updated) if deployment.updated else None,
    }


def read_page(query: Mapping[str, str]) -> tuple[int, int]:
    """Number (from 1) and size of the page that `?page&pageSize` ask for: the first 20 unless told.

    0 is as untold, and more than a page holds is a whole page (gRPC's rule, too); `BadRequest` for
    what is no number.
    """
    reading = Reading({key: _digits(query[key]) for key in ("page", "pageSize") if key in query})
    asked = (
        reading.value("page", whole(0, LAST_PAGE), 1, 1),
        reading.value("pageSize", whole(0, LARGEST_PAGE_SIZE), 0, 0),
    )
    reading.finish()
    return bounded_page(*asked)


def bounded_page(number: int, size: int) -> tuple[int, int]:
    """Of two numbers that are not negative."""
    return min(number, LAST_PAGE) or 1, min(size, LARGEST_PAGE) or USUAL_PAGE


def timestamp(seconds: float) -> str:
    """RFC 3339 in UTC with milliseconds."""
    stamp = datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")
    return stamp.replace("+00:00", "Z")


def _digits(word: str) -> int | str:
    return int(word) if word.isascii() and word.isdigit() and len(word) < 10 else word


def _read_model(
    outer: Reading, assistant: Assistant
) -> tuple[VendorChoice, tuple[PromptMessage, ...]]:
    if outer.is_null("model"):
        return VendorChoice(), ()
    reading = outer.inner("model")
    if reading is None:
        return assistant.model, assistant.prompt
    prompt = reading.value("prompt", _prompt, assistant.prompt, ())
    model = _choice(reading, assistant.model)
    reading.close()
    return model, prompt


def _read_choice(outer: Reading, key: str) -> VendorChoice:
    """An object, or a list of them: the first, and whom to ask when it fails."""
    if (several := outer.inner_list(key, 1 + MOST_FALLBACKS)) is not None:
        choices = [_single_choice(one) for one in several]
        return replace(choices[0], fallbacks=tuple(choices[1:])) if choices else VendorChoice()
    if outer.is_null(key) or (reading := outer.inner(key)) is None:
        return VendorChoice()
    choice = _choice(reading, VendorChoice())
    reading.close()
    return choice


def _choice(reading: Reading, base: VendorChoice) -> VendorChoice:
    fallbacks = _read_fallbacks(reading, base.fallbacks)
    return replace(_one_choice(reading, base), fallbacks=fallbacks)


def _single_choice(reading: Reading) -> VendorChoice:
    """One of a list, which has no fallbacks of its own."""
    choice = _one_choice(reading, VendorChoice())
    reading.close()
    return choice


def _one_choice(reading: Reading, base: VendorChoice) -> VendorChoice:
    return VendorChoice(
        provider=reading.value("provider", _word, base.provider, ""),
        credential_id=reading.value("credentialId", reference, base.credential_id, None),
        options=reading.value("options", mapping, base.options, {}),
    )


def _read_fallbacks(reading: Reading, base: tuple[VendorChoice, ...]) -> tuple[VendorChoice, ...]:
    if reading.is_null("fallbacks"):
        return ()
    several = reading.inner_list("fallbacks", MOST_FALLBACKS)
    return base if several is None else tuple(_single_choice(one) for one in several)


def _prompt(value: Any) -> tuple[PromptMessage, ...]:
    return tuple(_prompt_message(item) for item in mappings(value))


def _prompt_message(item: Document) -> PromptMessage:
    role, content = item.get("role"), item.get("content")
    if item.keys() != {"role", "content"} or role not in ROLES:
        raise ValueError(f"must be a list of {{role, content}} with a role of {', '.join(ROLES)}")
    return PromptMessage(role, _prompt_text(content))


def _choice_document(choice: VendorChoice) -> Document:
    document: Document = {
        "provider": choice.provider,
        "credentialId": _reference_document(choice.credential_id),
        "options": dict(choice.options),
    }
    if choice.fallbacks:
        document["fallbacks"] = [_choice_document(one) for one in choice.fallbacks]
    return document


def _reference_document(reference: int | None) -> str | None:
    return None if reference is None else str(reference)
