"""A call as a conversation: who said what, from a request and its answer in any dialect. For people, not for agents.

Total: what has another form than expected is shown as the JSON it is, or left out.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import msgspec

from moor.wire.meter.base import parse
from moor.wire.meter.base import part as part_of
from moor.wire.sse import SseDecoder


class Turn(NamedTuple):
    """One piece of a conversation."""

    role: str
    """`system`, `user`, `assistant`, `tool`, or the agent's own word"""
    kind: str
    """`text`, `thought`, `call`, `result`, `other`"""
    text: str


def request_turns(body: str) -> list[Turn]:
    """What a request says, in its order; its tools by name only."""
    found = parse(body.encode("utf-8", "replace"))
    turns: list[Turn] = []
    for key in ("system", "instructions", "systemInstruction", "system_instruction"):
        turns += _content("system", found.get(key))
    if names := list(_tool_names(found.get("tools"))):
        turns.append(Turn("system", "other", f"{len(names)} tools: {', '.join(names)}"))
    for key in ("messages", "input", "contents"):
        value = found.get(key)
        if isinstance(value, str):
            turns.append(Turn("user", "text", value))
        for item in value if isinstance(value, list) else []:
            turns += _message(item)
    return turns


def answer_turns(body: str) -> list[Turn]:
    """What an answer says: one document, or a stream whose pieces are put together."""
    data = body.encode("utf-8", "replace")
    if body.lstrip()[:1] == "{":
        return _whole(parse(data))
    parts: list[tuple[str, str]] = []
    for event in SseDecoder().feed(data + b"\n\n"):
        parts += _pieces(parse(event.data))
    return [Turn("assistant", kind, text) for kind, text in _joined(parts) if text]


def _message(item: Any) -> Iterator[Turn]:
    if not isinstance(item, dict):
        return
    kind = item.get("type")
    role = str(item.get("role") or ("tool" if kind in _RESULTS else "assistant"))
    if kind in _CALLS or kind in _RESULTS or kind == "reasoning":
        yield from _part(role, item)
        return
    if role == "tool":
        yield Turn("tool", "result", _flat(item.get("content")))
        return
    yield from _content(role, item.get("content", item.get("parts")))
    for call in _list(item, "tool_calls"):
        yield Turn(role, "call", _call(part_of(call, "function")))


_CALLS = ("tool_use", "function_call", "custom_tool_call")
_RESULTS = ("tool_result", "function_call_output", "custom_tool_call_output")


def _content(role: str, value: Any) -> Iterator[Turn]:
    if isinstance(value, str):
        yield Turn(role, "text", value)
    elif isinstance(value, dict):
        yield from _content(role, value.get("parts", [value]))
    elif isinstance(value, list):
        for part in value:
            yield from _part(role, part)


def _part(role: str, piece: Any) -> Iterator[Turn]:
    if not isinstance(piece, dict):
        yield Turn(role, "text", str(piece))
        return
    kind = str(piece.get("type", ""))
    if kind in _CALLS or "functionCall" in piece:
        yield Turn(role, "call", _call(piece.get("functionCall", piece)))
    elif kind in _RESULTS or "functionResponse" in piece:
        inner = part_of(piece, "functionResponse") or piece
        yield Turn("tool", "result", _flat(inner.get("content", inner.get("output", inner.get("response")))))
    elif kind in ("thinking", "reasoning") or piece.get("thought") is True:
        yield Turn(role, "thought", _flat(piece.get("thinking", piece.get("summary", piece.get("text")))))
    elif isinstance(piece.get("text"), str):
        yield Turn(role, "text", piece["text"])
    else:
        yield Turn(role, "other", f"({kind or 'another part'}, {len(json.dumps(piece))} characters)")


def _call(call: Any) -> str:
    if not isinstance(call, dict):
        return str(call)
    given = call.get("arguments", call.get("input", call.get("args")))
    text = given if isinstance(given, str) else json.dumps(given, ensure_ascii=False)
    return f"{call.get('name', '?')} {text}"


