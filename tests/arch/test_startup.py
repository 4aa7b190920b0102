"""What a start loads: `moor --help` stays under 250 modules, `moor --version` under 60 beyond the bare
interpreter's, and a module level defines only."""

from __future__ import annotations

import ast
import os
import subprocess
import sys

from tests.arch.tree import modules

HELP_LIMIT = 250
HEAVY = ("asyncio", "urllib3", "rich", "tomlkit", "httptools", "uvloop", "sqlite3", "h11", "importlib.metadata")
"""libraries that a help page has no use for"""


def loaded(*command: str) -> list[str]:
    """Modules that a fresh interpreter imports for that command line."""
    environ = {key: value for key, value in os.environ.items() if not key.startswith(("MOOR_", "PYTHON"))}
    done = subprocess.run(
        [sys.executable, "-X", "importtime", *command],
        env={**environ, "NO_COLOR": "1"},
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=True,
    )
    lines = [line for line in done.stderr.splitlines() if line.startswith("import time:")]
    return [line.rpartition("|")[2].strip() for line in lines[1:]]


def test_help_loads_at_most_250_modules() -> None:
    names = loaded("-m", "moor", "--help")
    assert len(names) <= HELP_LIMIT, f"{len(names)} modules: {names}"


def test_help_loads_no_heavy_library() -> None:
    assert not set(HEAVY) & set(loaded("-m", "moor", "--help"))


def test_version_loads_almost_nothing() -> None:
    bare = set(loaded("-c", "pass"))
    more = [name for name in loaded("-m", "moor", "--version") if name not in bare]
    assert len(more) <= 60, more
    assert "argparse" not in more


MAY_BE_CALLED = {
    "os.register_at_fork": "a forked child must not draw its parent's random numbers again",
    "prefer": "which modules are found must be settled before the first of them is imported",
}
"""calls that only announce something for later"""


def runs(node: ast.stmt) -> bool:
    """A statement that does something while the module is loaded: a loop, a `with`, a call that stands alone."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        return ast.unparse(node.value.func) not in MAY_BE_CALLED
    return isinstance(node, ast.For | ast.While | ast.With)


def test_a_module_level_defines_only() -> None:
    found = [
        f"{module.shown}:{node.lineno}" for module in modules().values() for node in module.tree.body if runs(node)
    ]
    assert not found, f"runs at import: {found}"
