from __future__ import annotations

from pathlib import Path

import pytest

from moor.agents.base import Extra
from moor.agents.trust import digest, is_trusted, repository_extras, repository_root
from moor.store.home import Home
from moor.store.trust import TrustStore

CONFIG = '{"mcp": {"tools": {"type": "local", "command": ["node", "tools/mcp.js"]}}}'


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    root = tmp_path / "repo"
    (root / ".git").mkdir(parents=True)
    (root / "tools").mkdir()
    (root / "tools" / "mcp.js").write_text("one", encoding="utf-8")
    (root / "opencode.json").write_text(CONFIG, encoding="utf-8")
    return root


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "moor")


def trusted(home: Home, repository: Path) -> None:
    TrustStore(home).trust(repository_root(str(repository)), digest(repository_extras(str(repository))))


def test_nothing_is_trusted_by_itself(home: Home, repository: Path) -> None:
    assert not is_trusted(home, str(repository))


def test_trust_holds_from_any_folder_of_the_repository(home: Home, repository: Path) -> None:
    trusted(home, repository)
    assert is_trusted(home, str(repository))
    assert is_trusted(home, str(repository / "tools"))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("opencode.json", CONFIG.replace("node", "deno")),
        ("tools/mcp.js", "two"),
        (".opencode/opencode.json", '{"formatter": {"x": {"command": ["y"]}}}'),
        (".opencode/plugin/new.js", "export const P = 1"),
    ],
)
def test_trust_ends_when_what_would_run_changes(home: Home, repository: Path, name: str, text: str) -> None:
    trusted(home, repository)
    (repository / name).parent.mkdir(parents=True, exist_ok=True)
    (repository / name).write_text(text, encoding="utf-8")
    assert not is_trusted(home, str(repository))


def test_trust_outlives_a_change_of_what_does_not_run(home: Home, repository: Path) -> None:
    trusted(home, repository)
    (repository / "AGENTS.md").write_text("new rules", encoding="utf-8")
    (repository / "opencode.json").write_text(CONFIG[:-1] + ', "instructions": ["x.md"]}', encoding="utf-8")
    assert is_trusted(home, str(repository))


def test_another_copy_of_the_same_content_is_not_trusted(home: Home, repository: Path, tmp_path: Path) -> None:
    trusted(home, repository)
    copy = tmp_path / "copy"
    (copy / ".git").mkdir(parents=True)
    (copy / "opencode.json").write_text(CONFIG, encoding="utf-8")
    assert not is_trusted(home, str(copy))


def test_a_repository_that_starts_nothing_needs_no_database(home: Home, tmp_path: Path) -> None:
    assert repository_extras(str(tmp_path)) == ()
    assert not is_trusted(home, str(tmp_path))
    assert not home.db_path.exists()


def test_the_hash_tells_pieces_apart() -> None:
    one = (Extra(what="a", where="b", does="", content=b"c"),)
    two = (Extra(what="ab", where="", does="", content=b"c"),)
    assert digest(one) != digest(two)
    assert digest(()) == ""
