"""What the code says of itself: the note below a field, the words of an error, the text of a table cell."""

from __future__ import annotations

import ast
import inspect
import itertools
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

HEAD = "<!-- written by `make docs` from the code; edit the code, not this page -->\n"


def page(title: str, intro: str, *sections: str) -> str:
    """A whole page, with the line that says where it comes from."""
    body = "\n\n".join(part.strip("\n") for part in (intro, *sections) if part.strip())
    return f"{HEAD}\n# {title}\n\n{body}\n"


def table(head: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """A Markdown table; pipes and line breaks inside cells are made harmless."""
    lines = ["| " + " | ".join(head) + " |", "|" + " --- |" * len(head)]
    lines += ["| " + " | ".join(cell(text) for text in row) + " |" for row in rows]
    return "\n".join(lines)


def cell(text: str) -> str:
    """One line, pipes escaped."""
    return " ".join(text.split()).replace("|", "\\|")


def code(text: str) -> str:
    """The text as code; empty stays empty."""
    return f"`{text}`" if text else ""


def first_paragraph(doc: str | None) -> str:
    """The first paragraph of a docstring, on one line."""
    return " ".join(inspect.cleandoc(doc or "").split("\n\n")[0].split())


def class_notes(cls: type) -> dict[str, str]:
    """Field or member name to the string below it, for one class; fields without a note are left out."""
    tree = ast.parse(textwrap.dedent(inspect.getsource(cls)))
    body = tree.body[0]
    return body_notes(body.body) if isinstance(body, ast.ClassDef) else {}


def module_notes(name: str) -> dict[str, str]:
    """Constant name to the string below it, for one module."""
    file = sys.modules[name].__file__ or ""
    return body_notes(ast.parse(Path(file).read_text(encoding="utf-8")).body)


def body_notes(body: list[ast.stmt]) -> dict[str, str]:
    """Names that are assigned, with the string constant that follows."""
    found = {}
    for node, after in itertools.pairwise(body):
        name = assigned(node)
        if name and isinstance(after, ast.Expr) and isinstance(after.value, ast.Constant):
            found[name] = " ".join(str(after.value.value).split())
    return found


def assigned(node: ast.stmt) -> str:
    """The single name a statement assigns; empty for others."""
    if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
        return node.target.id
    if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
        return node.targets[0].id
    return ""