def _flat(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return "\n".join(_flat(item) for item in value)
    if isinstance(value, dict) and isinstance(value.get("text"), str):
        return str(value["text"])
    return "" if value is None else json.dumps(value, ensure_ascii=False)


def _tool_names(tools: Any) -> Iterator[str]:
    for tool in tools if isinstance(tools, list) else []:
        if not isinstance(tool, dict):
            continue
        for one in _list(tool, "functionDeclarations") or [tool]:
            inner = part_of(one, "function") or (one if isinstance(one, dict) else {})
            yield str(inner.get("name") or inner.get("type") or "?")


def _whole(found: Any) -> list[Turn]:
    turns: list[Turn] = []
    turns += _content("assistant", found.get("content"))
    for choice in _list(found, "choices"):
        turns += _message(part_of(choice, "message"))
    for item in _list(found, "output"):
        turns += _message(item)
    for candidate in _list(found, "candidates"):
        turns += _content("assistant", part_of(candidate, "content"))
    if "error" in found:
        turns.append(Turn("upstream", "other", _flat(found["error"])))
    return turns


def _pieces(event: Any) -> list[tuple[str, str]]:
    """(kind, text) of one event of a stream."""
    kind = str(event.get("type") or "")
    if kind == "content_block_start":
        block = part_of(event, "content_block")
        return [("call", f"\n{block.get('name')} ")] if block.get("type") == "tool_use" else []
    if kind == "content_block_delta":
        delta = part_of(event, "delta")
        texts = (("text", "text"), ("thought", "thinking"), ("call", "partial_json"))
        return [(name, str(delta[key])) for name, key in texts if key in delta]
    if kind.startswith("response."):
        return _response_pieces(kind, event)
    pieces: list[tuple[str, str]] = []
    for choice in _list(event, "choices"):
        pieces += _chat_pieces(part_of(choice, "delta"))
    for candidate in _list(event, "candidates"):
        for turn in _content("assistant", part_of(candidate, "content")):
            pieces.append((turn.kind, turn.text))
    if "error" in event:
        pieces.append(("other", _flat(event["error"])))
    return pieces


def _response_pieces(kind: str, event: Any) -> list[tuple[str, str]]:
    if kind == "response.output_text.delta":
        return [("text", str(event.get("delta", "")))]
    if kind == "response.reasoning_summary_text.delta":
        return [("thought", str(event.get("delta", "")))]
    item = part_of(event, "item")
    if kind == "response.output_item.done" and item.get("type") in _CALLS:
        return [("call", f"\n{_call(item)}")]
    return [("other", _flat(part_of(event, "response").get("error")))] if kind == "response.failed" else []


def _chat_pieces(delta: Any) -> list[tuple[str, str]]:
    pieces = [("thought", str(delta["reasoning_content"]))] if delta.get("reasoning_content") else []
    if isinstance(delta.get("content"), str):
        pieces.append(("text", delta["content"]))
    for call in _list(delta, "tool_calls"):
        function = part_of(call, "function")
        name = f"\n{function['name']} " if function.get("name") else ""
        pieces.append(("call", name + str(function.get("arguments") or "")))
    return pieces


def _joined(parts: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    joined: list[tuple[str, str]] = []
    for kind, text in parts:
        if joined and joined[-1][0] == kind:
            joined[-1] = (kind, joined[-1][1] + text)
        else:
            joined.append((kind, text))
    return [(kind, text.strip("\n") if kind == "call" else text) for kind, text in joined]


def pretty(body: str) -> str:
    """JSON with indents; what is none stays as it is."""
    try:
        return msgspec.json.format(body, indent=2)
    except (msgspec.DecodeError, UnicodeEncodeError):
        return body


def _list(holder: Any, key: str) -> list[Any]:
    found = holder.get(key) if isinstance(holder, dict) else None
    return found if isinstance(found, list) else []
