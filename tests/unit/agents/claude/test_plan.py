"""A launch of Claude Code as data."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import msgspec
import pytest

from moor.agents.base import LaunchContext
from moor.agents.claude import CLAUDE
from moor.agents.claude.history import slug
from moor.domain.plan import LaunchPlan
from moor.domain.settings import AgentSettings
from moor.launch.files import write_files
from tests.support.claude_context import HAIKU, MODELS, OLDER, OPUS, SONNET, make_context, write
from tests.support.opencode_context import KEY

GOLDEN = Path(__file__).parents[3] / "golden" / "claude" / "plan.json"


def content(plan: LaunchPlan, name: str) -> Any:
    """A planned file below the session's folder, decoded."""
    (found,) = [file.content for file in plan.files if file.path.endswith(f"/session/{name}")]
    return json.loads(found)


def driven(tmp_path: Path, **changes: Any) -> LaunchPlan:
    return CLAUDE.plan(make_context(tmp_path, mode="server", **changes))


def as_data(plan: LaunchPlan, folder: Path) -> Any:
    """The plan with every path below one folder, files as text."""
    text = json.dumps(msgspec.to_builtins(plan, builtin_types=(bytes,)), default=lambda data: data.decode())
    return json.loads(text.replace(str(folder), "/there").replace(slug(str(folder)), "-there"))


@pytest.mark.feature("F6.1", "F5.2", "F5.6")
def test_the_plan_is_the_recorded_one(tmp_path: Path) -> None:
    plan = as_data(CLAUDE.plan(make_context(tmp_path)), tmp_path)
    if os.environ.get("MOOR_RECORD"):
        GOLDEN.write_text(json.dumps(plan, indent=1, sort_keys=True) + "\n", encoding="utf-8")
    assert plan == json.loads(GOLDEN.read_text(encoding="utf-8"))


