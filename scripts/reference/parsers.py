"""argparse parsers as Markdown. The usage line is built here, because argparse words it differently from one
Python to the next."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from scripts.reference.notes import code, table


def describe(parser: argparse.ArgumentParser, depth: int = 2) -> str:
    """One parser with its sub-commands, as sections."""
    parts = [f"{'#' * depth} `{parser.prog}`", sentence(parser.description), f"```\n{usage(parser)}\n```"]
    if shown(parser):
        parts.append(table_of(shown(parser)))
    parts += [describe(child, depth + 1) for child in children(parser)]
    return "\n\n".join(part for part in parts if part)


def table_of(actions: list[argparse.Action]) -> str:
    """Arguments with their meaning and default."""
    return table(("argument", "meaning", "default"), [row(action) for action in actions])


def usage(parser: argparse.ArgumentParser) -> str:
    """`moor login [--host URL] [NAME]`, on one line."""
    words = [parser.prog]
    actions = shown(parser)
    words += [option_word(action) for action in actions if action.option_strings]
    words += [positional_word(action) for action in actions if not action.option_strings]
    if any(True for _ in children(parser)):
        words.append("COMMAND")
    return " ".join(words)


def options(parser: argparse.ArgumentParser) -> Iterator[str]:
    """Every long option of the parser and its sub-commands, for the test that looks for them."""
    for action in shown(parser):
        yield from (name for name in action.option_strings if name.startswith("--"))
    for child in children(parser):
        yield from options(child)


def children(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    """Parsers of the sub-commands, aliases once."""
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            yield from dict.fromkeys(action.choices.values())


def shown(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    """Arguments of its own that the help shows; `--help` itself left out."""
    return [
        action
        for action in parser._actions
        if action.help != argparse.SUPPRESS
        and not isinstance(action, argparse._SubParsersAction | argparse._HelpAction)
    ]


def option_word(action: argparse.Action) -> str:
    """`[--host URL]`."""
    word = max(action.option_strings, key=len)
    value = values(action)
    text = f"{word} {value}" if value else word
    return text if action.required else f"[{text}]"


def positional_word(action: argparse.Action) -> str:
    """`NAME`, `[NAME]`, `NAME…`."""
    name = values(action)
    if action.nargs in ("?", "*"):
        return f"[{name}]" + ("…" if action.nargs == "*" else "")
    return name + ("…" if action.nargs in ("+", argparse.REMAINDER) else "")


def values(action: argparse.Action) -> str:
    """How the argument's value is called; empty for a switch."""
    if action.nargs == 0:
        return ""
    if isinstance(action.metavar, str):
        return action.metavar
    if action.choices:
        return "|".join(str(choice) for choice in action.choices)
    return action.dest.upper()


def row(action: argparse.Action) -> tuple[str, str, str]:
    """Name, meaning, default."""
    names = ", ".join(action.option_strings)
    name = code(f"{names} {values(action)}".strip())
    repeat = " (repeatable)" if isinstance(action, argparse._AppendAction) else ""
    return name, sentence(action.help).replace("%%", "%") + repeat, default(action)


def default(action: argparse.Action) -> str:
    """The default where there is one worth telling."""
    value = action.default
    if value in (None, "", [], False, ()) or value is argparse.SUPPRESS or action.nargs == 0:
        return ""
    return code(str(value))


def sentence(text: str | None) -> str:
    """The text with argparse's own placeholders left as they are."""
    return " ".join((text or "").split())
