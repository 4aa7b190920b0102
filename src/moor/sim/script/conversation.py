"""A request of any dialect, read into one form: what was said, called and returned, in order."""

from __future__ import annotations

import re
from typing import Final

import msgspec

from moor.sim.messages import Json

USER: Final = "user"
MODEL: Final = "model"
SYSTEM: Final = "system"

_ASIDES = re.compile(
    r"<(system-reminder|session_context|environment_context|user_instructions|INSTRUCTIONS|permissions"
    r"|untrusted_context|subagent_notification)\b[^>]*>.*?</\1[^>]*>",
    re.DOTALL,
)
_DIRECTORY = (
    re.compile(r"<cwd>\s*(/[^<\n]*?)\s*</cwd>"),
    re.compile(r"(?i)working directory(?: is| path)?\s*[:=]?\s*[`\"']?(/[^\s`\"'<>]+(?: [^\s`\"'<>:]+)*)"),
    re.compile(r"(?i)working in the directory:\s*(/[^\n`\"'<>]+)"),
    re.compile(r"(?i)workspace director(?:y|ies)[^\n/]*\n?[\s*`-]*(/[^\n`\"'<>]+)"),
)


class Tool(msgspec.Struct, frozen=True, kw_only=True):
    """A tool the agent offers."""

    name: str
    schema: Json = {}
    """JSON schema of its arguments; {} when it takes free text"""
    description: str = ""
    free_text: bool = False
    """a custom tool of the Responses dialect: its input is text"""


class Said(msgspec.Struct, frozen=True, kw_only=True):
    """Text of one side."""

    role: str
    text: str
    aside: bool = False
    """stands beside tool results in one message, so it is no prompt"""


class Called(msgspec.Struct, frozen=True, kw_only=True):
    """A tool call the model made."""

    id: str
    name: str
    size: int = 0
    """characters of its arguments"""


class Returned(msgspec.Struct, frozen=True, kw_only=True):
    """What a tool gave back."""

    id: str
    text: str


Item = Said | Called | Returned


class Conversation(msgspec.Struct, frozen=True, kw_only=True):
    """One request."""

    system: str
    items: tuple[Item, ...]
    tools: tuple[Tool, ...]
    tools_size: int = 0
    """characters of the tools' definitions"""
    wants_json: bool = False
    """the answer must follow a JSON schema"""

    def directory(self) -> str:
        """The working directory the agent states, without a trailing slash; "" when it states none."""
        texts = [self.system, *(item.text for item in self.items[:4] if isinstance(item, Said))]
        for text in texts:
            for pattern in _DIRECTORY:
                found = pattern.search(text)
                if found:
                    return found.group(1).strip().rstrip(".,") or "/"
        return ""

    def last_result(self) -> str:
        """The text of the newest tool result, or "". Some agents wrap what a command printed in JSON."""
        return _unwrapped(next((i.text for i in reversed(self.items) if isinstance(i, Returned)), ""))


def prompt_text(item: Item) -> str:
    """What a person asked in this item, without the agent's own wrappings; "" when it is no prompt."""
    if not isinstance(item, Said) or item.role != USER or item.aside:
        return ""
    return _ASIDES.sub("", item.text).strip()


def _unwrapped(text: str) -> str:
    if not text.startswith("{"):
        return text
    try:
        value = msgspec.json.decode(text)
    except msgspec.DecodeError:
        return text
    output = value.get("output") if isinstance(value, dict) else None
    return output if isinstance(output, str) else text
