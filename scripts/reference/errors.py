"""docs/reference/errors.md: every error a user may see. Sentence and hint are read from the class's own
`super().__init__` call; what stands in braces is filled in when it happens."""

from __future__ import annotations

import ast
import inspect
import textwrap

from moor.errors import MoorError
from moor.errors.catalogue import error_classes
from scripts.reference.notes import first_paragraph, page

INTRO = """
An error is printed on stderr as

    error: REFERENCE: what happened
      what was seen
    hint: the next command to type

Each has a reference word; look it up here. With `--json`, `moor run` puts the same reference, message and hint
into its result. Words in braces are filled in when it happens.
"""


def render() -> str:
    """The page."""
    return page("Errors", INTRO, *[section(cls) for cls in error_classes()])


def section(cls: type[MoorError]) -> str:
    """One error."""
    said = words(cls)
    lines = [f"## {cls.ref}", first_paragraph(cls.__doc__), f"Exit code {int(cls.exit_code)}."]
    if said:
        lines.append("\n".join(f"    {line}" for line in said))
    return "\n\n".join(lines)


def words(cls: type[MoorError]) -> list[str]:
    """`error: …` and `hint: …` as far as they stand in the class; [] where they are handed in."""
    body = constructor(cls)
    call = initial_call(body)
    if body is None or call is None:
        return []
    message = text(resolved(call.args[0], body)) if call.args else ""
    hint = next((text(resolved(word.value, body)) for word in call.keywords if word.arg == "hint"), "")
    lines = [f"error: {cls.ref}: {message}"] if message else []
    return lines + ([f"hint: {hint}"] if hint else [])


def constructor(cls: type[MoorError]) -> ast.Module | None:
    """The syntax tree of the class's own constructor."""
    if "__init__" not in vars(cls):
        return None
    return ast.parse(textwrap.dedent(inspect.getsource(cls.__init__)))


def initial_call(body: ast.Module | None) -> ast.Call | None:
    """The call of `super().__init__` in it."""
    calls = (node for node in ast.walk(body or ast.Module([], [])) if isinstance(node, ast.Call))
    return next((node for node in calls if ast.unparse(node.func) == "super().__init__"), None)


def resolved(node: ast.expr, body: ast.Module) -> ast.expr:
    """A local name's last value that holds words; other expressions as they are."""
    if not isinstance(node, ast.Name):
        return node
    values = [
        inner.value
        for inner in ast.walk(body)
        if isinstance(inner, ast.Assign) and ast.unparse(inner.targets[0]) == node.id and text(inner.value)
    ]
    return values[-1] if values else node


def text(node: ast.expr) -> str:
    """A string expression as a template; empty where it is computed."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    if isinstance(node, ast.JoinedStr):
        return "".join(piece(part) for part in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        left, right = text(node.left), text(node.right)
        return f"{left}{right}" if left and right else left or right
    if isinstance(node, ast.BoolOp):
        return next((found for part in reversed(node.values) if (found := text(part))), "")
    if isinstance(node, ast.IfExp):
        return text(node.body) or text(node.orelse)
    return ""


def piece(part: ast.expr) -> str:
    """A literal or `{name}`."""
    if isinstance(part, ast.FormattedValue):
        return "{" + name(part.value) + "}"
    return str(part.value) if isinstance(part, ast.Constant) else ""


def name(node: ast.expr) -> str:
    """A short name for what is filled in."""
    found = [inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)]
    return found[-1] if found else "…"
