"""An agent of the user's config: what is refused, what is read of a repository, which program is started."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from moor.agents import agent_names, load_agent
from moor.agents.acp.wire import Translator
from moor.agents.base import Installed
from moor.agents.described import described_agent, folders
from moor.agents.described.arguments import Arguments
from moor.agents.described.calls import acp_traits, mended
from moor.domain.event import ERROR
from moor.domain.settings import AgentSettings
from moor.errors.agent import (
    AgentCommandRefused,
    AgentDescribedTwice,
    AgentInstallFailed,
    AgentModelUnknown,
    AgentNotHeadless,
    AgentProgramMissing,
)
from moor.store.home import Home
from tests.support.opencode_context import KEY, make_context

MINE = AgentSettings(
    command=("mine", "--config", "{session_home}/mine.json"),
    dialects=("openai-chat",),
    env={"MINE_KEY": "{key}", "MINE_EMPTY": "{effort}"},
    files={"mine.json": '{"url": "{url}", "key": "{key}"}', "run.sh": "#!/bin/sh\nexec tool {cwd}\n"},
    unset=("SECRET_*",),
    terminal=("--model", "{model_name}"),
    model_name="our/{model}",
    model_flag="-m --model",
    value_flags=("--theme",),
    refused={"upgrade": "moor has it; moor agents", "--server": "a port; moor run"},
    effort_args=("--think", "{effort}"),
)


def program(folder: Path, name: str = "mine") -> Path:
    path = folder / "bin" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text("#!/bin/sh\n", encoding="utf-8")
    path.chmod(0o755)
    return path


def test_its_name_is_an_agents_name_and_its_program_comes_from_path(tmp_path: Path) -> None:
    described = {"mine": MINE, "opencode": AgentSettings(model="x")}
    assert agent_names(described)[-1] == "mine"
    agent = load_agent("mine", described)
    path = program(tmp_path)
    found = agent.find(Home(tmp_path / "moor"), {"PATH": str(path.parent)})
    assert found == Installed(str(path), "0", "config")
    assert agent.version_note("0") == ""
    with pytest.raises(AgentProgramMissing, match="mine, the program of mine, is not on PATH"):
        agent.find(Home(tmp_path / "moor"), {"PATH": "/nowhere"})
    with pytest.raises(AgentInstallFailed, match="does not say where it comes from"):
        agent.recipe()


def test_a_built_in_agent_cannot_be_described_anew() -> None:
    with pytest.raises(AgentDescribedTwice, match="opencode"):
        load_agent("opencode", {"opencode": MINE})


@pytest.mark.feature("F7.1", "F17.5")
def test_a_launch_fills_in_the_templates(tmp_path: Path) -> None:
    context = make_context(
        tmp_path,
        installed=Installed("/bin/mine", "0", "config"),
        settings=MINE,
        args=("-m", "kimi", "--theme", "upgrade"),
    )
    context = msgspec.structs.replace(context, environ={**context.environ, "SECRET_X": "x"}, effort="high")
    plan = described_agent("mine", MINE).plan(context)
    config = f"{context.session_home}/mine.json"
    words = ("--model", "our/claude-x", "--think", "high", "-m", "our/kimi", "--theme", "upgrade")
    assert plan.argv == ("/bin/mine", "--config", config, *words)
    assert plan.env["MINE_KEY"] == KEY
    assert plan.env["MINE_EMPTY"] == "high"
    assert "SECRET_X" not in plan.env
    files = {Path(file.path).name: file for file in plan.files}
    assert json.loads(files["mine.json"].content) == {"url": "http://127.0.0.1:4000/openai/v1", "key": KEY}
    assert (files["mine.json"].mode, files["run.sh"].mode) == (0o600, 0o700)
    assert KEY not in " ".join(plan.argv)


def test_a_variable_without_a_value_is_not_set(tmp_path: Path) -> None:
    context = make_context(tmp_path, installed=Installed("/bin/mine", "0", "config"), settings=MINE)
    assert "MINE_EMPTY" not in described_agent("mine", MINE).plan(context).env


@pytest.mark.parametrize(
    "args", [("upgrade",), ("--verbose", "upgrade"), ("--theme", "x", "upgrade"), ("--server",), ("--server=1",)]
)
def test_what_the_description_refuses_is_refused(args: tuple[str, ...]) -> None:
    with pytest.raises(AgentCommandRefused):
        Arguments("mine", MINE, {}).checked(args)


@pytest.mark.parametrize(
    "args",
    [("--theme", "upgrade"), ("say", "upgrade"), ("--", "upgrade", "--server"), ("-",), ("--verbose", "x", "y")],
)
def test_words_that_are_no_sub_commands_pass(args: tuple[str, ...]) -> None:
    assert Arguments("mine", MINE, {}).checked(args) == list(args)


@pytest.mark.parametrize("args", [("-m", "evil"), ("-mevil",), ("--model=evil",), ("--model", "our/evil")])
def test_a_model_off_the_list_is_refused(args: tuple[str, ...]) -> None:
    with pytest.raises(AgentModelUnknown):
        Arguments("mine", MINE, {"kimi": "our/kimi"}).checked(args)


def test_a_model_is_named_as_the_agent_names_it() -> None:
    checked = Arguments("mine", MINE, {"kimi": "our/kimi"}).checked
    assert checked(("-mkimi",)) == checked(("-m=kimi",)) == ["-m", "our/kimi"]
    assert checked(("--model=our/kimi",)) == ["--model", "our/kimi"]


def test_without_a_word_on_headless_runs_there_are_none(tmp_path: Path) -> None:
    with pytest.raises(AgentNotHeadless, match="neither acp nor headless"):
        described_agent("mine", MINE).driver(make_context(tmp_path, mode="server"))


def test_files_of_the_kept_home_are_changed_and_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "settings.json"
    path.write_text('// theirs\n{"theme": "dark", "ide": {"a": 1}}', encoding="utf-8")
    changed = json.loads(folders.changed(str(path), '{"ide": {"b": 2}, "x": [1]}'))
    assert changed == {"theme": "dark", "ide": {"a": 1, "b": 2}, "x": [1]}
    for broken in ("{", "[]"):
        path.write_text(broken, encoding="utf-8")
        assert json.loads(folders.changed(str(path), '{"x": 1}')) == {"x": 1}


def test_only_texts_of_the_users_own_are_copied(tmp_path: Path) -> None:
    own = tmp_path / "user" / ".mine"
    (own / "rules").mkdir(parents=True)
    (own / "rules" / "a.md").write_text("A", encoding="utf-8")
    (own / "rules" / "run.sh").write_text("S", encoding="utf-8")
    (own / "RULES.md").write_text("R", encoding="utf-8")
    described = {"R.md": "~/.mine/RULES.md", "rules": "~/.mine/rules", "none.md": "~/.mine/none.md"}
    assert dict(folders.copies(described, tmp_path / "user")) == {"R.md": "R", "rules/a.md": "A"}


def test_a_file_that_cannot_be_read_still_counts_for_trust(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    (tmp_path / "big.json").write_bytes(b"x" * 300_000)
    (tmp_path / "link.json").symlink_to("/etc/hostname")
    found = folders.extras(str(tmp_path), "Mine", {"big.json": "settings", "link.json": "settings"})
    assert [extra.where for extra in found] == ["big.json", "link.json"]
    assert all(extra.content.startswith(b"unread ") for extra in found)


def test_rules_are_the_repositorys_own_and_end_at_its_edge(tmp_path: Path) -> None:
    deep = tmp_path / "r" / "deep"
    deep.mkdir(parents=True)
    (tmp_path / "r" / ".git").mkdir()
    for folder, text in ((tmp_path, "OUTSIDE"), (tmp_path / "r", "TOP"), (deep, "DEEP")):
        (folder / "AGENTS.md").write_text(text, encoding="utf-8")
    text = folders.rules(str(deep), ["AGENTS.md"])
    assert text.index("TOP") < text.index("DEEP")
    assert "OUTSIDE" not in text


@pytest.mark.parametrize(
    ("call", "name", "kind"),
    [
        ({"title": "shell · ls", "kind": "other"}, "shell", "execute"),
        ({"title": "x", "_meta": {"a": {"call": {"toolName": "edit"}}}}, "edit", "edit"),
        ({"title": "unknown · ls", "kind": "other"}, None, "other"),
        ({"title": None}, None, None),
    ],
)
def test_a_tool_that_the_description_knows_is_told_for_what_it_does(
    call: dict[str, object], name: str | None, kind: str | None
) -> None:
    told = mended(call, {"shell": "command", "edit": "write"})
    assert (told.get("name"), told.get("kind")) == (name, kind)


def test_an_error_that_is_told_behind_an_answer_is_a_failure() -> None:
    group = msgspec.structs.replace(MINE, acp=("acp",), failed_text="Error: ", notice="Info: ")
    for last, status in (("Error: 400 no more money", "error"), ("all is well", "end_turn")):
        wire = Translator("s", acp_traits("mine", group))
        wire.begin()
        for text in ("It goes. ", "Info: again", last):
            chunk = {"sessionUpdate": "agent_message_chunk", "content": {"type": "text", "text": text}}
            wire.update({"sessionId": "s", "update": chunk})
        *_, end = events = wire.end({"stopReason": "end_turn"}, None)
        assert end.status == status
        assert [event.text for event in events if event.kind == ERROR] == [last] * (status == "error")
        assert end.text == f"It goes. {last}"
