"""Vendors and local servers that are compatible to OpenAI's chat completions.

Addresses by their own documents. Local ones need no key.
"""

from __future__ import annotations

import re
from typing import ClassVar

from rapida_tw.account import Account
from rapida_tw.errors import MisconfiguredAssistant
from rapida_tw.models.alternation import ANY_ID
from rapida_tw.models.chat import ChatDialect, ChatOptions, Server
from rapida_tw.models.dialect import Dialect
from rapida_tw.models.exchange import extra_headers
from rapida_tw.models.provider import KEYS, StreamedProvider, model_name


class ChatServerProvider(StreamedProvider[ChatOptions]):
    """Any server. Credential: `base_url` (it usually ends in /v1), `key` and `headers` at will.

    `base`: where it usually is; "" where only the user knows. `keyed`: it takes nobody without a
    key.
    """

    vendor = "The server"
    description = "Any server that is compatible to OpenAI's chat completions"
    options = ChatOptions
    base = ""
    keyed = False
    limit = "max_tokens"
    ids: ClassVar[re.Pattern[str]] = ANY_ID
    counts = False

    def dialect(self, options: ChatOptions, account: Account) -> Dialect:
        base = account.base_url(self.base)
        if not base:
            why = f"{account.vendor or self.vendor} needs a base_url in its credential"
            raise MisconfiguredAssistant(why)
        key = account.need(*KEYS) if self.keyed else account.first(*KEYS)
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        url = f"{base}/chat/completions"
        model = model_name(self.vendor, options.name, options.id)
        headers |= extra_headers(account)
        server = Server(self.vendor, url, headers, self.limit, self.ids, self.counts)
        return ChatDialect(options, server, model, self.accepted(url, model))


class OllamaProvider(ChatServerProvider):
    vendor = "Ollama"
    description = "Ollama: local models; give them a context of 8192 or more (num_ctx)"
    base = "http://127.0.0.1:11434/v1"


class VllmProvider(ChatServerProvider):
    vendor = "vLLM"
    description = "vLLM: local models; tools need --enable-auto-tool-choice --tool-call-parser"
    base = "http://127.0.0.1:8000/v1"


class LlamaCppProvider(ChatServerProvider):
    vendor = "llama.cpp"
    description = "llama.cpp's server: local models; tools need --jinja"
    base = "http://127.0.0.1:8080/v1"


class GroqProvider(ChatServerProvider):
    vendor = "Groq"
    description = "Groq: open models, very quick"
    base = "https://api.groq.com/openai/v1"
    keyed = True
    limit = "max_completion_tokens"


class MistralProvider(ChatServerProvider):
    vendor = "Mistral"
    description = "Mistral: its own models"
    base = "https://api.mistral.ai/v1"
    keyed = True
    ids = re.compile(r"[A-Za-z0-9]{9}")
    counts = True


class DeepSeekProvider(ChatServerProvider):
    vendor = "DeepSeek"
    description = "DeepSeek: its own models"
    base = "https://api.deepseek.com/v1"
    keyed = True


class OpenRouterProvider(ChatServerProvider):
    vendor = "OpenRouter"
    description = "OpenRouter: the models of many vendors"
    base = "https://openrouter.ai/api/v1"
    keyed = True


class TogetherProvider(ChatServerProvider):
    vendor = "Together"
    description = "Together AI: open models"
    base = "https://api.together.xyz/v1"
    keyed = True


class FireworksProvider(ChatServerProvider):
    vendor = "Fireworks"
    description = "Fireworks AI: open models"
    base = "https://api.fireworks.ai/inference/v1"
    keyed = True


class CerebrasProvider(ChatServerProvider):
    vendor = "Cerebras"
    description = "Cerebras: open models, very quick"
    base = "https://api.cerebras.ai/v1"
    keyed = True
    limit = "max_completion_tokens"


class XaiProvider(ChatServerProvider):
    vendor = "xAI"
    description = "xAI: Grok models"
    base = "https://api.x.ai/v1"
    keyed = True


class CohereProvider(ChatServerProvider):
    vendor = "Cohere"
    description = "Cohere: Command models, by its compatibility API"
    base = "https://api.cohere.ai/compatibility/v1"
    keyed = True


class HuggingFaceProvider(ChatServerProvider):
    vendor = "Hugging Face"
    description = "Hugging Face: open models at its inference providers"
    base = "https://router.huggingface.co/v1"
    keyed = True


class DeepInfraProvider(ChatServerProvider):
    vendor = "DeepInfra"
    description = "DeepInfra: open models"
    base = "https://api.deepinfra.com/v1/openai"
    keyed = True
