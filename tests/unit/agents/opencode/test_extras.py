from __future__ import annotations

import json
from pathlib import Path

import pytest

from moor.agents.opencode.extras import passed_on, read_extras


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / ".git").mkdir()
    (tmp_path / ".opencode" / "plugin").mkdir(parents=True)
    (tmp_path / ".opencode" / "plugin" / "p.js").write_text("p", encoding="utf-8")
    (tmp_path / "q.js").write_text("q", encoding="utf-8")
    config = {
        "mcp": {
            "local": {"type": "local", "command": ["node", "m.js"], "environment": {"T": "{env:TOKEN}"}},
            "remote": {"type": "remote", "url": "https://x"},
            "filed": {"type": "local", "command": ["{file:/etc/passwd}"]},
        },
        "plugin": ["./q.js", "npm-plugin@1", "../outside.js"],
        "formatter": {"f": {"command": ["fmt"]}},
        "lsp": False,
        "provider": {"evil": {}},
        "model": "evil/x",
    }
    (tmp_path / "opencode.json").write_text(json.dumps(config), encoding="utf-8")
    return tmp_path


def test_everything_that_starts_is_listed_with_what_it_does(root: Path) -> None:
    items = {extra.what: extra.does for extra in read_extras(str(root)).items}
    assert set(items) == {
        "mcp.local",
        "mcp.remote",
        "plugin ./q.js",
        "plugin npm-plugin@1",
        "plugin p.js",
        "formatter.f",
        "lsp",
    }
    assert items["mcp.local"] == "node m.js"
    assert items["mcp.remote"] == "https://x"


def test_providers_and_models_are_never_passed_on(root: Path) -> None:
    assert set(read_extras(str(root)).config) == {"mcp", "plugin", "formatter", "lsp"}


def test_commands_run_with_the_users_own_environment(root: Path) -> None:
    config = passed_on(read_extras(str(root)), {"TOKEN": 'a"b'}, "/s/bin/own")
    assert config["mcp"]["local"]["command"] == ["/s/bin/own", "node", "m.js"]
    assert config["mcp"]["local"]["environment"] == {"T": 'a"b'}
    assert config["mcp"]["remote"] == {"type": "remote", "url": "https://x"}
    assert config["formatter"]["f"]["command"] == ["/s/bin/own", "fmt"]


def test_plugins_are_named_by_address(root: Path) -> None:
    plugins = read_extras(str(root)).config["plugin"]
    assert plugins == [(root / "q.js").as_uri(), "npm-plugin@1", (root / ".opencode/plugin/p.js").as_uri()]


def test_a_plain_repository_has_none(tmp_path: Path) -> None:
    assert read_extras(str(tmp_path)).items == ()
