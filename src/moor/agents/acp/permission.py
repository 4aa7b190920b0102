"""What a tool call of the Agent Client Protocol would do: the access, the files, the command line. No I/O.

The protocol names a kind, places and contents; the input is the agent's own. All that could name a file is collected:
one path too many is asked about, one that is missed would be written without a question.
"""

from __future__ import annotations

import shlex
from typing import Any, Final

from moor.agents.base import COMMAND, FETCH, INTERNAL, OTHER, READ, WRITE

Raw = dict[str, Any]

ALLOW: Final = ("allow_once", "allow_always")
REJECT: Final = ("reject_once", "reject_always")
CANCELLED: Final[Raw] = {"outcome": {"outcome": "cancelled"}}

_ACCESS: Final = {
    "read": READ,
    "search": READ,
    "edit": WRITE,
    "delete": WRITE,
    "move": WRITE,
    "execute": COMMAND,
    "fetch": FETCH,
    "think": INTERNAL,
}
_PATH_KEYS: Final = (
    *("path", "file_path", "filePath", "filepath", "absolute_path", "abs_path", "file", "target_file", "dir_path"),
    *("notebook_path", "source", "destination", "from", "to", "old_path", "new_path"),
)
_COMMAND_KEYS: Final = ("command", "cmd", "script", "code")
_FOLDER_KEYS: Final = ("cwd", "workdir", "working_directory", "dir_path", "directory")


def access(call: Raw) -> str:
    """One of base.ACCESS."""
    return _ACCESS.get(str(call.get("kind", "")), OTHER)


def paths(call: Raw) -> tuple[str, ...]:
    """Every file the call names, in order, each once."""
    found = [place.get("path") for place in _maps(call.get("locations"))]
    found += [part.get("path") for part in _maps(call.get("content")) if part.get("type") == "diff"]
    found += [_input(call).get(key) for key in _PATH_KEYS]
    return tuple(dict.fromkeys(path for path in found if isinstance(path, str) and path))


def command(call: Raw) -> str:
    """The command line; empty where the call does not state it."""
    given = _input(call)
    for key in _COMMAND_KEYS:
        value = given.get(key)
        if isinstance(value, str) and value:
            return value
        if isinstance(value, list) and value and all(isinstance(word, str) for word in value):
            return shlex.join(value)
    return ""


def folder(call: Raw) -> str:
    """The folder a command would run in; empty: the session's."""
    given = _input(call)
    return next((given[key] for key in _FOLDER_KEYS if isinstance(given.get(key), str)), "")


def outcome(options: Any, allow: bool) -> Raw:
    """The answer to a permission: the weakest option of the wanted kind; none of them: `cancelled`, which denies."""
    for kind in ALLOW if allow else REJECT:
        for option in _maps(options):
            if option.get("kind") == kind and isinstance(option.get("optionId"), str):
                return {"outcome": {"outcome": "selected", "optionId": option["optionId"]}}
    return CANCELLED


def _input(call: Raw) -> Raw:
    """What the tool was called with; some agents put it one level down."""
    given = call.get("rawInput")
    if not isinstance(given, dict):
        return {}
    inner = given.get("arguments")
    return {**given, **inner} if isinstance(inner, dict) else given


def _maps(value: Any) -> list[Raw]:
    return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []
