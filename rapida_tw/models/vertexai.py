"""Google's Gemini by Vertex AI, with a service account or with a key of its express mode.

Vertex AI's reference, "generateContent", "Express mode".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

from twisted.internet.defer import Deferred

from rapida_tw.account import GOOGLE_FIELDS, Account
from rapida_tw.errors import MisconfiguredAssistant
from rapida_tw.models.dialect import Dialect
from rapida_tw.models.generate_content import GeminiOptions, GenerateContentDialect
from rapida_tw.models.provider import MODEL_FIELDS, StreamedProvider, model_name
from rapida_tw.net.base import Net
from rapida_tw.net.google_token import GoogleTokens, google_key
from rapida_tw.speech.base import Host

_USUAL = "gemini-3.5-flash-lite"  # the quickest


@dataclass(frozen=True, slots=True)
class VertexOptions(GeminiOptions):
    region: str = ""  # where the model runs; "": as the credential says, else everywhere


class VertexProvider(StreamedProvider[VertexOptions]):
    """Credential: `service_account_key`, at will `project_id` and `region`; or a `key`."""

    vendor = "Vertex AI"
    description = "Google Gemini at Vertex AI"
    credential_fields: Mapping[str, str] = {
        **GOOGLE_FIELDS,
        "region": "Optional: where the model runs; else the option of the assistant.",
        "location": "The same as region.",
        "headers": MODEL_FIELDS["headers"],
    }
    options = VertexOptions

    def __init__(self, host: Host) -> None:
        super().__init__(host)
        self._tokens = GoogleTokens(host.net, host.clock, host.now)

    def dialect(self, options: VertexOptions, account: Account) -> Dialect:
        key = google_key(account)
        region = options.region or account.first("region", "location") or "global"
        if not region.replace("-", "").isalnum():
            raise MisconfiguredAssistant(f"{self.vendor}: {region!r} is no region")
        host = "aiplatform" if region == "global" else f"{region}-aiplatform"
        base = account.base_url(f"https://{host}.googleapis.com/v1")
        model = model_name("google", options.name, options.id, _USUAL)
        place = f"projects/{quote(key.project, safe='')}/locations/{region}/" if key.project else ""
        if key.private_key is not None and not place:
            raise MisconfiguredAssistant(f"{self.vendor} needs a project_id in its credential")

        def headers(net: Net) -> Deferred[Mapping[str, str]]:
            return self._tokens.headers(key)

        return GenerateContentDialect(
            options,
            self.vendor,
            f"{base}/{place}publishers/google/models/{quote(model, safe='')}",
            headers,
            model,
            self.accepted(base, model),
        )
