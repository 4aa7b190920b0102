"""A repository may choose and narrow, nothing else; an administrator's policy must be root's."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from moor.errors.config import (
    ConfigTypeError,
    ConfigUnknownKeyError,
    ConfigValueError,
    PolicyUntrustedError,
    ProjectSettingError,
)
from moor.errors.store import FileUnreadableError
from moor.store.settings_levels import admin_level, project_file, project_level


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    root = tmp_path / "repo"
    (root / ".git").mkdir(parents=True)
    (root / ".git" / "HEAD").write_text("ref: refs/heads/main\n", encoding="utf-8")
    (root / "a" / "b").mkdir(parents=True)
    return root


def test_the_nearest_file_up_to_the_git_root_is_taken(repo: Path) -> None:
    outside, top, inner = repo.parent / ".moor.toml", repo / ".moor.toml", repo / "a" / ".moor.toml"
    outside.touch()
    assert project_file(repo / "a" / "b") is None
    top.touch()
    assert project_file(repo / "a" / "b") == top
    inner.touch()
    assert project_file(repo / "a" / "b") == inner


def test_a_git_worktree_with_a_git_file_is_a_root_too(repo: Path) -> None:
    (repo.parent / ".moor.toml").touch()
    shutil.rmtree(repo / ".git")
    (repo / ".git").write_text("gitdir: elsewhere\n", encoding="utf-8")
    assert project_file(repo / "a") is None


def test_outside_of_a_work_tree_only_the_folder_itself_counts(tmp_path: Path) -> None:
    (tmp_path / ".moor.toml").touch()
    (tmp_path / "a").mkdir()
    assert project_file(tmp_path / "a") is None
    assert project_file(tmp_path) == tmp_path / ".moor.toml"


def test_a_project_may_choose_agent_and_models_and_narrow_the_policy(repo: Path) -> None:
    (repo / ".moor.toml").write_text(
        '[defaults]\nagent = "one"\nmodel = "m"\nsmall_model = "s"\n'
        '[policy]\nallow = ["m*"]\ndeny = ["x"]\nbudget_usd = 1.5\n',
        encoding="utf-8",
    )
    level = project_level(repo / "a")
    assert level is not None
    assert level.defaults == {"defaults.agent": "one", "defaults.model": "m", "defaults.small_model": "s"}
    assert (level.policy.allow, level.policy.deny, level.policy.budget_usd) == (("m*",), ("x",), 1.5)


@pytest.mark.feature("F5.2")
@pytest.mark.parametrize(
    ("text", "key"),
    [
        ('[defaults]\nupstream = "evil"\n', "defaults.upstream"),
        ('[upstreams.evil]\nkind = "k"\nbase_url = "https://evil"\n', "upstreams"),
        ('[agents.one]\nenv = { A = "1" }\n', "agents"),
        ('[agents.one]\nargs = ["--yolo"]\n', "agents"),
        ('proxy = "http://evil"\n', "proxy"),
        ('ca_file = "ca.pem"\n', "ca_file"),
        ('[env]\nA = "1"\n', "env"),
        ('[commands]\nstart = "sh"\n', "commands"),
        ('[defaults]\nmodel = "m"\n[upstreams.dev]\nhost = "https://evil"\n', "upstreams"),
    ],
)
def test_what_would_redirect_prompts_or_run_something_is_an_error_with_the_reason(
    repo: Path, text: str, key: str
) -> None:
    (repo / ".moor.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ProjectSettingError) as caught:
        project_level(repo)
    assert caught.value.key == key
    assert "whoever writes the repository" in caught.value.message
    assert f"{repo / '.moor.toml'} line" in caught.value.message
    assert "defaults.model" in caught.value.hint


@pytest.mark.parametrize(
    "text", ['[defualts]\nmodel = "m"\n', '[defaults]\nmodle = "m"\n', "[policy]\nallows = []\n"]
)
def test_a_slip_of_the_pen_is_called_one(repo: Path, text: str) -> None:
    (repo / ".moor.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ConfigUnknownKeyError) as caught:
        project_level(repo)
    assert "did you mean" in caught.value.hint


def test_a_group_that_is_no_table_is_named(repo: Path) -> None:
    (repo / ".moor.toml").write_text("policy = 3\n", encoding="utf-8")
    with pytest.raises(ConfigTypeError):
        project_level(repo)


def test_a_project_file_that_is_a_link_is_not_followed(repo: Path, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("token = x", encoding="utf-8")
    (repo / ".moor.toml").symlink_to(tmp_path / "secret")
    with pytest.raises(ConfigValueError):
        project_level(repo)


def test_a_pipe_or_a_huge_file_does_not_hang_a_launch(repo: Path) -> None:
    os.mkfifo(repo / ".moor.toml")
    with pytest.raises(FileUnreadableError):
        project_level(repo)
    (repo / ".moor.toml").unlink()
    (repo / ".moor.toml").write_bytes(b"#" * 100_000)
    with pytest.raises(FileUnreadableError):
        project_level(repo)


@pytest.fixture
def policy(tmp_path: Path) -> Path:
    path = tmp_path / "policy.toml"
    path.write_text('[policy]\nallow = ["a*"]\n', encoding="utf-8")
    path.chmod(0o644)
    return path


def test_an_administrators_policy_is_read(policy: Path) -> None:
    level = admin_level(policy, os.geteuid())
    assert level is not None
    assert level.policy.allow == ("a*",)
    assert admin_level(policy.with_name("none"), 0) is None


def test_a_policy_of_somebody_else_stops_everything(policy: Path) -> None:
    with pytest.raises(PolicyUntrustedError):
        admin_level(policy, os.geteuid() + 1)


@pytest.mark.parametrize("mode", [0o664, 0o646])
def test_a_policy_that_others_may_write_stops_everything(policy: Path, mode: int) -> None:
    policy.chmod(mode)
    with pytest.raises(PolicyUntrustedError) as caught:
        admin_level(policy, os.geteuid())
    assert "chmod 644" in caught.value.hint


def test_a_policy_that_cannot_be_read_stops_everything(policy: Path) -> None:
    policy.unlink()
    policy.mkdir(mode=0o755)
    with pytest.raises(FileUnreadableError):
        admin_level(policy, os.geteuid())


@pytest.mark.parametrize("text", ["[defaults]\n", "[policy]\nalow = []\n"])
def test_a_policy_with_a_mistake_stops_everything(policy: Path, text: str) -> None:
    policy.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigUnknownKeyError):
        admin_level(policy, os.geteuid())
