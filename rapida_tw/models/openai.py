"""OpenAI's models by chat completions (API reference, "Create chat completion")."""

from __future__ import annotations

from collections.abc import Mapping

from rapida_tw.account import Account
from rapida_tw.models.chat import ChatDialect, ChatOptions, Server
from rapida_tw.models.dialect import Dialect
from rapida_tw.models.provider import KEYS, MODEL_FIELDS, StreamedProvider, model_name

_USUAL = "gpt-4.1-mini"  # quick, and does not think before it speaks


class OpenAIProvider(StreamedProvider[ChatOptions]):
    """Credential: `key`; `organization` and `project` where the key belongs to several."""

    vendor = "OpenAI"
    description = "OpenAI: GPT models by chat completions"
    credential_fields: Mapping[str, str] = {
        **MODEL_FIELDS,
        "organization": "Optional: where the key belongs to several, which one.",
        "organization_id": "The same as organization.",
        "project": "Optional: where the key belongs to several, which one.",
        "project_id": "The same as project.",
    }
    options = ChatOptions

    def dialect(self, options: ChatOptions, account: Account) -> Dialect:
        headers = {"Authorization": f"Bearer {account.need(*KEYS)}"}
        for name in ("organization", "project"):
            if value := account.first(name, f"{name}_id"):
                headers[f"OpenAI-{name.capitalize()}"] = value
        url = f"{account.base_url('https://api.openai.com/v1')}/chat/completions"
        model = model_name("openai", options.name, options.id, _USUAL)
        server = Server(self.vendor, url, headers, limit="max_completion_tokens", thinks=True)
        return ChatDialect(options, server, model, self.accepted(url, model))
