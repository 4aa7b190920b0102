"""A file holds one idea (400 lines at the most), a function does one thing (60 lines at the most)."""

from __future__ import annotations

import ast
from pathlib import Path

from tests.arch.tree import ROOT, parsed, python_files

MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 60


def length(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function without its docstring."""
    total = (node.end_lineno or node.lineno) - node.lineno + 1
    first = node.body[0]
    if ast.get_docstring(node, clean=False) is None:
        return total
    return total - ((first.end_lineno or first.lineno) - first.lineno + 1)


def long_functions(path: Path) -> list[str]:
    """Functions of the file over the limit."""
    return [
        f"{path.relative_to(ROOT)}:{node.lineno} {node.name}: {length(node)} lines"
        for node in ast.walk(parsed(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and length(node) > MAX_FUNCTION_LINES
    ]


def test_no_file_is_over_400_lines() -> None:
    sizes = {path: len(path.read_text(encoding="utf-8").splitlines()) for path in python_files()}
    big = [f"{path.relative_to(ROOT)}: {lines}" for path, lines in sizes.items() if lines > MAX_FILE_LINES]
    assert not big, "\n".join(["at 400 lines a file becomes a folder with the same import path:", *big])


def test_no_function_is_over_60_lines() -> None:
    big = [line for path in python_files() for line in long_functions(path)]
    assert not big, "\n".join(big)
