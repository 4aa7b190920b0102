"""The source tree as the architecture tests see it: files, syntax trees, and who imports whom.

Imports inside functions count as arrows; those below `if TYPE_CHECKING` are marked, because they close no
cycle at run time.
"""

from __future__ import annotations

import ast
import subprocess
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
SRC = ROOT / "src"


class Module(NamedTuple):
    """One file below src/."""

    name: str
    """dotted: `moor.cli.main`; a package is named without `__init__`"""
    path: Path
    tree: ast.Module
    is_package: bool

    @property
    def shown(self) -> str:
        """Path from the root of the repository."""
        return str(self.path.relative_to(ROOT))


class Arrow(NamedTuple):
    """One import of ours by ours."""

    source: str
    target: str
    line: int
    typing_only: bool


@cache
def modules() -> dict[str, Module]:
    """Every module of the package, by dotted name."""
    found = {}
    for path in sorted((SRC / "moor").rglob("*.py")):
        parts = path.relative_to(SRC).with_suffix("").parts
        is_package = parts[-1] == "__init__"
        name = ".".join(parts[:-1] if is_package else parts)
        found[name] = Module(name, path, ast.parse(path.read_text(encoding="utf-8")), is_package)
    return found


@cache
def arrows() -> tuple[Arrow, ...]:
    """All imports inside the package."""
    return tuple(arrow for module in modules().values() for arrow in _arrows_of(module))


def tracked(*patterns: str) -> list[Path]:
    """Files under version control, and new ones that are not ignored."""
    done = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *patterns],
        cwd=ROOT,
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    paths = (ROOT / name for name in done.stdout.split("\0") if name)
    return sorted({path for path in paths if path.is_file()})


def python_files() -> list[Path]:
    """All Python of the repository: product, tests, scripts, benchmarks."""
    return tracked("*.py")


@cache
def parsed(path: Path) -> ast.Module:
    """The syntax tree of any Python file."""
    return ast.parse(path.read_text(encoding="utf-8"))


def docstring_nodes(tree: ast.AST) -> set[ast.Constant]:
    """String constants that stand as statements: docstrings, and the field notes below fields."""
    return {
        node.value for node in ast.walk(tree) if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    }


def _arrows_of(module: Module) -> Iterator[Arrow]:
    for node, typing_only in _imports(module.tree.body, typing_only=False):
        for target in _targets(node, module):
            if target != module.name:
                yield Arrow(module.name, target, node.lineno, typing_only)


def _imports(body: list[ast.stmt], *, typing_only: bool) -> Iterator[tuple[ast.Import | ast.ImportFrom, bool]]:
    for node in body:
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield node, typing_only
            continue
        guarded = isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for field in ("body", "orelse", "finalbody", "handlers", "cases"):
            for child in _statements(getattr(node, field, [])):
                yield from _imports([child], typing_only=typing_only or (guarded and field == "body"))


def _statements(children: object) -> Iterator[ast.stmt]:
    """Statements below a node; handlers and match cases are looked through."""
    for child in children if isinstance(children, list) else []:
        if isinstance(child, ast.stmt):
            yield child
        elif isinstance(child, ast.ExceptHandler | ast.match_case):
            yield from child.body


def _targets(node: ast.Import | ast.ImportFrom, module: Module) -> set[str]:
    if isinstance(node, ast.Import):
        return {found for alias in node.names if (found := _known(alias.name))}
    base = node.module or ""
    if node.level:
        parts = module.name.split(".")
        parts = parts[: len(parts) - node.level + module.is_package]
        base = ".".join([*parts, base] if base else parts)
    return {found for alias in node.names if (found := _known(f"{base}.{alias.name}"))}


def _known(name: str) -> str:
    """The longest prefix that is a module of ours; empty when it is somebody else's."""
    while name and name not in modules():
        name = name.rpartition(".")[0]
    return name
