from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from moor.agents.base import COMMAND, FETCH, INTERNAL, OTHER, READ, WRITE
from moor.domain.event import PERMISSION, Event
from moor.drive.permissions import Permissions, work_tree
from moor.errors.run import PermissionRuleInvalid, PresetUnknown


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "tree"
    (root / ".git" / "hooks").mkdir(parents=True)
    (root / ".git" / "HEAD").write_text("ref: refs/heads/main\n", encoding="utf-8")
    (root / "src").mkdir()
    (tmp_path / "home").mkdir()
    return root


def permissions(tree: Path, preset: str = "edit", **rules: Any) -> Permissions:
    return Permissions(str(tree), {"HOME": str(tree.parent / "home")}, preset, **rules)


def asked(access: str, *paths: str, command: str = "", **data: Any) -> Event:
    return Event(kind=PERMISSION, name=access, paths=paths, data={"access": access, "command": command, **data})


@pytest.mark.feature("F13.3")
@pytest.mark.parametrize(
    ("event", "allowed"),
    [
        (asked(WRITE, "src/a.py"), True),
        (asked(WRITE, "../a.py"), False),
        (asked(WRITE, "/tmp/a.py"), False),
        (asked(WRITE, ".git/hooks/pre-commit"), False),
        (asked(WRITE, "src/a.py", "/tmp/b.py"), False),
        (asked(WRITE), False),
        (asked(READ, "/usr/include/stdio.h"), True),
        (asked(READ, "../home/.ssh/id"), False),
        (asked(READ, ".env"), False),
        (asked(READ, "src/.env.example"), True),
        (asked(COMMAND, command="make test"), True),
        (asked(COMMAND, command="rm -rf /tmp/x"), False),
        (asked(COMMAND, command=""), False),
        (asked(COMMAND, command="ls", cwd="/tmp"), False),
        (asked(COMMAND, command="touch ../x", cwd="src"), True),
        (asked(FETCH), True),
        (asked(INTERNAL), True),
        (asked(OTHER), False),
        (asked("news"), False),
    ],
)
def test_the_preset_edit_keeps_to_the_work_tree(tree: Path, event: Event, allowed: bool) -> None:
    decision = permissions(tree).decide(event)
    assert decision.allow is allowed
    assert decision.rule.startswith("preset edit")


@pytest.mark.parametrize(
    "event", [asked(WRITE, "src/a.py"), asked(COMMAND, command="ls"), asked(FETCH), asked(OTHER)]
)
def test_the_preset_read_only_looks(tree: Path, event: Event) -> None:
    assert not permissions(tree, "read").decide(event).allow
    assert permissions(tree, "read").decide(asked(READ, "src/a.py")).allow


def test_the_preset_read_runs_what_a_rule_allows_and_reads_it_too(tree: Path) -> None:
    rules = permissions(tree, "read", allow=["bash:ls*"])
    assert rules.decide(asked(COMMAND, command="ls src")).allow
    assert not rules.decide(asked(COMMAND, command="ls src; make")).allow
    assert not rules.decide(asked(COMMAND, command="ls > /tmp/x")).allow


@pytest.mark.feature("F13.3")
@pytest.mark.parametrize(
    ("reads", "allowed"),
    [(("src/a.py",), True), ((), True), (("../home/.ssh/id",), False), ((".env",), False), (None, False)],
)
def test_the_preset_read_lets_a_command_pass_that_only_looks_at_what_it_may_read(
    tree: Path, reads: tuple[str, ...] | None, allowed: bool
) -> None:
    event = asked(COMMAND, command="cat x", **({} if reads is None else {"reads": reads}))
    assert permissions(tree, "read").decide(event).allow is allowed
    assert not permissions(tree, "read", deny=["bash:cat *"]).decide(event).allow


def test_the_preset_full_allows_what_no_rule_denies(tree: Path) -> None:
    full = permissions(tree, "full", deny=["bash:git push*"])
    assert full.decide(asked(COMMAND, command="sudo rm -rf /tmp/x")).allow
    assert not full.decide(asked(COMMAND, command="ls && git push origin")).allow


def test_an_allow_lets_exactly_that_through(tree: Path) -> None:
    rules = permissions(tree, allow=["bash:git push*", "write:/tmp/*", "read:.env"])
    assert rules.decide(asked(COMMAND, command="git commit -m x && git push origin")).allow
    assert not rules.decide(asked(COMMAND, command="git push; sudo ls")).allow
    assert not rules.decide(asked(COMMAND, command="git push; rm -rf /tmp/x")).allow
    for more in ("git push $(rm -rf /tmp/x)", "git push > /etc/x", "git push `sudo ls`", "X=$(sudo ls) git push"):
        assert not rules.decide(asked(COMMAND, command=more)).allow
    assert rules.decide(asked(WRITE, "/tmp/x")).allow
    assert not rules.decide(asked(WRITE, "/var/x")).allow
    assert rules.decide(asked(READ, ".env")).allow


def test_a_deny_beats_an_allow(tree: Path) -> None:
    rules = permissions(tree, allow=["write:*"], deny=["write:*.lock"])
    assert rules.decide(asked(WRITE, "src/a.py")).allow
    decision = rules.decide(asked(WRITE, "src/poetry.lock"))
    assert not decision.allow
    assert decision.rule == "--deny write:*.lock"


def test_a_rule_for_a_command_cannot_be_slipped_past_by_a_longer_line(tree: Path) -> None:
    rules = permissions(tree, deny=["bash:curl*"])
    for line in ("ls; curl x", "true && curl x", "ls | curl x", "(curl x)"):
        assert not rules.decide(asked(COMMAND, command=line)).allow


@pytest.mark.parametrize("rule", ["write", "write:", ":x", "shell:x", "Bash:x", ""])
def test_a_rule_of_another_form_is_refused(tree: Path, rule: str) -> None:
    with pytest.raises(PermissionRuleInvalid):
        permissions(tree, allow=[rule])


def test_an_unknown_preset_is_refused(tree: Path) -> None:
    with pytest.raises(PresetUnknown):
        permissions(tree, "yolo")


def test_a_link_does_not_lead_out_of_the_tree(tree: Path) -> None:
    (tree / "out").symlink_to(tree.parent / "home")
    assert not permissions(tree).decide(asked(WRITE, "out/x")).allow


def test_the_agents_own_folder_for_temporary_files_counts_as_inside(tree: Path) -> None:
    scratch = tree.parent / "home" / "tmp"
    scratch.mkdir()
    rules = permissions(tree, scratch=str(scratch))
    assert rules.decide(asked(WRITE, f"{scratch}/a")).allow
    assert rules.decide(asked(COMMAND, command=f"echo x > {scratch}/a && rm -rf {scratch}/b")).allow
    assert not rules.decide(asked(WRITE, f"{scratch}/../a")).allow


def test_the_work_tree_is_the_git_root_else_the_folder(tree: Path, tmp_path: Path) -> None:
    assert work_tree(str(tree / "src")) == str(tree)
    assert work_tree(str(tmp_path / "home")) == str(tmp_path / "home")
    (tmp_path / ".git").mkdir()  # as a killed sandbox leaves it
    assert work_tree(str(tmp_path / "home")) == str(tmp_path / "home")
