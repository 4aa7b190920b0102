"""A shell command line as tokens: words with their quoting, expansions and substitutions, and operators.

Source: the Shell Command Language of POSIX, with what bash adds and agents use: `$'…'`, `<(…)`, `&>`, `<<<`.
Nothing is expanded here. Raises Unreadable for what ends in the middle or is not covered.
"""

from __future__ import annotations

import re
from typing import Final

import msgspec

_OPERATORS: Final = re.compile(r"&>>|<<<|<<-|;;&|\|&|&&|\|\||;;|;&|&>|>>|>&|>\||<<|<&|<>|;|&|\||\n|\(|\)|<|>")
_REDIRECTS: Final = frozenset({">", ">>", ">|", "&>", "&>>", ">&", "<", "<<", "<<-", "<<<", "<&", "<>"})
_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*|[0-9@*#?$!-]")
_PLAIN: Final = re.compile(r"[^\s\\'\"$`|&;()<>*?\[~{}#!]+")
_ESCAPES: Final = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\", "'": "'", '"': '"'}


class Unreadable(ValueError):
    """The text is not a command line this reader understands."""


class Text(msgspec.Struct, frozen=True):
    """Characters that stand for themselves."""

    text: str
    quoted: bool = False


class Glob(msgspec.Struct, frozen=True):
    """An unquoted `*`, `?`, `[`, `{` or `}`: stands for names that are not known here."""

    text: str


class Variable(msgspec.Struct, frozen=True):
    """`$name` or `${name…}`; `plain` is False where the braces hold more than a name."""

    name: str
    plain: bool = True


class Substitution(msgspec.Struct, frozen=True):
    """`$(…)`, a pair of backticks, `<(…)` or `>(…)`: the text of the commands inside."""

    text: str
    process: bool = False


class Word(msgspec.Struct, frozen=True):
    """One word."""

    parts: tuple[Text | Glob | Variable | Substitution, ...]

    @property
    def literal(self) -> str | None:
        """Its characters when nothing in it expands, else None."""
        if all(isinstance(part, Text) for part in self.parts):
            return "".join(part.text for part in self.parts if isinstance(part, Text))
        return None

    @property
    def unquoted(self) -> str | None:
        """The same for a word that is wholly unquoted; reserved words are such."""
        return None if any(getattr(part, "quoted", False) for part in self.parts) else self.literal


class Operator(msgspec.Struct, frozen=True):
    """`&&`, `|`, `;`, a newline, a bracket."""

    text: str


class Redirect(msgspec.Struct, frozen=True):
    """`>`, `<<` and so on; the word that follows it is its target."""

    text: str
    body: str = ""
    """of a here-document"""


Token = Word | Operator | Redirect


def tokens(text: str) -> list[Token]:
    """The whole text as tokens; comments dropped. Raises Unreadable."""
    return _Reader(text).all()


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._at = 0
        self._out: list[Token] = []
        self._heredocs: list[tuple[int, bool]] = []

    def all(self) -> list[Token]:
        while True:
            self._blanks()
            if self._at >= len(self._text):
                break
            self._token()
        if self._heredocs:
            raise Unreadable("a here-document without its text")
        return self._out

    def _blanks(self) -> None:
        while self._at < len(self._text):
            char = self._text[self._at]
            if char in " \t\r":
                self._at += 1
            elif self._text.startswith("\\\n", self._at):
                self._at += 2
            elif char == "#":
                end = self._text.find("\n", self._at)
                self._at = len(self._text) if end < 0 else end
            else:
                return

    def _token(self) -> None:
        if self._text.startswith(("<(", ">("), self._at):
            self._out.append(self._word())
            return
        found = _OPERATORS.match(self._text, self._at)
        if found is None:
            self._out.append(self._word())
            return
        self._at = found.end()
        text = found.group()
        if text not in _REDIRECTS:
            self._out.append(Operator(text))
            if text == "\n":
                self._read_heredocs()
            return
        self._redirect(text)

    def _redirect(self, text: str) -> None:
        last = self._out[-1] if self._out else None
        if isinstance(last, Word) and (last.unquoted or "").isdigit() and self._touches():
            self._out.pop()  # `2>`: the number is a descriptor
        self._out.append(Redirect(text))
        if text in ("<<", "<<-"):
            self._heredocs.append((len(self._out) - 1, text == "<<-"))

    def _touches(self) -> bool:
        """Whether the operator just read stands directly behind a word."""
        start = self._at
        while start > 0 and self._text[start - 1] in "<>&|-":
            start -= 1
        return start > 0 and self._text[start - 1].isdigit()

    def _read_heredocs(self) -> None:
        for index, tabs in self._heredocs:
            target = self._out[index + 1] if index + 1 < len(self._out) else None
            end = target.literal if isinstance(target, Word) else None
            if end is None:
                raise Unreadable("a here-document without an end word")
            self._out[index] = Redirect("<<", self._heredoc_body(end, tabs))
        self._heredocs = []

    def _heredoc_body(self, end: str, tabs: bool) -> str:
        lines: list[str] = []
        while self._at < len(self._text):
            stop = self._text.find("\n", self._at)
            stop = len(self._text) if stop < 0 else stop
            line = self._text[self._at : stop]
            self._at = min(stop + 1, len(self._text))
            if (line.lstrip("\t") if tabs else line) == end:
                return "\n".join(lines)
            lines.append(line)
        raise Unreadable("a here-document without its end")

    def _word(self) -> Word:
        parts: list[Text | Glob | Variable | Substitution] = []
        while self._at < len(self._text):
            char = self._text[self._at]
            plain = _PLAIN.match(self._text, self._at)
            if plain:
                parts.append(Text(plain.group()))
                self._at = plain.end()
            elif char in " \t\r\n|&;()" or (char in "<>" and not self._process_substitution(parts)):
                break
            elif char not in "<>":
                self._special(char, parts)
        return Word(tuple(parts))

    def _process_substitution(self, parts: list[Text | Glob | Variable | Substitution]) -> bool:
        if not self._text.startswith("(", self._at + 1):
            return False
        self._at += 2
        parts.append(Substitution(self._until_closed(), process=True))
        return True

    def _special(self, char: str, parts: list[Text | Glob | Variable | Substitution]) -> None:
        if char == "'":
            parts.append(Text(self._single(), quoted=True))
        elif char == '"':
            self._at += 1
            parts.extend(self._double())
        elif char == "\\":
            follower = self._text[self._at + 1 : self._at + 2]
            if follower != "\n":  # a line that goes on
                parts.append(Text(follower, quoted=True))
            self._at += 2
        elif char == "$":
            parts.append(self._dollar(quoted=False))
        elif char == "`":
            parts.append(self._backticks())
        else:
            self._at += 1
            parts.append(Glob(char) if char in "*?[{}" else Text(char))

    def _single(self) -> str:
        end = self._text.find("'", self._at + 1)
        if end < 0:
            raise Unreadable("a quote is not closed")
        text = self._text[self._at + 1 : end]
        self._at = end + 1
        return text

    def _double(self) -> list[Text | Glob | Variable | Substitution]:
        parts: list[Text | Glob | Variable | Substitution] = [Text("", quoted=True)]
        while self._at < len(self._text):
            char = self._text[self._at]
            if char == '"':
                self._at += 1
                return parts
            if char == "\\":
                follower = self._text[self._at + 1 : self._at + 2]
                if follower != "\n":
                    parts.append(Text(follower if follower in '$`"\\' else "\\" + follower, quoted=True))
                self._at += 2
            elif char == "$":
                parts.append(self._dollar(quoted=True))
            elif char == "`":
                parts.append(self._backticks())
            else:
                parts.append(Text(char, quoted=True))
                self._at += 1
        raise Unreadable("a quote is not closed")

    def _dollar(self, *, quoted: bool) -> Text | Variable | Substitution:
        follower = self._text[self._at + 1 : self._at + 2]
        if self._text.startswith("$((", self._at):
            self._at += 3
            self._until_closed()
            if not self._text.startswith(")", self._at):
                raise Unreadable("arithmetic is not closed")
            self._at += 1
            return Text("0", quoted=quoted)
        if follower == "(":
            self._at += 2
            return Substitution(self._until_closed())
        if follower == "{":
            return self._braces()
        if follower == "'" and not quoted:
            return self._ansi()
        name = _NAME.match(self._text, self._at + 1)
        if name is None:
            self._at += 1
            return Text("$", quoted=quoted)
        self._at = name.end()
        return Variable(name.group())

    def _braces(self) -> Variable:
        depth, start = 1, self._at + 2
        self._at = start
        while depth and self._at < len(self._text):
            char = self._text[self._at]
            depth += {"{": 1, "}": -1}.get(char, 0)
            self._at += 2 if char == "\\" else 1
        if depth:
            raise Unreadable("a brace is not closed")
        inside = self._text[start : self._at - 1]
        name = _NAME.match(inside)
        return Variable(
            name.group() if name else "", plain=bool(name) and name is not None and name.end() == len(inside)
        )

    def _ansi(self) -> Text:
        self._at += 2
        out: list[str] = []
        while self._at < len(self._text):
            char = self._text[self._at]
            if char == "'":
                self._at += 1
                return Text("".join(out), quoted=True)
            if char == "\\":
                follower = self._text[self._at + 1 : self._at + 2]
                if follower not in _ESCAPES:
                    raise Unreadable("an escape that is not covered")
                out.append(_ESCAPES[follower])
                self._at += 2
            else:
                out.append(char)
                self._at += 1
        raise Unreadable("a quote is not closed")

    def _backticks(self) -> Substitution:
        end = self._at + 1
        while end < len(self._text) and self._text[end] != "`":
            end += 2 if self._text[end] == "\\" else 1
        if end >= len(self._text):
            raise Unreadable("a backtick is not closed")
        inside = self._text[self._at + 1 : end].replace("\\`", "`").replace("\\$", "$")
        self._at = end + 1
        return Substitution(inside)

    def _until_closed(self) -> str:
        """The text up to the bracket that closes here; quotes inside are respected."""
        start, depth = self._at, 1
        while self._at < len(self._text):
            char = self._text[self._at]
            if char == "\\":
                self._at += 2
                continue
            if char == "'":
                self._single()
                continue
            if char == '"':
                self._at += 1
                self._double()
                continue
            depth += {"(": 1, ")": -1}.get(char, 0)
            self._at += 1
            if not depth:
                return self._text[start : self._at - 1]
        raise Unreadable("a bracket is not closed")
