"""JSON-schema words that Gemini-backed models refuse leave the tool schemas; local references are written out."""

from __future__ import annotations

from typing import Any, Final

from moor.domain.dialects import GEMINI_GENERATE, OPENAI_CHAT
from moor.domain.quirks import REFUSES_SCHEMA_KEYS_GEMINI
from moor.gateway.filters.base import Draft, Filter
from moor.wire.splice import encode, map_elements, value
from moor.wire.words import holds_any
from moor.workspace.classify import GEMINI

_REFUSED: Final = frozenset(
    ("$schema", "$id", "$comment", "$defs", "$ref", "definitions", "additionalProperties", "$anchor")
)
_NAMED: Final = ("properties", "patternProperties", "dependentSchemas")
"""below these, keys are names of the tool's own and not words of JSON schema"""
_DATA: Final = ("enum", "const", "default", "examples", "required")
"""below these stands data, whatever it looks like"""
_MAX_DEPTH: Final = 24
_TRIGGER: Final = (b'"$', b'"additionalProperties"', b'"definitions"')
_DECLARATIONS: Final = ("functionDeclarations", "function_declarations")
_SCHEMAS: Final = ("parameters", "parametersJsonSchema", "parameters_json_schema", "response", "responseJsonSchema")


def apply(draft: Draft) -> bool:
    """Repair the schemas in `tools`; other parts of the body may hold the same words and keep them."""
    tools = draft.get("tools")
    if tools is None:
        return False
    repaired = map_elements(tools, _chat_tool if draft.dialect == OPENAI_CHAT else _gemini_tool)
    if repaired is None:
        return False
    draft.set("tools", repaired)
    return True


def _chat_tool(raw: bytes) -> bytes | None:
    tool = value(raw) if _suspect(raw) else None
    if not isinstance(tool, dict):
        return raw
    function = tool.get("function")
    if not isinstance(function, dict) or not isinstance(function.get("parameters"), dict):
        return raw
    cleaned = clean_schema(function["parameters"])
    if cleaned == function["parameters"]:
        return raw
    return encode({**tool, "function": {**function, "parameters": cleaned}})


def _gemini_tool(raw: bytes) -> bytes | None:
    tool = value(raw) if _suspect(raw) else None
    if not isinstance(tool, dict):
        return raw
    cleaned = {
        key: [_declaration(entry) for entry in item] if key in _DECLARATIONS and isinstance(item, list) else item
        for key, item in tool.items()
    }
    return raw if cleaned == tool else encode(cleaned)


def _declaration(entry: Any) -> Any:
    if not isinstance(entry, dict):
        return entry
    return {
        key: clean_schema(item) if key in _SCHEMAS and isinstance(item, dict) else item for key, item in entry.items()
    }


def _suspect(raw: bytes) -> bool:
    return holds_any(raw, _TRIGGER)


def clean_schema(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema without the refused words, `#/$defs/X` written out where it is used; a recursion ends in {}."""
    definitions = {}
    for word in ("definitions", "$defs"):
        if isinstance(schema.get(word), dict):
            definitions.update({f"#/{word}/{name}": item for name, item in schema[word].items()})
    cleaned = _clean(schema, definitions, (), 0)
    return cleaned if isinstance(cleaned, dict) else {}


def _clean(item: Any, definitions: dict[str, Any], inside: tuple[str, ...], depth: int) -> Any:
    if depth > _MAX_DEPTH:
        return {}
    if isinstance(item, list):
        return [_clean(entry, definitions, inside, depth + 1) for entry in item]
    if not isinstance(item, dict):
        return item
    reference = item.get("$ref")
    if isinstance(reference, str):
        return _resolved(item, reference, definitions, inside, depth)
    return {
        key: _clean_member(key, entry, definitions, inside, depth)
        for key, entry in item.items()
        if key not in _REFUSED
    }


def _clean_member(key: str, entry: Any, definitions: dict[str, Any], inside: tuple[str, ...], depth: int) -> Any:
    if key in _DATA:
        return entry
    if key in _NAMED and isinstance(entry, dict):
        return {name: _clean(schema, definitions, inside, depth + 1) for name, schema in entry.items()}
    return _clean(entry, definitions, inside, depth + 1)


def _resolved(
    item: dict[str, Any], reference: str, definitions: dict[str, Any], inside: tuple[str, ...], depth: int
) -> Any:
    beside = {key: entry for key, entry in item.items() if key != "$ref"}
    target = definitions.get(reference)
    if not isinstance(target, dict) or reference in inside:
        return _clean(beside, definitions, inside, depth + 1)
    return _clean({**target, **beside}, definitions, (*inside, reference), depth + 1)


FILTER: Final = Filter(
    name="gemini-schema-keys",
    priority=30,
    dialects=(OPENAI_CHAT, GEMINI_GENERATE),
    quirk=REFUSES_SCHEMA_KEYS_GEMINI,
    families=(GEMINI,),
    why='Gemini-backed models answer 400: Unknown name "$schema"; OpenCode sends it with every tool',
    since="0.1.0",
    fields=("tools[].function.parameters", "tools[].functionDeclarations[].parameters"),
    where="tools",
    trigger=_TRIGGER,
    apply=apply,
)
