"""OpenAI's models by its Responses API."""

from __future__ import annotations

from rapida_tw.account import Account
from rapida_tw.models.dialect import Dialect
from rapida_tw.models.provider import KEYS, StreamedProvider, model_name
from rapida_tw.models.responses import ResponsesDialect, ResponsesOptions

_USUAL = "gpt-4.1-mini"  # quick, and does not think before it speaks


class OpenAIResponsesProvider(StreamedProvider[ResponsesOptions]):
    """Credential: `key`."""

    vendor = "OpenAI"
    description = "OpenAI: GPT models by the Responses API"
    options = ResponsesOptions

    def dialect(self, options: ResponsesOptions, account: Account) -> Dialect:
        headers = {"Authorization": f"Bearer {account.need(*KEYS)}"}
        url = f"{account.base_url('https://api.openai.com/v1')}/responses"
        model = model_name("openai", options.name, options.id, _USUAL)
        accepted = self.accepted(url, model)
        return ResponsesDialect(options, self.vendor, url, headers, model, accepted)
