"""Calls beside the conversation: titles and summaries, recognised by what agents write in them."""

from __future__ import annotations

import re

import msgspec

from moor.sim.script.conversation import USER, Conversation, Said, Tool, prompt_text
from moor.sim.script.library import find_address, split_address
from moor.sim.script.place import find_place, mark, told_place

_TITLE = re.compile(r"(?i)\btitle\b")
_SUMMARY = re.compile(
    r"(?i)summar|compact|context checkpoint|continuing (?:our|the|this) conversation|what did we do so far"
)
_FULL_SUMMARY = re.compile(
    r"(?i)create a (?:new |detailed |comprehensive |anchored )+summary|CONTEXT CHECKPOINT COMPACTION"
)


def is_title(talk: Conversation) -> bool:
    """A call that wants a title: no tools, and the word in its instructions, or an answer in JSON.

    Codex leaves apply_patch in it, which takes free text; Qwen Code has a tool by which the title is handed in.
    """
    if title_tool(talk) is not None:
        return True
    if any(not tool.free_text for tool in talk.tools):
        return False
    if talk.wants_json:
        return True
    first = next((item.text for item in talk.items if isinstance(item, Said) and item.role == USER), "")
    return bool(_TITLE.search(talk.system) or re.match(r"(?i).{0,40}\btitle\b", first))


def title_tool(talk: Conversation) -> Tool | None:
    """The only tool of the call, where a title is all that it takes."""
    if len(talk.tools) != 1:
        return None
    schema = talk.tools[0].schema
    properties = schema.get("properties") if isinstance(schema, dict) else None
    return talk.tools[0] if isinstance(properties, dict) and set(properties) == {"title"} else None


def title(talk: Conversation) -> str:
    """A short title that says it is simulated; as JSON where JSON is wanted."""
    said = " ".join(item.text for item in talk.items if isinstance(item, Said) and item.role == USER)
    address = find_address(said)
    text = f"Simulated: {split_address(address)[0]}" if address else "Simulated session"
    return f'{{"title": "{text}"}}' if talk.wants_json else text


def is_summary(talk: Conversation) -> bool:
    """A call that wants the conversation summed up."""
    last = _last_prompt(talk)
    if find_address(last[-200:]):
        return False
    if _FULL_SUMMARY.search(last):
        return True
    if talk.tools or not (talk.system or _is_answered(talk)):
        return False
    return bool(_SUMMARY.search(last) or _SUMMARY.search(talk.system))


def _is_answered(talk: Conversation) -> bool:
    """Whether anybody but the user has spoken."""
    return any(isinstance(item, Said) and item.role != USER for item in talk.items)


def summary(talk: Conversation) -> str:
    """A summary that carries the script's position over."""
    last = max((i for i, item in enumerate(talk.items) if prompt_text(item)), default=0)
    place = told_place(_last_prompt(talk))
    if place is None:
        place = find_place(msgspec.structs.replace(talk, items=talk.items[:last] or talk.items))
    return f"Simulated summary of the conversation so far. The scripted model continues from here: {mark(place)}"


def _last_prompt(talk: Conversation) -> str:
    return next((prompt_text(item) for item in reversed(talk.items) if prompt_text(item)), "")
