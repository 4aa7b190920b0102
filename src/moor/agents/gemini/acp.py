"""How Gemini CLI speaks the Agent Client Protocol (facts/acp 4, 5; facts/gemini-cli 13)."""

from __future__ import annotations

import re
from typing import Any, Final

from moor.agents.acp import AcpTraits
from moor.agents.gemini.release import ID

_FOLDER: Final = re.compile(r"\[(?:current working directory|in) ([^\]]+)\]")
_EXECUTE: Final = "execute"


def mend(call: dict[str, Any]) -> dict[str, Any]:
    """The tool's name stands in the call's id, a command in its title, the command's folder in a sentence."""
    name, mark, _ = str(call.get("toolCallId") or "").partition("__")
    out = {**call, "name": name} if mark and name else dict(call)
    if call.get("kind") == _EXECUTE and isinstance(call.get("title"), str):
        out["rawInput"] = {"command": call["title"]}
        if found := _FOLDER.match(_first_text(call)):
            out["rawInput"]["cwd"] = found.group(1)
    return out


def _first_text(call: dict[str, Any]) -> str:
    parts = call.get("content")
    first = parts[0] if isinstance(parts, list) and parts and isinstance(parts[0], dict) else {}
    content = first.get("content")
    return str(content.get("text") or "") if isinstance(content, dict) else ""


TRAITS: Final = AcpTraits(agent=ID, mode="default", mend=mend, commands=("/", "$"), empty_is_failure=True)
