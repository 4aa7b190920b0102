"""Words that moor does not know, and values that cannot be: told at once, with nothing started."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.home import MoorHome, fresh_home
from tests.support.moor import Done, run_moor_process
from tests.support.trouble import assert_result, assert_told

MODEL = "system.ai.claude-sonnet-5"
BAD_RUNS: dict[str, tuple[list[str], str, str]] = {
    "agent": (["--agent", "opencoed"], "unknown-agent", "moor opencode"),
    "upstream": (["--upstream", "nope"], "unknown-upstream", "moor upstream list"),
    "model": (["--model", "system.ai.claude-sonet-5"], "unknown-model", f"did you mean {MODEL}"),
    "small model": (["--small-model", "nope"], "unknown-model", "moor models"),
    "denied model": (["--deny-model", "*sonnet*", "--model", MODEL], "model-not-allowed", "moor models"),
    "all models denied": (["--deny-model", "*"], "model-not-allowed", "moor models"),
    "option": (["--bogus"], "wrong-use", "moor run --help"),
    "preset": (["--preset", "all"], "preset-unknown", "read, edit, full"),
    "permission rule": (["--allow", "git push"], "permission-rule-invalid", "--allow 'bash:git push*'"),
    "label": (["--tag", "ticket"], "wrong-use", "--tag KEY=VALUE"),
    "folder": (["--cwd", "not/there"], "no-such-directory", "--cwd PATH"),
    "no time": (["--timeout", "0"], "wrong-use", "moor run --help"),
    "negative time": (["--timeout=-5"], "wrong-use", "moor run --help"),
    "no duration": (["--timeout", "soon"], "wrong-use", "write 90, 30m or 2h"),
    "negative budget": (["--budget-usd", "-1"], "wrong-use", "must be above 0"),
    "no budget": (["--budget-usd", "0"], "wrong-use", "must be above 0"),
    "not a number of dollars": (["--budget-usd", "nan"], "wrong-use", "must be above 0"),
    "endless dollars": (["--budget-usd", "inf"], "wrong-use", "must be above 0"),
}
BAD_COMMANDS: dict[str, tuple[list[str], str, str]] = {
    "command": (["modles"], "unknown-agent", "moor models"),
    "option of moor": (["--bogus"], "wrong-use", "moor --help"),
    "option of a reading command": (["models", "--bogus"], "wrong-use", "moor models --help"),
    "option cut short": (["models", "--js"], "wrong-use", "moor models --help"),
    "action of upstream": (["upstream", "frob"], "wrong-use", "moor upstream --help"),
    "no action of upstream": (["upstream"], "wrong-use", "moor upstream --help"),
    "action of keys": (["keys", "frob"], "wrong-use", "moor keys --help"),
    "action of config": (["config", "frob"], "wrong-use", "moor config --help"),
    "action of auth": (["auth", "frob"], "wrong-use", "moor auth --help"),
    "setting": (["config", "set", "defaults.modle", "x"], "setting-unknown", "defaults.model"),
    "profile": (["login", "--profile", "nope"], "profile-unknown", "moor login --host"),
    "upstream to sign in to": (["login", "--upstream", "nope"], "unknown-upstream", "moor upstream list"),
    "upstream to remove": (["upstream", "remove", "nope"], "unknown-upstream", "moor upstream list"),
    "kind of upstream": (["upstream", "add", "x", "--kind", "cloud"], "wrong-use", "moor upstream add --help"),
    "name of an upstream": (["upstream", "add", "a b", "--kind", "sim"], "upstream-name-invalid", "letters"),
    "taken name": (["upstream", "add", "s", "--kind", "sim"], "upstream-exists", "moor upstream show s"),
    "engine without address": (
        ["upstream", "add", "x", "--kind", "openai"],
        "upstream-invalid",
        "moor upstream add x --kind openai --base-url",
    ),
    "address": (["login", "--host", "my workspace"], "bad-url", "https://"),
    "period": (["usage", "--since", "yore"], "period-invalid", "moor usage --since"),
    "model before an agent": (["--model", "nope", "opencode"], "unknown-model", "moor models"),
    "label before an agent": (["--tag", "team", "opencode"], "wrong-use", "--tag KEY=VALUE"),
    "two-faced budget": (["--budget-usd", "x", "opencode"], "wrong-use", "moor --help"),
}


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Iterator[MoorHome]:
    """A home with one upstream; afterwards its settings are what they were."""
    home = fresh_home(tmp_path_factory.mktemp("ready"))
    done = run_moor_process(["upstream", "add", "s", "--kind", "sim"], home.environ, cwd=home.work)
    assert done.code == 0, done.stderr
    before = (home.root / "config.toml").read_bytes()
    yield home
    assert (home.root / "config.toml").read_bytes() == before
    assert not (home.root / "sessions").exists()


def moor(home: MoorHome, *argv: str, cwd: Path | None = None, **env: str) -> Done:
    """The real command."""
    agents = {"MOOR_TEST_AGENTS": str(agents_stub(home))}
    return run_moor_process(argv, {**home.environ, **agents, **env}, cwd=cwd or home.work)


def agents_stub(home: MoorHome) -> Path:
    """A folder that holds an agent in name only: nothing in this file comes to start it."""
    program = home.user / "stub" / "opencode" / "1.18.33" / "node_modules" / "opencode-linux-x64" / "bin" / "opencode"
    if not program.exists():
        program.parent.mkdir(parents=True)
        program.write_text("#!/bin/sh\nexit 99\n", encoding="utf-8")
        program.chmod(0o700)
    return home.user / "stub"


@pytest.mark.feature("F8.9")
@pytest.mark.parametrize("case", BAD_RUNS)
def test_a_run_that_cannot_be_says_why_and_what_to_type(case: str, ready: MoorHome) -> None:
    options, ref, part = BAD_RUNS[case]
    done = moor(ready, "run", "--json", *options, "hello")
    assert_told(done, 2, ref, part)
    assert_result(done, "failed", ref)


@pytest.mark.parametrize("case", BAD_COMMANDS)
def test_a_word_that_moor_does_not_know_is_answered_with_the_nearest_help(case: str, ready: MoorHome) -> None:
    argv, ref, part = BAD_COMMANDS[case]
    done = moor(ready, *argv)
    assert_told(done, 2, ref, part)
    assert done.stdout == ""


def test_without_json_a_run_that_cannot_be_prints_nothing_on_stdout(ready: MoorHome) -> None:
    done = moor(ready, "run", "--bogus", "hello")
    assert done.stdout == ""
    done = moor(ready, "run", "--bogus", "--", "--json")
    assert done.stdout == "", "what stands after -- is the prompt's"


def test_a_model_of_the_environment_is_checked_like_any_other(ready: MoorHome) -> None:
    done = moor(ready, "run", "--json", "hello", MOOR_MODEL="nope")
    assert_told(done, 2, "unknown-model", "nope", "MOOR_MODEL", "moor models")
    assert_result(done, "failed", "unknown-model")


def test_an_upstream_of_the_environment_is_checked_like_any_other(ready: MoorHome) -> None:
    assert_told(moor(ready, "run", "hello", MOOR_UPSTREAM="nope"), 2, "unknown-upstream", "nope")


def test_with_nothing_set_up_the_commands_to_type_are_shown(run_moor) -> None:  # type: ignore[no-untyped-def]
    for argv in (["run", "--json", "hello"], ["opencode"], [], ["models"], ["login"]):
        done = run_moor(*argv)
        assert_told(done, 2, "no-upstream", "moor login --host", "moor upstream add")
    assert_result(run_moor("run", "--json", "hello"), "failed", "no-upstream")
