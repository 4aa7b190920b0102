"""What is compiled is the very code that is interpreted: both pass the same tests, and a changed source wins."""

from __future__ import annotations

import ast
import importlib.util
import os
import subprocess
import sys
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path

import pytest

import moor
from moor.compiled import STAMP, CompiledFinder, folder, fresh, prefer
from scripts.compiled import ROOT, SOURCES, modules
from tests.arch.tree import modules as tree

IS_COMPILED = any(isinstance(finder, CompiledFinder) for finder in sys.meta_path)


def checkout(tmp_path: Path) -> tuple[Path, Path]:
    """A source and what was compiled of it, as they stand in a checkout."""
    source = tmp_path / "src" / "moor" / "hot.py"
    source.parent.mkdir(parents=True)
    source.write_text("x = 1\n", encoding="utf-8")
    seen = source.stat()
    place = Path(folder(str(tmp_path / "src")))
    (place / "a" / "new").mkdir(parents=True)
    (place / "a" / "new" / f"lib__mypyc{EXTENSION_SUFFIXES[0]}").touch()
    line = f"moor.hot {seen.st_size} {seen.st_mtime_ns} moor/hot.py"
    (place / STAMP).write_text(f"a/new lib__mypyc\n{line}\n", encoding="utf-8")
    return source, place


def test_compiled_modules_are_found_while_they_are_of_the_sources(tmp_path: Path) -> None:
    _, place = checkout(tmp_path)
    suffix = EXTENSION_SUFFIXES[0]
    assert fresh(str(tmp_path / "src")) == {
        "lib__mypyc": f"{place}/a/new/lib__mypyc{suffix}",
        "moor.hot": f"{place}/a/new/moor/hot{suffix}",
    }


def test_one_changed_source_turns_all_of_them_off(tmp_path: Path) -> None:
    source, _ = checkout(tmp_path)
    source.write_text("x = 2\n", encoding="utf-8")
    os.utime(source, ns=(1, 1))
    assert fresh(str(tmp_path / "src")) == {}


def test_a_library_that_is_gone_turns_them_off(tmp_path: Path) -> None:
    _, place = checkout(tmp_path)
    (place / "a" / "new" / f"lib__mypyc{EXTENSION_SUFFIXES[0]}").unlink()
    assert fresh(str(tmp_path / "src")) == {}


@pytest.mark.parametrize(
    "text", ["", "a/new", "a/new lib\nmoor.hot x y moor/hot.py\n", "a/new lib\nmoor.gone 1 1 gone.py\n"]
)
def test_a_stamp_that_cannot_be_read_turns_them_off(tmp_path: Path, text: str) -> None:
    _, place = checkout(tmp_path)
    (place / STAMP).write_text(text, encoding="utf-8")
    assert fresh(str(tmp_path / "src")) == {}


def test_they_can_be_turned_off_by_hand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    checkout(tmp_path)
    monkeypatch.setenv("MOOR_INTERPRETED", "1")
    before = list(sys.meta_path)
    assert not prefer(str(tmp_path / "src" / "moor" / "__init__.py"))
    assert sys.meta_path == before


def test_an_installed_package_looks_for_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MOOR_INTERPRETED", raising=False)
    assert not prefer(str(tmp_path / "site-packages" / "moor" / "__init__.py"))


def test_what_is_compiled_stands_in_the_package() -> None:
    names = {path.removesuffix(".py").replace("/", ".") for path in modules()}
    assert {
        "moor.gateway.exchange",
        "moor.gateway.pool",
        "moor.gateway.purse",
        "moor.wire.sse",
        "moor.ledger.writer",
    } <= names
    assert names <= tree().keys()


MAY_CALL_ITSELF = {
    "_pay": "by a callback, when the bank has answered",
    "_begin": "by a callback, when the bank has answered",
    "_advance": "returns at once where it runs already",
    "_serve": "through `_advance`",
    "_done": "through `_advance`",
    "last_boundary": "once, with the lines in another form",
}
"""functions that may come back to themselves although they are compiled: what a peer sends cannot deepen it"""


def called(function: ast.AST) -> set[str]:
    """Names of functions and of own methods that it calls."""
    found = set()
    for node in ast.walk(function):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            found.add(node.func.id)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            holder = node.func.value
            if isinstance(holder, ast.Name) and holder.id == "self":
                found.add(node.func.attr)
    return found


@pytest.mark.parametrize("path", modules())
def test_what_is_compiled_holds_no_coroutine_and_no_class_of_msgspecs(path: str) -> None:
    for node in ast.walk(ast.parse((SOURCES / path).read_text(encoding="utf-8"))):
        assert not isinstance(node, ast.AsyncFunctionDef | ast.Await), node.lineno
        if isinstance(node, ast.ClassDef):
            assert "Struct" not in ast.unparse(ast.Tuple(node.bases)), node.name


@pytest.mark.parametrize("path", modules())
def test_what_is_compiled_does_not_call_itself(path: str) -> None:
    nodes = ast.walk(ast.parse((SOURCES / path).read_text(encoding="utf-8")))
    calls = {node.name: called(node) for node in nodes if isinstance(node, ast.FunctionDef)}
    for name in calls.keys() - MAY_CALL_ITSELF.keys():
        reached, todo = set[str](), [name]
        while todo:
            new = (calls.get(todo.pop(), set()) & calls.keys()) - reached
            reached |= new
            todo += new
        assert name not in reached, f"{path}: {name} comes back to itself; see scripts/compiled.py"


@pytest.mark.skipif(not IS_COMPILED, reason="nothing is compiled here, so that all other tests ran interpreted")
def test_what_is_compiled_is_what_runs() -> None:
    for path in modules():
        spec = importlib.util.find_spec(path.removesuffix(".py").replace("/", "."))
        assert spec is not None
        assert spec.origin is not None
        assert spec.origin.endswith(EXTENSION_SUFFIXES[0]), spec.origin
    assert moor.__file__ == str(SOURCES / "moor" / "__init__.py")


@pytest.mark.skipif(not IS_COMPILED, reason="nothing is compiled here, so that all other tests ran interpreted")
@pytest.mark.timeout(300)
def test_the_same_tests_pass_interpreted() -> None:
    rooms = ("gateway", "wire", "ledger", "store")
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "pytest",
            "-q",
            "-x",
            "-p",
            "no:cacheprovider",
            *(f"tests/unit/{room}" for room in rooms),
        ],
        cwd=ROOT,
        env={**os.environ, "MOOR_INTERPRETED": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:]
