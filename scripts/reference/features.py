"""docs/reference/features.md: each numbered feature with the tests that prove it, read from the marks."""

from __future__ import annotations

import ast
import tomllib
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

from scripts.reference.notes import ROOT, page, table

SOURCE = ROOT / "docs" / "reference" / "features.toml"

INTRO = """
What the systems of this field offer, taken together, and what Moorage has a test for. A dash means: not proven here,
which mostly means: not there yet. A test carries `@pytest.mark.feature("F1.1")`; the numbers stand in
[features.toml](features.toml).
"""


def render() -> str:
    """The page."""
    groups = tomllib.loads(SOURCE.read_text(encoding="utf-8"))["groups"]
    proofs = proven(ROOT / "tests")
    total = sum(len(group["features"]) for group in groups)
    summary = f"{len(proofs)} of {total} have a test."
    sections = [
        f"## {group['number']} {group['title']}\n\n"
        + table(
            ("", "feature", "proven by"),
            [(number, text, tests(proofs.get(number, []))) for number, text in group["features"].items()],
        )
        for group in groups
    ]
    return page("Features", INTRO, summary, *sections)


def tests(names: list[str]) -> str:
    """The tests' names, or a dash."""
    return ", ".join(f"`{name}`" for name in names) or "-"


def proven(folder: Path) -> dict[str, list[str]]:
    """Feature number to `file::test` names, sorted."""
    found: dict[str, set[str]] = defaultdict(set)
    for path in sorted(folder.rglob("test_*.py")):
        for number, test in marks(ast.parse(path.read_text(encoding="utf-8")).body, ()):
            found[number].add(f"{path.relative_to(folder)}::{test}")
    return {number: sorted(names) for number, names in found.items()}


def marks(body: list[ast.stmt], outer: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """(feature, test name) for functions and classes; a class or module mark counts for all its tests."""
    outer = (*outer, *[number for node in body for number in module_marks(node)])
    for node in body:
        if isinstance(node, ast.ClassDef):
            yield from marks(node.body, (*outer, *own_marks(node)))
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test"):
            yield from ((number, node.name) for number in (*outer, *own_marks(node)))


def own_marks(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> list[str]:
    """Numbers on the decorators."""
    return [number for decorator in node.decorator_list for number in numbers(decorator)]


def module_marks(node: ast.stmt) -> list[str]:
    """Numbers in `pytestmark = …`."""
    if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "pytestmark":
        return [number for inner in ast.walk(node.value) for number in numbers(inner)]
    return []


def numbers(node: ast.AST) -> list[str]:
    """The arguments of one `pytest.mark.feature(…)` call."""
    if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.feature":
        return [str(arg.value) for arg in node.args if isinstance(arg, ast.Constant)]
    return []
