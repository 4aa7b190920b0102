"""The head of a markdown file (agents, commands, skills): the part of YAML that such heads use.

Maps by indentation, lists, quoted and plain scalars, `|` and `>` blocks, `[a, b]` and `{a: b}`. Anchors, tags and
several documents are not read: they are refused, never guessed.
"""

from __future__ import annotations

import json
import re
from typing import Any, Final

_MAX_DEPTH: Final = 12
_KEY: Final = re.compile(r"""("(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^\s#'"&*!|>%@`{}\[\],][^#]*?)\s*:(?:\s+(.*))?$""")
_NUMBER: Final = re.compile(r"-?\d+(\.\d+)?$")
_WORDS: Final = {"true": True, "false": False, "null": None, "~": None, "": None}


def split(text: str) -> tuple[dict[str, Any], str]:
    """Head and body; an empty head when there is none. Raises ValueError for a head that cannot be read."""
    text = text.removeprefix("\ufeff").replace("\r\n", "\n")
    if not text.startswith("---\n"):
        return {}, text
    end = re.search(r"^---[ \t]*$", text[4:], re.MULTILINE)
    if end is None:
        return {}, text
    head, body = text[4 : 4 + end.start()], text[4 + end.end() :]
    value = _Block(head).whole()
    if not isinstance(value, dict):
        raise ValueError("the head is not a list of keys")
    return value, body.lstrip("\n")


class _Block:
    def __init__(self, text: str) -> None:
        self._lines = text.split("\n")
        self._at = 0

    def whole(self) -> Any:
        value = self._block(0, 0) if self._more() else {}
        if self._more():
            raise ValueError(f"line {self._at + 1} stands too far left or right")
        return value

    def _more(self) -> bool:
        """Skips empty lines and comments."""
        while self._at < len(self._lines) and re.match(r"\s*(#.*)?$", self._lines[self._at]):
            self._at += 1
        return self._at < len(self._lines)

    def _indent(self) -> int:
        line = self._lines[self._at]
        if line.lstrip(" ").startswith("\t"):
            raise ValueError(f"line {self._at + 1} is indented with tabs")
        return len(line) - len(line.lstrip(" "))

    def _block(self, least: int, depth: int) -> Any:
        if depth > _MAX_DEPTH:
            raise ValueError("nested too deep")
        indent = self._indent()
        if indent < least:
            return None
        line = self._lines[self._at].strip()
        return self._list(indent, depth) if line == "-" or line.startswith("- ") else self._map(indent, depth)

    def _map(self, indent: int, depth: int) -> dict[str, Any]:
        out: dict[str, Any] = {}
        while self._more() and self._indent() == indent:
            found = _KEY.match(self._lines[self._at].strip())
            if found is None:
                raise ValueError(f"line {self._at + 1} is no `key: value`")
            self._at += 1
            out[str(_scalar(found.group(1)))] = self._value(found.group(2) or "", indent, depth)
        if self._more() and self._indent() > indent:
            raise ValueError(f"line {self._at + 1} stands too far right")
        return out

    def _list(self, indent: int, depth: int) -> list[Any]:
        out: list[Any] = []
        while self._more() and self._indent() == indent and self._lines[self._at].strip().startswith("-"):
            text = self._lines[self._at].strip()[1:].strip()
            if _KEY.match(text) and not text.startswith(("{", "[")):
                raise ValueError(f"line {self._at + 1}: a list of maps is not read")
            self._at += 1
            out.append(self._value(text, indent, depth))
        return out

    def _value(self, text: str, indent: int, depth: int) -> Any:
        text = text.strip()
        if re.fullmatch(r"[|>][+-]?\d?\s*(#.*)?", text):
            return self._text(indent, folded=text[0] == ">")
        if text and not text.startswith("#"):
            return _scalar(text)
        if not self._more():
            return None
        found = self._indent()
        same_list = found == indent and self._lines[self._at].strip().startswith("-")
        return self._block(indent, depth + 1) if found > indent or same_list else None

    def _text(self, indent: int, *, folded: bool) -> str:
        lines: list[str] = []
        while self._at < len(self._lines):
            line = self._lines[self._at]
            if line.strip() and len(line) - len(line.lstrip(" ")) <= indent:
                break
            lines.append(line)
            self._at += 1
        own = min((len(line) - len(line.lstrip(" ")) for line in lines if line.strip()), default=0)
        text = "\n".join(line[own:] for line in lines).strip("\n")
        return re.sub(r"(?<!\n)\n(?!\n)", " ", text) if folded else text


def _scalar(text: str) -> Any:
    text = text.strip()
    if text[:1] == '"':
        found = re.match(r'"(?:[^"\\]|\\.)*"', text)
        return json.loads(found.group()) if found else _refused(text)
    if text[:1] == "'":
        quoted = re.match(r"'((?:[^']|'')*)'", text)
        return quoted.group(1).replace("''", "'") if quoted else _refused(text)
    text = re.sub(r"\s+#.*$", "", text)
    if text[:1] in ("[", "{"):
        return _flow(text)
    if text[:1] in ("&", "*", "!", "%", "@", "`") and text != "*":
        return _refused(text)
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    if _NUMBER.match(text):
        return float(text) if "." in text else int(text)
    return text


def _flow(text: str) -> Any:
    """`[a, b]` and `{a: b}` of scalars, one level."""
    inside = text[1:-1].strip()
    if text[-1:] != {"[": "]", "{": "}"}[text[0]] or re.search(r"[\[\]{}]", inside):
        return _refused(text)
    parts = [part for part in re.findall(r"""(?:"(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^,])+""", inside) if part.strip()]
    if text[0] == "[":
        return [_scalar(part) for part in parts]
    pairs = [part.split(":", 1) for part in parts]
    if any(len(pair) != 2 for pair in pairs):
        return _refused(text)
    return {str(_scalar(key)): _scalar(value) for key, value in pairs}


def _refused(text: str) -> Any:
    raise ValueError(f"{text[:40]!r} is not read")
