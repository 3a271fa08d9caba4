"""Custom models, as Rapida has them: a server of the user's own, by one of OpenAI's two APIs."""

from __future__ import annotations

from collections.abc import Mapping

from rapida_tw.account import Account
from rapida_tw.errors import MisconfiguredAssistant
from rapida_tw.models.chat import ChatDialect, ChatOptions, Server
from rapida_tw.models.dialect import Dialect
from rapida_tw.models.exchange import extra_headers
from rapida_tw.models.provider import KEYS, StreamedProvider, model_name
from rapida_tw.models.responses import ResponsesDialect, ResponsesOptions

_CHAT = ("", "openai_chat_completions", "openai_compatible")
_RESPONSES = "openai_responses"


class CustomProvider(StreamedProvider[ChatOptions]):
    """Credential: `baseUrl`; at will `apiCompatibility`, `key`, and `headers` as JSON."""

    vendor = "The custom model"
    description = "A server of your own that speaks OpenAI's chat completions or Responses"
    credential_fields: Mapping[str, str] = {}  # any
    options = ChatOptions

    def dialect(self, options: ChatOptions, account: Account) -> Dialect:
        base = account.base_url("")
        if not base:
            raise MisconfiguredAssistant("a custom model needs a baseUrl in its credential")
        key = account.first(*KEYS)
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        headers |= extra_headers(account)
        model = model_name("custom", options.name, options.id)
        api = account.first("apiCompatibility", "api_compatibility")
        if api == _RESPONSES:
            return self._responses(options, f"{base}/responses", headers, model)
        if api not in _CHAT:
            known = ", ".join((*_CHAT[1:], _RESPONSES))
            raise MisconfiguredAssistant(f"apiCompatibility {api!r} is none of: {known}")
        url = f"{base}/chat/completions"
        server = Server(self.vendor, url, headers)
        return ChatDialect(options, server, model, self.accepted(url, model))

    def _responses(
        self, options: ChatOptions, url: str, headers: dict[str, str], model: str
    ) -> Dialect:
        same = ResponsesOptions(
            temperature=options.temperature,
            top_p=options.top_p,
            max_completion_tokens=options.max_completion_tokens,
            max_tokens=options.max_tokens,
            tool_choice=options.tool_choice,
            parallel_tool_calls=options.parallel_tool_calls,
            response_format=options.response_format,
            reasoning_effort=options.reasoning_effort,
            user=options.user,
            metadata=options.metadata,
            parameters=options.parameters,
        )
        accepted = self.accepted(url, model)
        return ResponsesDialect(same, self.vendor, url, headers, model, accepted)
