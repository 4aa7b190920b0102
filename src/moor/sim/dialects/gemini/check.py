"""What the strict gateway refuses on the Gemini route (facts/databricks 2.7 rows 3, 16, 17)."""

from __future__ import annotations

from typing import Final

from moor.errors.sim import SimRefusal
from moor.sim import switches
from moor.sim.dialects.face import GEMINI_UNKNOWN, Rules, check_cap, check_gemini_schema, check_shape, words
from moor.sim.dialects.gemini.shape import Body
from moor.sim.messages import Json

_KEYS: Final = words(
    "contents systemInstruction system_instruction tools toolConfig tool_config generationConfig generation_config"
    " safetySettings safety_settings cachedContent labels model"
)
_PARTS: Final = words("text functionCall functionResponse inlineData fileData executableCode codeExecutionResult")
_PART_MARKS: Final = words("thought thoughtSignature videoMetadata")
_TOOLS: Final = frozenset({"functionDeclarations", "function_declarations"})
_CONFIG: Final = words(
    "temperature topP topK maxOutputTokens candidateCount stopSequences responseMimeType responseSchema"
    " responseJsonSchema thinkingConfig"
    " seed presencePenalty frequencyPenalty mediaResolution responseModalities"
)


def check(body: Json, rules: Rules) -> None:
    """Refuse what the gateway refuses. Raises SimRefusal."""
    check_shape(body, Body)
    if not rules.switches[switches.UNKNOWN_KEYS]:
        _known(body, _KEYS, "")
    config = body.get("generationConfig") or {}
    if not isinstance(config, dict):
        raise SimRefusal(400, "Invalid value at 'generation_config' (type.googleapis.com/GenerationConfig)")
    _known(config, _CONFIG, "generation_config")
    if config.get("maxOutputTokens") is not None:
        check_cap(config["maxOutputTokens"], rules, "maxOutputTokens", switches.OUTPUT_CAPS)
    _check_tools(body.get("tools") or [], rules)
    contents = body.get("contents")
    if not isinstance(contents, list) or not contents:
        raise SimRefusal(400, "* GenerateContentRequest.contents: contents is not specified")
    for place, content in enumerate(contents):
        _check_content(content, place)
    _check_pairs(contents)
    if rules.card.thought_signatures and rules.switches[switches.THOUGHT_SIGNATURE]:
        _check_signatures(contents)


def _known(value: Json, allowed: frozenset[str], where: str) -> None:
    for key in value:
        if key not in allowed:
            place = f" at '{where}'" if where else ""
            raise SimRefusal(400, f'Invalid JSON payload received. Unknown name "{key}"{place}: Cannot find field.')


def _check_tools(tools: object, rules: Rules) -> None:
    if not isinstance(tools, list):
        raise SimRefusal(400, "Invalid value at 'tools' (type.googleapis.com/Tool)")
    lenient = rules.switches[switches.GEMINI_ADDITIONAL_PROPERTIES]
    json_schema_unknown = frozenset() if lenient else frozenset({"additionalProperties"})
    for place, tool in enumerate(tools):
        for kind in tool:
            if kind not in _TOOLS:
                raise SimRefusal(400, f"Tool {kind} is not supported for this model.")
        declared = tool.get("functionDeclarations") or tool.get("function_declarations") or []
        for number, function in enumerate(declared):
            where = f"tools[{place}].function_declarations[{number}]"
            if not isinstance(function.get("name"), str) or not function["name"]:
                raise SimRefusal(400, f"Invalid value at '{where}.name'")
            check_gemini_schema(function.get("parameters"), f"{where}.parameters", GEMINI_UNKNOWN)
            check_gemini_schema(
                function.get("parametersJsonSchema"), f"{where}.parameters_json_schema", json_schema_unknown
            )


def _check_content(content: object, place: int) -> None:
    where = f"contents[{place}]"
    if not isinstance(content, dict) or not isinstance(content.get("parts"), list) or not content["parts"]:
        raise SimRefusal(400, f"* GenerateContentRequest.{where}.parts: contents.parts must not be empty.")
    if content.get("role", "user") not in ("user", "model", "function"):
        raise SimRefusal(400, "Please use a valid role: user, model.")
    _known(content, frozenset({"role", "parts"}), where)
    for number, part in enumerate(content["parts"]):
        _known(part, _PARTS | _PART_MARKS, f"{where}.parts[{number}]")
        if _PARTS.isdisjoint(part):
            raise SimRefusal(
                400,
                f"* GenerateContentRequest.{where}.parts[{number}].data: required oneof field 'data' must have "
                "one initialized field",
            )


def _check_pairs(contents: list[Json]) -> None:
    """A turn with n calls is followed by a turn with n responses (row 16)."""
    waiting = 0
    for content in contents:
        answers = sum("functionResponse" in part for part in content["parts"])
        if answers != waiting:
            raise SimRefusal(
                400,
                "Please ensure that the number of function response parts is equal to the number of function call "
                "parts of the function call turn.",
            )
        waiting = sum("functionCall" in part for part in content["parts"])
    if waiting:
        raise SimRefusal(400, "Please ensure that a function call turn is followed by a function response turn.")


def _check_signatures(contents: list[Json]) -> None:
    """In the present turn the first call of each model content carries its signature."""
    for place in range(_last_prompt(contents), len(contents)):
        calls = [part for part in contents[place]["parts"] if "functionCall" in part]
        if calls and not calls[0].get("thoughtSignature"):
            name = calls[0]["functionCall"].get("name", "")
            raise SimRefusal(
                400,
                "Function call is missing a thought_signature in functionCall parts. This is required for tools to "
                f"work correctly. Function call `{name}`, position {place}.",
            )


def _last_prompt(contents: list[Json]) -> int:
    """Its place, where the present turn begins; 0 where there is none."""
    spoken = [i for i, content in enumerate(contents) if any("text" in part for part in content["parts"])]
    return max((i for i in spoken if contents[i].get("role", "user") == "user"), default=0)
