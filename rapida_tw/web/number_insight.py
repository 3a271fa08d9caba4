"""GET /v1/number-insight: what a carrier knows of a telephone number."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from twisted.internet.defer import Deferred

from rapida_tw.carriers.insight import (
    APIS,
    LEVELS,
    Insight,
    Level,
    Question,
    insight_document,
    read_question,
)
from rapida_tw.errors import BadRequest
from rapida_tw.web.answers import Answer
from rapida_tw.web.api import Api, Ask, read_id
from rapida_tw.web.openapi_schemas import FLAG, ID_IN_PATH
from rapida_tw.web.operation import Operation, Parameter, ref
from rapida_tw.web.route import Route

PATH = "/v1/number-insight"
SCOPE = "numbers:read"
_FLAGS = {"": False, "false": False, "0": False, "true": True, "1": True}
_LOOK_UP = Operation(
    "lookUpNumber",
    "What Vonage knows of a number; each request costs money there.",
    "Numbers",
    ref("NumberInsight"),
    parameters=(
        Parameter(
            "number",
            {"type": "string", "pattern": r"^\+?[1-9][0-9]{4,14}$", "example": "+15550100001"},
            "In E.164.",
            required=True,
        ),
        Parameter(
            "level",
            {"enum": list(LEVELS), "default": Level.BASIC.value},
            "Form and country; the networks, too; and whether the phone is reachable.",
        ),
        Parameter("credentialId", ID_IN_PATH, "The newest one of Vonage's by itself."),
        Parameter(
            "api",
            {"enum": list(APIS)},
            "Number Insight or Identity Insights; by itself what the credential is good for.",
        ),
        Parameter("callerName", FLAG, "Also its owner's name: numbers of the USA, costs more."),
        Parameter("raw", FLAG, "Also the document as Vonage has it."),
    ),
    answers={
        422: "No credential, or one that lacks what is needed.",
        502: "Vonage refused, or gave no answer; the text says why.",
        503: "Vonage wants fewer requests.",
    },
)


class Insights(Protocol):
    """Who looks numbers up (`number_insights.NumberInsights`)."""

    def look_up(
        self, project_id: int, question: Question, credential_id: int | None = None
    ) -> Deferred[Insight]: ...


class NumberInsight:
    """The route."""

    def __init__(self, insights: Insights) -> None:
        self._insights = insights

    def routes(self, api: Api) -> Iterator[Route]:
        yield Route("GET", PATH, api(self.look_up, SCOPE), operation=_LOOK_UP)

    async def look_up(self, ask: Ask) -> Answer:
        """`?number`, `?level`, `?credentialId`, `?api`, `?callerName`, `?raw`."""
        query = ask.request.query
        question = read_question(
            query.get("number", ""),
            query.get("level", ""),
            query.get("api", ""),
            _flag(query.get("callerName", ""), "callerName"),
        )
        raw = _flag(query.get("raw", ""), "raw")
        given = query.get("credentialId", "")
        credential_id = read_id(given) if given else None
        found = await self._insights.look_up(ask.project_id, question, credential_id)
        return Answer(insight_document(found, raw))


def _flag(text: str, name: str) -> bool:
    if text.lower() not in _FLAGS:
        raise BadRequest(f"{name} is true or false")
    return _FLAGS[text.lower()]
