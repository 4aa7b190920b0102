"""Shell lines that only look: Codex reads with `cat`, `sed -n` and `rg`, so a session that may only look needs them.

A line counts when nothing in it is expanded, redirected or put into the background, and every command is one of a
short list, without the options by which some of them write or start something. Whatever is in doubt does not count.
"""

from __future__ import annotations

import re
import shlex
from typing import Final

_LOOKERS: Final = frozenset(
    {"cat", "head", "tail", "nl", "wc", "ls", "pwd", "stat", "cut", "grep", "basename", "rg", "sed"}
)
_RG_STARTS: Final = ("--pre", "--hostname-bin", "--search-zip")
_JOINERS: Final = frozenset({"|", "||", "&&", ";"})
_QUOTED: Final = re.compile(r"'[^']*'")
_EXPANDS: Final = re.compile(r"[`<>\n*?\[\]{}~\\$]|(?<!&)&(?!&)")
_SED_PRINTS: Final = re.compile(r"\d+(,(\d+|\$))?p|\$p")
_SHELL: Final = re.compile(r"(?:\S*/)?(?:ba|z|da|k)?sh")


def script_of(command: str) -> str:
    """What a shell is asked to do: Codex reports `/bin/bash -lc 'SCRIPT'`. Anything else comes back as it is."""
    try:
        words = shlex.split(command)
    except ValueError:
        return command
    if len(words) == 3 and _SHELL.fullmatch(words[0]) and words[1] in ("-c", "-lc"):
        return words[2]
    return command


def files_looked_at(script: str) -> tuple[str, ...] | None:
    """The words that may name files, where the line only looks; None for every other line."""
    if ('"' in script and "'" in script) or _EXPANDS.search(_QUOTED.sub("", script)):
        return None
    commands = _commands(script)
    if commands is None:
        return None
    named = [_looked_at(command) for command in commands]
    if not named or any(words is None for words in named):
        return None
    return tuple(word for words in named for word in words or ())


def _commands(script: str) -> list[list[str]] | None:
    """The simple commands of a line without expansions; None for any other grammar."""
    lexer = shlex.shlex(script, posix=True, punctuation_chars="|;&()")
    lexer.whitespace_split = True
    lexer.commenters = ""
    commands: list[list[str]] = [[]]
    try:
        for word in lexer:
            if word in _JOINERS:
                commands.append([])
            elif set(word) <= set("|;&()"):
                return None
            else:
                commands[-1].append(word)
    except ValueError:
        return None
    if len(commands) > 1 and not commands[-1]:
        commands.pop()  # a semicolon at the end
    return commands


def _looked_at(command: list[str]) -> list[str] | None:
    """Words of one command that may be files, also those behind `=`; None where it is not known only to look."""
    if not command or command[0] not in _LOOKERS:
        return None
    name, words = command[0], command[1:]
    if name == "sed":
        if len(words) < 2 or words[0] != "-n" or not _SED_PRINTS.fullmatch(words[1]):
            return None
        words = words[2:]
        if any(word.startswith("-") for word in words):
            return None
    if name == "rg" and any(_starts(word) for word in words):
        return None
    return [
        word.partition("=")[2] if word.startswith("--") and "=" in word else word for word in words if word != "-"
    ]


def _starts(word: str) -> bool:
    """Whether an option of rg makes it run another program."""
    bundle = word.startswith("-") and not word.startswith("--") and "z" in word
    return bundle or word.partition("=")[0] in _RG_STARTS
