"""Habits: real things instead of mocks, words instead of bare errors, names with docstrings."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from tests.arch.tree import ROOT, Module, modules, parsed, python_files

MOCKS = {"mock", "pytest_mock"}
PATCHING = {"setattr", "delattr", "setitem"}
"""methods of pytest's patching fixture that reach into internals (environment and cwd are seams)"""
BROAD = {"Exception", "BaseException"}
BARE = {"RuntimeError", "Exception", "BaseException"}
REASON = re.compile(r"# noqa: BLE001 - \w.{8,}")


def imported(tree: ast.Module) -> Iterator[str]:
    """Every dotted name that the file imports."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def test_nothing_is_mocked() -> None:
    found = [
        f"{path.relative_to(ROOT)}: {name}"
        for path in python_files()
        for name in imported(parsed(path))
        if MOCKS & set(name.split("."))
    ]
    assert not found, f"hand in fakes through public seams (Clock, transports, HOME): {found}"


def test_nothing_internal_is_patched() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in python_files()
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.Attribute)
        and node.attr in PATCHING
        and isinstance(node.value, ast.Name)
        and node.value.id == "monkeypatch"
    ]
    assert not found, found


def broad_handlers(module: Module) -> Iterator[int]:
    """Lines of `except` clauses (and of `suppress`) that name no narrower error."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ExceptHandler):
            caught = {n.id for n in ast.walk(node.type) if isinstance(n, ast.Name)} if node.type else BROAD
            if caught & BROAD and not raises_again(node):
                yield node.lineno
        elif (
            isinstance(node, ast.Call)
            and ast.unparse(node.func).endswith("suppress")
            and {ast.unparse(arg) for arg in node.args} & BROAD
        ):
            yield node.lineno


def raises_again(node: ast.ExceptHandler) -> bool:
    """The handler only tidies up: its last statement is a bare `raise`."""
    last = node.body[-1]
    return isinstance(last, ast.Raise) and last.exc is None


def test_a_broad_except_says_why() -> None:
    found = []
    for module in modules().values():
        lines = module.path.read_text(encoding="utf-8").splitlines()
        found += [f"{module.shown}:{n}" for n in broad_handlers(module) if not REASON.search(lines[n - 1])]
    assert not found, f"write `# noqa: BLE001 - the reason` on: {found}"


def test_errors_have_names_of_their_own() -> None:
    found = [
        f"{module.shown}:{node.lineno}"
        for module in modules().values()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Raise) and node.exc is not None and raised(node.exc) in BARE
    ]
    assert not found, f"raise a subclass of MoorError: {found}"


def raised(node: ast.expr) -> str:
    """Name of what is raised, called or not."""
    return ast.unparse(node.func if isinstance(node, ast.Call) else node)


def public(tree: ast.Module) -> Iterator[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]]:
    """Public classes and functions of the file, and public methods of classes that override nothing."""
    for node in tree.body:
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        if node.name.startswith("_"):
            continue
        yield node.name, node
        if isinstance(node, ast.ClassDef) and not overrides(node):
            for part in node.body:
                if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef) and not part.name.startswith("_"):
                    yield f"{node.name}.{part.name}", part


def overrides(node: ast.ClassDef) -> bool:
    """A class with a base: its methods may be documented there."""
    return bool(node.bases) and ast.unparse(node.bases[0]) not in ("Protocol", "msgspec.Struct", "NamedTuple")


def test_public_names_have_docstrings() -> None:
    bare = [
        f"{module.shown}:{node.lineno} {name}"
        for module in modules().values()
        for name, node in public(module.tree)
        if not ast.get_docstring(node)
    ]
    assert not bare, "\n".join(bare)


def test_modules_say_what_they_are_for() -> None:
    silent = [m.shown for m in modules().values() if m.tree.body and not ast.get_docstring(m.tree)]
    assert not silent, silent


def test_functions_are_annotated() -> None:
    bare = [
        f"{module.shown}:{node.lineno} {node.name}"
        for module in modules().values()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and not annotated(node)
    ]
    assert not bare, bare


def annotated(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Every argument and the result have a type."""
    args = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
    typed = all(arg.annotation for arg in args if arg.arg not in ("self", "cls"))
    return typed and node.returns is not None
