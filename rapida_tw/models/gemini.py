"""Google's Gemini by the Gemini API, with a key of Google AI Studio."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

from twisted.internet.defer import Deferred, succeed

from rapida_tw.account import Account
from rapida_tw.models.dialect import Dialect
from rapida_tw.models.exchange import extra_headers
from rapida_tw.models.generate_content import GeminiOptions, GenerateContentDialect
from rapida_tw.models.provider import KEYS, StreamedProvider, model_name
from rapida_tw.net.base import Net

_USUAL = "gemini-3.5-flash-lite"  # the quickest


class GeminiProvider(StreamedProvider[GeminiOptions]):
    """Credential: `key`."""

    vendor = "Gemini"
    description = "Google Gemini, with a key of AI Studio"
    options = GeminiOptions

    def dialect(self, options: GeminiOptions, account: Account) -> Dialect:
        headers = {"x-goog-api-key": account.need(*KEYS), **extra_headers(account)}
        base = account.base_url("https://generativelanguage.googleapis.com/v1beta")
        model = model_name("google", options.name, options.id, _USUAL).removeprefix("models/")

        def known(net: Net) -> Deferred[Mapping[str, str]]:
            return succeed(headers)

        return GenerateContentDialect(
            options,
            self.vendor,
            f"{base}/models/{quote(model, safe='')}",
            known,
            model,
            self.accepted(base, model),
        )
