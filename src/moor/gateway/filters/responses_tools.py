"""Tools of the Responses dialect that only OpenAI's own service knows: groups are opened, hosted ones left out.

Source: facts/agents-on-a-strict-wire and codex 4. Codex offers its sub-agents and its MCP servers as tools of type
`namespace`. Each function in one becomes a function of its own, `group__name`; the calls in the answer get group and
name back, and so do calls and results that are sent back. A list of tools among the input (`additional_tools`) joins
`tools`. What the provider itself would run (`web_search`, `tool_search`) goes.
"""

from __future__ import annotations

import hashlib
from typing import Any, Final

from moor.domain.dialects import OPENAI_RESPONSES, STREAM
from moor.domain.quirks import REFUSES_CODEX_TOOLS
from moor.gateway.filters.base import Draft, Filter
from moor.gateway.filters.events import map_events
from moor.wire.splice import encode, map_elements, value
from moor.wire.words import holds, holds_any

_PLAIN: Final = ("function", "custom")
_GROUP: Final = "namespace"
_GROUP_WORD: Final = b'"namespace"'
_ADDED: Final = "additional_tools"
_ADDED_WORD: Final = b'"additional_tools"'
_KEYS: Final = ("type", "name", "description", "parameters", "strict", "format")
"""what is said of a tool; `defer_loading` would hide it from a model that cannot search for tools"""
_NAME_MAX: Final = 64
_CALL_EVENTS: Final = ("response.output_item.added", "response.output_item.done")


def apply(draft: Draft) -> bool:
    """Repair `tools` and `input`."""
    tools = _read(draft, "tools")
    offered = tools + _added(draft)
    plain, names = _opened(offered, is_stream=draft.action == STREAM)
    changed = plain != tools
    if changed and plain:
        draft.set("tools", encode(plain))
    elif changed:
        draft.remove("tools")
    changed = _repair_input(draft) or changed
    if names:
        draft.stages.append(GroupNames(names))
    return changed


def flat_name(group: str, name: str) -> str:
    """The name of a function of a group among functions without one."""
    flat = f"{group}__{name}"
    if len(flat) <= _NAME_MAX:
        return flat
    return f"{flat[: _NAME_MAX - 9]}_{hashlib.sha256(flat.encode()).hexdigest()[:8]}"


class GroupNames:
    """Gives calls in a stream the group and the name that the agent knows."""

    def __init__(self, names: dict[str, tuple[str, str]]) -> None:
        self._names = names
        self._words = tuple([encode(name) for name in names])

    def feed(self, block: bytes) -> bytes:
        """The block with the agent's own names."""
        if not holds(block, b'"name"') or not holds_any(block, self._words):
            return block  # text goes by with one search, however many tools there are
        return map_events(block, self._event)

    def _event(self, event: dict[str, Any]) -> dict[str, Any]:
        item = event.get("item")
        if event.get("type") in _CALL_EVENTS and isinstance(item, dict):
            return {**event, "item": self._item(item)} if self._is_known(item) else event
        answer = event.get("response")
        output = answer.get("output") if isinstance(answer, dict) else None
        if not isinstance(answer, dict) or not isinstance(output, list) or not any(map(self._is_known, output)):
            return event
        named = [self._item(item) if self._is_known(item) else item for item in output]
        return {**event, "response": {**answer, "output": named}}

    def _is_known(self, item: Any) -> bool:
        return isinstance(item, dict) and item.get("name") in self._names

    def _item(self, item: dict[str, Any]) -> dict[str, Any]:
        group, name = self._names[item["name"]]
        return {**item, "name": name, "namespace": group}


def _read(draft: Draft, key: str) -> list[dict[str, Any]]:
    raw = draft.get(key)
    found: Any = value(raw) if raw is not None else None
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def _added(draft: Draft) -> list[dict[str, Any]]:
    """The tools that stand among the input."""
    if not _holds(draft, _ADDED_WORD):
        return []
    lists = [item.get("tools") for item in _read(draft, "input") if item.get("type") == _ADDED]
    return [tool for tools in lists if isinstance(tools, list) for tool in tools if isinstance(tool, dict)]


def _holds(draft: Draft, word: bytes) -> bool:
    """Whether the input can hold a word; the search from the end needs no copy and a third of the time."""
    start, end = draft.index.spans.get("input", (0, 0))
    return draft.index.body.rfind(word, start, end) >= 0


def _opened(
    offered: list[dict[str, Any]], *, is_stream: bool
) -> tuple[list[dict[str, Any]], dict[str, tuple[str, str]]]:
    """The tools that any service knows, and new names to (group, name). Without a stream calls of a group could not
    be told on the way back, so it goes."""
    plain: list[dict[str, Any]] = []
    names: dict[str, tuple[str, str]] = {}
    taken = {tool.get("name") for tool in offered if tool.get("type") in _PLAIN}
    for tool in offered:
        if tool.get("type") in _PLAIN:
            plain.append(_known_keys(tool) if "defer_loading" in tool else tool)
            continue
        if tool.get("type") != _GROUP or not is_stream:
            continue
        group, inner = tool.get("name"), tool.get("tools")
        for function in inner if isinstance(inner, list) and isinstance(group, str) else ():
            if not isinstance(function, dict) or function.get("type") != "function":
                continue
            name = str(function.get("name"))
            flat = flat_name(str(group), name)
            if flat not in taken:
                taken.add(flat)
                names[flat] = (str(group), name)
                plain.append({**_known_keys(function), "name": flat})
    return plain, names


def _known_keys(tool: dict[str, Any]) -> dict[str, Any]:
    return {key: tool[key] for key in _KEYS if key in tool}


def _repair_input(draft: Draft) -> bool:
    """Calls that are sent back get the new names; lists of tools are taken out."""
    if not (_holds(draft, _GROUP_WORD) or _holds(draft, _ADDED_WORD)):
        return False
    raw = draft.get("input")
    repaired = map_elements(raw, _input_item) if raw is not None and raw.startswith(b"[") else None
    if repaired is None:
        return False
    draft.set("input", repaired)
    return True


def _input_item(raw: bytes) -> bytes | None:
    if not holds(raw, _GROUP_WORD) and not holds(raw, _ADDED_WORD):
        return raw
    item = value(raw)
    if not isinstance(item, dict):
        return raw
    if item.get("type") == _ADDED:
        return None
    group, name = item.get(_GROUP), item.get("name")
    if not isinstance(group, str) or not isinstance(name, str):
        return raw
    kept = {key: entry for key, entry in item.items() if key != _GROUP}
    return encode({**kept, "name": flat_name(group, name)})


FILTER: Final = Filter(
    name="responses-tools",
    priority=10,
    dialects=(OPENAI_RESPONSES,),
    quirk=REFUSES_CODEX_TOOLS,
    why="400: Supported values are: 'function', 'custom'; Codex offers its sub-agents and MCP servers in groups",
    since="0.1.0",
    fields=("tools[namespace]", "tools[hosted]", "input[additional_tools]", "input[].namespace"),
    trigger=(_GROUP_WORD, b'"web_search', b'"tool_search"', _ADDED_WORD),
    apply=apply,
)