@pytest.mark.feature("F5.2")
def test_planning_changes_nothing_and_only_private_places_are_written(tmp_path: Path) -> None:
    context = make_context(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    plan = CLAUDE.plan(context)
    assert sorted(tmp_path.rglob("*")) == before
    private = (f"{context.session_home}/", f"{context.home}/")
    assert all(file.path.startswith(private) and file.mode & 0o077 == 0 for file in plan.files)
    assert all(link.path.startswith(private[0]) for link in plan.links)


@pytest.mark.feature("F17.5", "F17.12")
def test_the_key_is_in_the_environment_alone_and_the_users_own_variables_are_not(tmp_path: Path) -> None:
    base = make_context(tmp_path)
    mine = {"ANTHROPIC_API_KEY": "k", "CLAUDE_CODE_USE_BEDROCK": "1", "CLAUDE_CONFIG_DIR": "/evil", "KEPT": "1"}
    plan = CLAUDE.plan(make_context(tmp_path, environ={**base.environ, **mine}))
    assert [name for name, value in plan.env.items() if KEY in value] == ["ANTHROPIC_AUTH_TOKEN"]
    assert not [file.path for file in plan.files if KEY.encode() in file.content]
    assert KEY not in " ".join(plan.argv)
    assert not {"ANTHROPIC_API_KEY", "CLAUDE_CODE_USE_BEDROCK"} & plan.env.keys()
    assert (plan.env["CLAUDE_CONFIG_DIR"], plan.env["KEPT"]) == (str(base.session_home / "claude"), "1")


def test_a_variable_of_moors_own_config_is_passed_on(tmp_path: Path) -> None:
    base = make_context(tmp_path)
    settings = AgentSettings(env={"CLAUDE_CODE_DISABLE_TERMINAL_TITLE": "1"})
    environ = {**base.environ, **settings.env, "CLAUDE_CODE_SAFE_MODE": "1"}
    plan = CLAUDE.plan(make_context(tmp_path, environ=environ, settings=settings))
    assert plan.env["CLAUDE_CODE_DISABLE_TERMINAL_TITLE"] == "1"
    assert "CLAUDE_CODE_SAFE_MODE" not in plan.env


@pytest.mark.feature("F4.6", "F4.10")
def test_each_family_leads_to_an_allowed_model_and_a_slot_wins(tmp_path: Path) -> None:
    env = CLAUDE.plan(make_context(tmp_path)).env
    names = {family: env[f"ANTHROPIC_DEFAULT_{family}_MODEL"] for family in ("OPUS", "SONNET", "HAIKU", "FABLE")}
    assert names == {"OPUS": f"{OPUS.id}[1m]", "SONNET": SONNET.id, "HAIKU": HAIKU.id, "FABLE": SONNET.id}
    assert "CLAUDE_CODE_DISABLE_1M_CONTEXT" not in env
    slots = {"opus": OLDER, "subagent": HAIKU}
    env = CLAUDE.plan(make_context(tmp_path, slots=slots, models=(SONNET, OLDER, HAIKU))).env
    assert (env["ANTHROPIC_DEFAULT_OPUS_MODEL"], env["CLAUDE_CODE_SUBAGENT_MODEL"]) == (OLDER.id, HAIKU.id)
    assert env["CLAUDE_CODE_DISABLE_1M_CONTEXT"] == "1"


@pytest.mark.feature("F4.8", "F4.9")
def test_windows_limits_and_effort_are_told(tmp_path: Path) -> None:
    plan = CLAUDE.plan(make_context(tmp_path, effort="low", fallback=(OPUS,)))
    assert plan.env["CLAUDE_CODE_AUTO_COMPACT_WINDOW"] == plan.env["CLAUDE_CODE_MAX_CONTEXT_TOKENS"] == "200000"
    assert plan.env["CLAUDE_CODE_MAX_OUTPUT_TOKENS"] == "64000"
    pins = content(plan, "pins.json")
    assert "fallbackModel" not in pins  # the gateway takes another model, once for all agents
    assert plan.argv[-2:] == ("--effort", "low")
    assert set(pins["availableModels"]) == {SONNET.id, f"{OPUS.id}[1m]", OLDER.id, HAIKU.id}
    assert "CLAUDE_CODE_MAX_OUTPUT_TOKENS" not in CLAUDE.plan(make_context(tmp_path, model=OPUS)).env


@pytest.mark.feature("F7.2")
def test_first_questions_are_answered_in_the_private_folder(tmp_path: Path) -> None:
    context = make_context(tmp_path)
    write(
        context.user_home,
        {".claude.json": json.dumps({"theme": "light", "oauthAccount": {"x": 1}, "tipsHistory": {}})},
    )
    state = content(CLAUDE.plan(context), "claude/.claude.json")
    assert state["hasCompletedOnboarding"]
    assert state["projects"][context.session.cwd]["hasTrustDialogAccepted"]
    assert state["theme"] == "light"
    assert not {"oauthAccount", "tipsHistory"} & state.keys()


def test_a_driven_one_speaks_its_protocol_and_allows_nothing_by_itself(tmp_path: Path) -> None:
    base = make_context(tmp_path)
    rules = {"allow": ["Bash"], "deny": ["Read(x)"], "defaultMode": "acceptEdits"}
    write(base.user_home, {".claude/settings.json": json.dumps({"permissions": rules})})
    plan = driven(tmp_path)
    assert plan.argv[-2:] == ("--permission-prompt-tool", "stdio")
    assert content(plan, "claude/settings.json")["permissions"] == {"deny": ["Read(x)"]}
    assert plan.env["CLAUDE_CODE_DISABLE_BACKGROUND_TASKS"] == "1"
    pins = content(plan, "pins.json")
    assert (pins["disableSkillShellExecution"], "Bash" in pins["permissions"]["ask"]) == (True, True)
    assert content(CLAUDE.plan(base), "claude/settings.json")["permissions"] == rules


def test_only_the_users_layer_of_settings_is_read(tmp_path: Path) -> None:
    plan = CLAUDE.plan(make_context(tmp_path, args=("-p", "x")))
    assert plan.argv[1:] == (
        *("--settings", str(tmp_path / "session" / "pins.json"), "--setting-sources", "user", "--strict-mcp-config"),
        *("-p", "x"),
    )


def run_shell(context: LaunchContext, *argv: str) -> list[str]:
    """Lines that a command prints through the planned shell."""
    plan = CLAUDE.plan(context)
    write_files(plan, context.session_home)
    env = {**plan.env, "PATH": os.environ["PATH"]}
    done = subprocess.run(
        [plan.env["CLAUDE_CODE_SHELL"], *argv], env=env, capture_output=True, encoding="utf-8", check=True
    )
    return done.stdout.splitlines()


@pytest.mark.feature("F17.12")
def test_a_command_sees_the_users_own_environment(tmp_path: Path) -> None:
    base = make_context(tmp_path)
    environ = {**base.environ, "XDG_CACHE_HOME": "/mine", "CLAUDE_CONFIG_DIR": "/my config"}
    context = make_context(tmp_path, environ=environ)
    words = (
        'echo "$CLAUDE_CONFIG_DIR $XDG_CACHE_HOME ${TMPDIR-none} ${ANTHROPIC_AUTH_TOKEN-none} $MOOR_SESSION $SHELL"'
    )
    assert run_shell(context, "-c", words) == ["/my config /mine none none ses_1 /bin/bash"]


def test_state_that_lasts_is_linked_to_the_kept_home(tmp_path: Path) -> None:
    context = make_context(tmp_path)
    write_files(CLAUDE.plan(context), context.session_home)
    config = context.session_home / "claude"
    assert (config / "projects").resolve() == context.home / "projects"
    (config / "history.jsonl").write_text("typed", encoding="utf-8")
    assert (context.home / "history.jsonl").read_text(encoding="utf-8") == "typed"


def test_models_beyond_the_families_are_offered_too(tmp_path: Path) -> None:
    rows = content(CLAUDE.plan(make_context(tmp_path, models=MODELS)), "claude/.claude.json")
    assert [row["value"] for row in rows["additionalModelOptionsCache"]] == [OLDER.id]


@pytest.mark.skipif(os.geteuid() != 0, reason="it refuses this to root only")
def test_leaving_out_every_check_as_root_needs_a_word_more(tmp_path: Path) -> None:
    assert "IS_SANDBOX" not in CLAUDE.plan(make_context(tmp_path)).env
    bypass = make_context(tmp_path, args=("--dangerously-skip-permissions",))
    assert CLAUDE.plan(bypass).env["IS_SANDBOX"] == "1"


def test_an_untested_version_is_noted(tmp_path: Path) -> None:
    installed = msgspec.structs.replace(make_context(tmp_path).installed, version="2.1.999")
    (note,) = CLAUDE.plan(make_context(tmp_path, installed=installed)).notes
    assert "moor agents install claude" in note
