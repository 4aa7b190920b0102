"""Tokens to simple commands, in the order they would run; control structures are looked through.

Loops and conditions run their commands at least once for our purpose. `case` and functions are not covered.
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

from moor.drive.shell.words import Operator, Redirect, Text, Token, Unreadable, Word, tokens

_SKIPPED: Final = frozenset(
    {"if", "then", "else", "elif", "fi", "while", "until", "do", "done", "!", "{", "}", "time"}
)
_NOT_COVERED: Final = frozenset({"case", "esac", "function", "select", "coproc"})
_ASSIGNMENT: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*\+?=")


class Simple(msgspec.Struct, kw_only=True):
    """One command with its words and redirections."""

    words: list[Word] = []
    assigns: list[tuple[str, Word]] = []
    """`NAME=value` before the command"""
    redirects: list[tuple[Redirect, Word]] = []
    loop: tuple[str, list[Word]] | None = None
    """`for NAME in words`: no command, but values of a name"""
    depth: int = 0
    """how many subshells it stands in"""
    piped: bool = False
    """its input comes from the command before it"""

    @property
    def empty(self) -> bool:
        """Nothing in it."""
        return not (self.words or self.assigns or self.redirects or self.loop)


def commands(text: str) -> list[Simple]:
    """The simple commands of the text. Raises Unreadable."""
    out: list[Simple] = []
    current = Simple()
    depth = 0
    queue = tokens(text)
    at = 0
    while at < len(queue):
        token = queue[at]
        at += 1
        if isinstance(token, Operator):
            depth = _bracket(token, current, depth)
            piped = token.text in ("|", "|&")
            if not current.empty:
                out.append(current)
            current = Simple(depth=depth, piped=piped)
        elif isinstance(token, Redirect):
            target = _word_at(queue, at)
            if target is None:
                raise Unreadable("a redirection without a target")
            current.redirects.append((token, target))
            at += 1
        elif not current.words and token.unquoted == "for":
            current.loop, at = _loop(queue, at)
        else:
            _add(token, current)
    if depth:
        raise Unreadable("a bracket is not closed")
    return out if current.empty else [*out, current]


def _bracket(token: Operator, current: Simple, depth: int) -> int:
    if token.text == "(":
        if current.words:
            raise Unreadable("a function, or a bracket in the middle of a command")
        return depth + 1
    if token.text == ")":
        if depth == 0:
            raise Unreadable("a bracket too many")
        return depth - 1
    return depth


def _add(word: Word, current: Simple) -> None:
    text = word.unquoted
    if not current.words:
        if text in _NOT_COVERED:
            raise Unreadable(f"`{text}` is not covered")
        if text in _SKIPPED or _is_brace(word):
            return
        if (assigned := _assignment(word)) is not None:
            current.assigns.append(assigned)
            return
    current.words.append(word)


def _is_brace(word: Word) -> bool:
    return len(word.parts) == 1 and getattr(word.parts[0], "text", "") in ("{", "}")


def _assignment(word: Word) -> tuple[str, Word] | None:
    first = word.parts[0] if word.parts else None
    if not isinstance(first, Text) or first.quoted:
        return None
    found = _ASSIGNMENT.match(first.text)
    if found is None:
        return None
    rest = Text(first.text[found.end() :])
    return found.group().rstrip("+="), Word((rest, *word.parts[1:]))


def _loop(queue: list[Token], at: int) -> tuple[tuple[str, list[Word]], int]:
    """The name and the values of a `for`, and where it goes on."""
    word = _word_at(queue, at)
    name = word.unquoted if word else None
    if name is None:
        raise Unreadable("a loop without a name")
    at += 1
    values: list[Word] = []
    word = _word_at(queue, at)
    if word and word.unquoted == "in":
        at += 1
        while word := _word_at(queue, at):
            values.append(word)
            at += 1
    return (name, values), at


def _word_at(queue: list[Token], at: int) -> Word | None:
    token = queue[at] if at < len(queue) else None
    return token if isinstance(token, Word) else None
