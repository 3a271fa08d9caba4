"""What Gemini's generateContent refuses in a request ("Generating content", "Function calling",
"Thought signatures" of the Gemini API's documents).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

_FIELDS = {
    "contents",
    "systemInstruction",
    "tools",
    "toolConfig",
    "safetySettings",
    "generationConfig",
    "cachedContent",
    "labels",
}
_CONFIG = {
    *("temperature", "topP", "topK", "maxOutputTokens", "stopSequences", "seed"),
    *("candidateCount", "presencePenalty", "frequencyPenalty", "responseMimeType"),
    *("responseSchema", "responseJsonSchema", "thinkingConfig", "responseModalities"),
}
_SCHEMA = {
    *("type", "format", "title", "description", "nullable", "enum", "maxItems", "minItems"),
    *("properties", "required", "minProperties", "maxProperties", "minLength", "maxLength"),
    *("pattern", "example", "anyOf", "propertyOrdering", "default", "items", "minimum"),
    "maximum",
}
_FORMATS = {
    "string": {"date-time", "enum"},
    "integer": {"int32", "int64"},
    "number": {"float", "double"},
}
_PART = {"text", "functionCall", "functionResponse", "thoughtSignature", "thought", "inlineData"}
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_.:-]{0,63}")
SIGNATURE = "CiQB0e2Kb3aBcDeFgHiJkLmNoPqRsTuVwXyZ"
_ANY_SIGNATURE = ("skip_thought_signature_validator", "context_engineering_is_the_way_to_go")


class Refused(Exception):
    """An INVALID_ARGUMENT."""


def check(body: Mapping[str, Any], model: str) -> None:
    """`Refused` for the first thing that is wrong."""
    _only(body, _FIELDS, "")
    config = body.get("generationConfig", {})
    _only(config, _CONFIG, "generation_config")
    _check_thinking(config.get("thinkingConfig", {}), model)
    if not 0 <= config.get("temperature", 1) <= 2:
        raise Refused("Unable to submit request because it has a temperature value out of range")
    if "responseSchema" in config:
        check_schema(config["responseSchema"], "generation_config.response_schema")
    contents = body.get("contents")
    if not isinstance(contents, list) or not contents:
        raise Refused("* GenerateContentRequest.contents: contents is not specified")
    for number, content in enumerate(contents):
        _check_content(number, content)
    _check_order(contents)
    if re.match(r"gemini-[3-9]", model):
        _check_signatures(contents)
    for tool in body.get("tools", ()):
        for number, declared in enumerate(tool.get("functionDeclarations", ())):
            _check_declared(number, declared)


def _only(given: Mapping[str, Any], known: set[str], where: str) -> None:
    for name in given:
        if name not in known:
            place = f" at '{where}'" if where else ""
            raise Refused(
                f'Invalid JSON payload received. Unknown name "{name}"{place}: Cannot find field.'
            )


def _check_thinking(config: Mapping[str, Any], model: str) -> None:
    # JSON of protocol buffers is read by both kinds of names; Google's own client mixes them.
    level = config.get("thinkingLevel", config.get("thinking_level", ""))
    budget = config.get("thinkingBudget", config.get("thinking_budget"))
    if level and re.match(r"gemini-[12]", model):
        raise Refused("Thinking level is not supported for this model.")
    if level.lower() == "minimal" and model.endswith("-pro"):
        raise Refused("Thinking level MINIMAL is not supported for this model.")
    if budget == 0 and model.endswith("-pro"):
        raise Refused("Budget 0 is invalid. This model only works in thinking mode.")


def _check_content(number: int, content: Mapping[str, Any]) -> None:
    if content.get("role") not in ("user", "model"):
        raise Refused("Please use a valid role: user, model.")
    if not content.get("parts"):
        raise Refused(
            f"* GenerateContentRequest.contents[{number}].parts: contents.parts must not be empty."
        )
    for part in content["parts"]:
        _only(part, _PART, f"contents[{number}].parts")
        kinds = [name for name in ("text", "functionCall", "functionResponse") if name in part]
        if len(kinds) != 1 or part.get("text") == "":
            raise Refused(
                f"* GenerateContentRequest.contents[{number}].parts[0].data: required oneof field "
                "'data' must have one initialized field"
            )
        if not isinstance(part.get("functionResponse", {}).get("response", {}), dict):
            raise Refused("Invalid value at 'function_response.response' (type.googleapis.com/...)")


def _check_order(contents: Sequence[Mapping[str, Any]]) -> None:
    if contents[-1]["role"] != "user":
        raise Refused("Please ensure that single turn requests end with a user role")
    before: Sequence[Mapping[str, Any]] = ()
    role = ""
    for content in contents:
        calls = [part["functionCall"] for part in before if "functionCall" in part]
        results = [
            part["functionResponse"] for part in content["parts"] if "functionResponse" in part
        ]
        if results and not calls:
            raise Refused(
                "Please ensure that function response turn comes immediately after a function "
                "call turn."
            )
        if len(results) != len(calls):
            raise Refused(
                "Please ensure that the number of function response parts is equal to the number "
                "of function call parts of the function call turn."
            )
        for call, result in zip(calls, results, strict=True):
            if call["name"] != result["name"] or call.get("id") != result.get("id"):
                raise Refused("The function response does not belong to the function call.")
        if any("functionCall" in part for part in content["parts"]) and role != "user":
            raise Refused(
                "Please ensure that function call turn comes immediately after a user turn or "
                "after a function response turn."
            )
        before, role = content["parts"], content["role"]


def _check_signatures(contents: Sequence[Mapping[str, Any]]) -> None:
    """The first call of each step of the turn that is under way must bear its signature."""
    said = [n for n, one in enumerate(contents) if any("text" in part for part in one["parts"])]
    asked = [n for n in said if contents[n]["role"] == "user"]
    for content in contents[asked[-1] if asked else 0 :]:
        calls = [part for part in content["parts"] if "functionCall" in part]
        if not calls:
            continue
        signature = calls[0].get("thoughtSignature")
        if not signature:
            name = calls[0]["functionCall"]["name"]
            raise Refused(
                f"Function call is missing a thought_signature in functionCall parts. Function "
                f"call `default_api:{name}`"
            )
        if signature not in (SIGNATURE, *_ANY_SIGNATURE):
            raise Refused("Corrupted thought signature.")


def _check_declared(number: int, declared: Mapping[str, Any]) -> None:
    where = f"tools[0].function_declarations[{number}]"
    _only(declared, {"name", "description", "parameters", "parametersJsonSchema"}, where)
    if not _NAME.fullmatch(declared.get("name", "")):
        raise Refused(f"Invalid function name at {where}")
    if "parameters" in declared:
        check_schema(declared["parameters"], f"{where}.parameters")
        if not declared["parameters"].get("properties"):
            raise Refused(f"{where}.parameters.properties: should be non-empty for OBJECT type")


def check_schema(schema: Mapping[str, Any], where: str) -> None:
    _only(schema, _SCHEMA, where)
    kind = str(schema.get("type", "")).lower()
    if not kind and "anyOf" not in schema:
        raise Refused(f"{where}: type must be specified")
    if kind and kind not in ("string", "number", "integer", "boolean", "array", "object"):
        raise Refused(f"Invalid value at '{where}.type'")
    if "format" in schema and schema["format"] not in _FORMATS.get(kind, ()):
        raise Refused(f"{where}.format: only 'enum' and 'date-time' are supported for STRING type")
    if "enum" in schema and (
        kind != "string" or not all(isinstance(one, str) for one in schema["enum"])
    ):
        raise Refused(f"{where}.enum: only allowed for STRING type")
    if kind == "array" and "items" not in schema:
        raise Refused(f"{where}.items: missing field.")
    properties = schema.get("properties", {})
    for name in schema.get("required", ()):
        if name not in properties:
            raise Refused(f"{where}.required[0]: property is not defined")
    for name, inner in properties.items():
        check_schema(inner, f"{where}.properties[{name}]")
    for inner in schema.get("anyOf", ()):
        check_schema(inner, f"{where}.any_of")
    if "items" in schema:
        check_schema(schema["items"], f"{where}.items")
