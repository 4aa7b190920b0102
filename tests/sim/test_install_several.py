"""Several agents at once: each does its own, progress is seen, and one that fails does not stop the others."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.home import MoorHome
from tests.support.moor import Done, moor_command, run_moor_process
from tests.support.registry import Registry, running_registry
from tests.support.window import Window

pytestmark = pytest.mark.skipif(shutil.which("npm") is None, reason="npm is missing")

CONFIG = "".join(
    f"""
[agents.{name}]
title = "Agent {name}"
command = ["{{install}}/node_modules/{name}-tool/bin/run"]
install = {{ npm = "{name}-tool@1.0.0" }}
dialects = ["openai-chat"]
"""
    for name in ("one", "two", "three")
)


@pytest.fixture
def registry() -> Iterator[Registry]:
    with running_registry() as registry:
        for name in ("one", "two"):
            registry.add(f"{name}-tool", "1.0.0", {"bin/run": "#!/bin/sh\n"})
        yield registry


@pytest.fixture
def environ(moor_home: MoorHome, registry: Registry) -> dict[str, str]:
    moor_home.root.mkdir(mode=0o700)
    (moor_home.root / "config.toml").write_text(CONFIG, encoding="utf-8")
    return {**{k: v for k, v in moor_home.environ.items() if k != "MOOR_TEST_AGENTS"}, **registry.environ}


def agents(home: MoorHome, environ: dict[str, str], *argv: str) -> Done:
    return run_moor_process(["agents", *argv], environ, cwd=home.work, timeout=90)


@pytest.mark.feature("F6.11", "F6.10")
def test_one_that_fails_does_not_stop_the_others(
    moor_home: MoorHome, environ: dict[str, str], registry: Registry
) -> None:
    done = agents(moor_home, environ, "install", "one", "three", "two")
    assert done.code == 5, done.stderr
    assert [line.split(":")[0] for line in done.stdout.splitlines()] == ["Agent one 1.0.0", "Agent two 1.0.0"]
    assert "error: agent-not-in-registry: three 1.0.0" in done.stderr
    assert "two: installing two 1.0.0" in done.stderr
    listed = {one["agent"]: one["installed"] for one in agents(moor_home, environ, "--json").last_json}
    assert (listed["one"], listed["two"], listed["three"]) == ("1.0.0", "1.0.0", None)
    again = agents(moor_home, environ, "upgrade")
    assert again.code == 0, again.stderr
    assert again.stdout.splitlines() == [
        "Agent one 1.0.0 is installed already",
        "Agent two 1.0.0 is installed already",
    ]
    assert len(registry.downloads()) == 2


@pytest.mark.feature("F6.15")
def test_one_that_is_switched_off_is_not_installed(moor_home: MoorHome, environ: dict[str, str]) -> None:
    assert agents(moor_home, environ, "disable", "one", "two").code == 0
    refused = agents(moor_home, environ, "install", "two")
    assert refused.code == 2
    assert "hint: moor agents enable two" in refused.stderr
    assert "switched off; moor agents enable one" in agents(moor_home, environ).stdout
    assert agents(moor_home, environ, "enable", "two").code == 0
    assert agents(moor_home, environ, "install", "two").code == 0
    # the user's own text stays
    assert 'title = "Agent three"' in (moor_home.root / "config.toml").read_text(encoding="utf-8")


def test_a_terminal_shows_a_line_for_each_that_changes(
    moor_home: MoorHome, environ: dict[str, str], registry: Registry
) -> None:
    registry.fault = "hang"
    shown = {name: value for name, value in environ.items() if name != "NO_COLOR"}
    with Window([*moor_command(), "agents", "install", "one", "two"], shown, moor_home.work) as window:
        window.wait_for("installing one 1.0.0", 30)
        window.wait_for("installing two 1.0.0", 30)
        registry.go_on.set()
        window.wait_for("Agent two 1.0.0", 30)
        assert window.wait(30) == 0
        assert "installing" not in window.text


def test_the_list_starts_no_process_and_asks_no_network(
    moor_home: MoorHome, environ: dict[str, str], registry: Registry, tmp_path: Path
) -> None:
    assert agents(moor_home, environ, "install", "one").code == 0
    asked = len(registry.requests)
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("npm", "node", "pip", "python3", "uv", "sh", "git", "opencode", "claude"):
        (tools / name).write_text(f"#!/bin/sh\necho {name} >> {tmp_path}/started\n", encoding="utf-8")
        (tools / name).chmod(0o755)
    done = agents(moor_home, {**environ, "PATH": str(tools)})
    assert done.code == 0, done.stderr
    assert "opencode" in done.stdout
    assert not (tmp_path / "started").exists()
    assert len(registry.requests) == asked


def test_wrong_words_are_told(moor_home: MoorHome, environ: dict[str, str]) -> None:
    for argv, said in (
        (("install",), "moor agents install NAME"),
        (("remove",), "moor agents remove NAME"),
        (("install", "one", "two", "--version", "1.0.0"), "--version is for one agent"),
        (("install", "one", "--version", "../x"), "is no version"),
        (("install", "one", "--from", "not-there"), "there is no"),
        (("install", "nobody"), "nobody"),
        (("upgrade", "one"), "one is not installed"),
        (("upgrade", "one", "--newest", "--version", "1.0.0"), "exclude each other"),
    ):
        done = agents(moor_home, environ, *argv)
        assert done.code in (2, 5), argv
        assert said in done.stderr, done.stderr
        assert "hint: " in done.stderr
