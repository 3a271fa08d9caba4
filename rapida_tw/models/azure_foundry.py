"""Models deployed at Azure AI Foundry (Azure OpenAI), by chat completions.

Microsoft's "Azure OpenAI REST API reference": either a deployment's own URL with a dated
`api-version`, or, where the endpoint ends in /v1, as at OpenAI.
"""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import quote, urlencode

from rapida_tw.account import Account
from rapida_tw.errors import MisconfiguredAssistant
from rapida_tw.models.chat import ChatDialect, ChatOptions, Server
from rapida_tw.models.dialect import Dialect
from rapida_tw.models.provider import KEYS, StreamedProvider, model_name


@dataclass(frozen=True, slots=True)
class AzureOptions(ChatOptions):
    """`name` is the deployment's."""

    api_version: str = "2024-10-21"


class AzureFoundryProvider(StreamedProvider[AzureOptions]):
    """Credential: `key` and `endpoint` (https://RESOURCE.openai.azure.com)."""

    vendor = "Azure"
    description = "Azure AI Foundry: deployed models by chat completions"
    options = AzureOptions

    def dialect(self, options: AzureOptions, account: Account) -> Dialect:
        base = account.base_url("")
        if not base:
            raise MisconfiguredAssistant(f"{self.vendor} needs an endpoint in its credential")
        model = model_name("azure-foundry", options.name, options.id)
        if base.endswith("/v1"):
            url = f"{base}/chat/completions"
        else:
            base = base.removesuffix("/openai")
            version = urlencode({"api-version": options.api_version})
            deployment = quote(model, safe="")
            url = f"{base}/openai/deployments/{deployment}/chat/completions?{version}"
        headers = {"api-key": account.need(*KEYS)}
        server = Server(self.vendor, url, headers, limit="max_completion_tokens", thinks=True)
        return ChatDialect(options, server, model, self.accepted(url, model))
