"""JSON with comments and trailing commas, as agents' config files are written.

Source: the JSONC form of editors: `//` and `/* */` comments, a comma before a closing bracket.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

_TOKEN: Final = re.compile(r'"(?:[^"\\]|\\.)*"|//[^\n]*|/\*.*?\*/|,(?=(?:\s|//[^\n]*|/\*.*?\*/)*[}\]])', re.DOTALL)


def loads(text: str) -> Any:
    """The value. Raises ValueError, which names the place, for anything else; so for nesting beyond reason."""
    plain = _TOKEN.sub(_replaced, text.removeprefix("\ufeff"))
    try:
        return json.loads(plain)
    except RecursionError as error:
        raise ValueError("nested too deep") from error


def _replaced(found: re.Match[str]) -> str:
    """Strings stay; a comment becomes blanks with its line ends, so that places in messages stay right."""
    text = found.group()
    if text.startswith('"'):
        return text
    return re.sub(r"[^\n]", " ", text)
