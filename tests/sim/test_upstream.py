"""`moor upstream …` and the first-run set-up, with the real command."""

from __future__ import annotations

import shutil
import sys
import tomllib
from collections.abc import Callable
from typing import Any

import pytest

from moor.sim.config import SimConfig
from moor.sim.embedded import EmbeddedSim
from tests.support.home import MoorHome
from tests.support.moor import Done
from tests.support.terminal import Terminal

Run = Callable[..., Done]
BROWSER = f"{sys.executable} -c 'import sys,urllib.request as u; u.urlopen(sys.argv[1]).read()' %s"


def config(home: MoorHome) -> dict[str, Any]:
    path = home.root / "config.toml"
    return tomllib.loads(path.read_text(encoding="utf-8")) if path.exists() else {}


def test_the_simulator_is_added_and_its_models_fetched_at_once(run_moor: Run, moor_home: MoorHome) -> None:
    done = run_moor("upstream", "add", "sim", "--kind", "sim")
    assert done.code == 0, done.stderr
    assert config(moor_home)["upstreams"] == {"sim": {"kind": "sim"}}
    assert config(moor_home)["defaults"]["upstream"] == "sim"
    assert len(run_moor("models", "--json").last_json) > 20


@pytest.mark.feature("F3.7")
def test_an_engine_is_added_with_the_name_of_its_key_never_the_key(run_moor: Run, moor_home: MoorHome) -> None:
    with EmbeddedSim(SimConfig(openai_engine=True, engine_api_key="engine-key-1")) as sim:
        base = (
            "upstream",
            "add",
            "eng",
            "--kind",
            "openai",
            "--base-url",
            f"{sim.url}/v1",
            "--api-key-env",
            "MY_KEY",
        )
        refused = run_moor(*base, env={"MY_KEY": "wrong"})
        assert refused.code == 3
        assert "MY_KEY" in refused.stderr
        assert run_moor("upstream", "remove", "eng").code == 0
        done = run_moor(*base, env={"MY_KEY": "engine-key-1"})
    assert done.code == 0, done.stderr
    assert "engine-key-1" not in (moor_home.root / "config.toml").read_text(encoding="utf-8") + done.stderr
    assert config(moor_home)["defaults"]["model"] == "sim-coder"


def test_an_engine_that_does_not_run_is_kept_and_told(run_moor: Run, moor_home: MoorHome) -> None:
    done = run_moor("upstream", "add", "eng", "--kind", "openai", "--base-url", "http://127.0.0.1:1/v1")
    assert done.code == 4
    assert "connection refused" in done.stderr
    assert "eng" in config(moor_home)["upstreams"]


def test_a_workspace_is_added_first_and_signed_in_to_later(run_moor: Run, sim: EmbeddedSim) -> None:
    done = run_moor("upstream", "add", "ws", "--kind", "databricks", "--host", f"{sim.url}/?o=7")
    assert done.code == 0, done.stderr
    assert "next: moor login --upstream ws" in done.stderr
    assert run_moor("login", "--upstream", "ws", env={"BROWSER": BROWSER}).code == 0
    shown = run_moor("upstream", "show", "--json").last_json
    assert (shown["route"], shown["workspace_id"], shown["user"]) == ("gateway", "7", "dev@example.com")


def test_the_host_of_a_profile_is_taken_over(run_moor: Run, moor_home: MoorHome, sim: EmbeddedSim) -> None:
    token = sim.control.mint().reveal()
    (moor_home.user / ".databrickscfg").write_text(f"[dev]\nhost = {sim.url}\ntoken = {token}\n", encoding="utf-8")
    done = run_moor("upstream", "add", "ws", "--kind", "databricks", "--profile", "dev", "--auth", "pat")
    assert done.code == 0, done.stderr
    assert config(moor_home)["upstreams"]["ws"]["host"] == sim.url
    assert "as dev@example.com" in done.stderr


@pytest.mark.feature("F1.8")
def test_the_default_is_switched_with_models_that_exist_there(run_moor: Run, moor_home: MoorHome) -> None:
    with EmbeddedSim(SimConfig(openai_engine=True)) as sim:
        run_moor("upstream", "add", "sim", "--kind", "sim")
        run_moor("upstream", "add", "eng", "--kind", "openai", "--base-url", f"{sim.url}/v1")
        done = run_moor("upstream", "use", "eng")
    assert done.code == 0, done.stderr
    assert config(moor_home)["defaults"] == {"upstream": "eng", "model": "sim-coder", "small_model": "sim-coder"}
    run_moor("upstream", "use", "sim")
    assert config(moor_home)["defaults"]["model"].startswith("system.ai.claude")


def test_removing_the_default_takes_its_models_and_credential_along(
    run_moor: Run, moor_home: MoorHome, sim: EmbeddedSim
) -> None:
    token = sim.control.mint().reveal()
    run_moor("login", "--host", sim.url, "--pat", stdin=token + "\n")
    run_moor("upstream", "add", "sim", "--kind", "sim")
    done = run_moor("upstream", "remove", "local")
    assert done.code == 0
    assert "moor upstream use sim" in done.stderr
    assert config(moor_home) == {"upstreams": {"sim": {"kind": "sim"}}}
    assert token not in (moor_home.root / "credentials.json").read_text(encoding="utf-8")
    assert not list((moor_home.root / "catalogues").glob("local*"))


@pytest.mark.parametrize(
    ("argv", "words"),
    [
        (("use", "nope"), "unknown-upstream"),
        (("show", "nope"), "unknown-upstream"),
        (("remove", "nope"), "unknown-upstream"),
        (("show",), "no-upstream"),
        (("add", "a.b", "--kind", "sim"), "upstream-name-invalid"),
        (("add", "a", "--kind", "magic"), "invalid choice"),
        (("add", "a", "--kind", "openai"), "base_url is not set"),
        (("add", "a", "--kind", "openai", "--base-url", "http://engine.example/v1"), "plaintext-refused"),
        (("add", "a", "--kind", "databricks"), "host is not set"),
        (("add", "a", "--kind", "databricks", "--host", "https://x.example", "--route", "fast"), "route"),
    ],
)
def test_wrong_use_writes_nothing(run_moor: Run, moor_home: MoorHome, argv: tuple[str, ...], words: str) -> None:
    done = run_moor("upstream", *argv)
    assert done.code == 2, done.stderr
    assert words in done.stderr
    assert "hint:" in done.stderr
    assert config(moor_home) == {}


def test_a_name_is_taken_once(run_moor: Run) -> None:
    run_moor("upstream", "add", "sim", "--kind", "sim")
    done = run_moor("upstream", "add", "sim", "--kind", "sim")
    assert done.code == 2
    assert "upstream-exists" in done.stderr


def test_without_a_terminal_the_command_to_type_is_printed(run_moor: Run) -> None:
    for argv in ((), ("models",), ("opencode",)):
        done = run_moor(*argv)
        assert done.code == 2, done.stderr
        assert "moor login --host" in done.stderr


@pytest.mark.feature("F7.2")
def test_the_first_run_on_a_terminal_signs_in_to_a_workspace(moor_home: MoorHome, sim: EmbeddedSim) -> None:
    environ = {**moor_home.environ, "BROWSER": BROWSER}
    with Terminal([], environ, moor_home.work) as terminal:
        terminal.expect("1, 2, 3 or an address")
        terminal.type("1")
        terminal.expect("address of the workspace")
        terminal.type(sim.url)
        assert terminal.end() == 0, terminal.text
    assert "as dev@example.com" in terminal.text
    assert config(moor_home)["upstreams"]["local"]["host"] == sim.url


def test_the_first_run_on_a_terminal_takes_an_engine_or_the_simulator(moor_home: MoorHome) -> None:
    with (
        EmbeddedSim(SimConfig(openai_engine=True)) as sim,
        Terminal([], moor_home.environ, moor_home.work) as terminal,
    ):
        terminal.expect("1, 2, 3 or an address")
        terminal.type(f"{sim.url}/v1")
        terminal.expect("holds its key")
        terminal.type("")
        assert terminal.end() == 0, terminal.text
    assert config(moor_home)["upstreams"]["local"]["kind"] == "openai"
    (moor_home.root / "config.toml").unlink()
    with Terminal([], moor_home.environ, moor_home.work) as terminal:
        terminal.expect("1, 2, 3 or an address")
        terminal.type("3")
        assert terminal.end() == 0, terminal.text
    assert config(moor_home)["defaults"]["upstream"] == "sim"


def test_a_missing_sign_in_is_made_up_for_on_a_terminal(run_moor: Run, moor_home: MoorHome, sim: EmbeddedSim) -> None:
    run_moor("upstream", "add", "ws", "--kind", "databricks", "--host", sim.url)
    done = run_moor("opencode")
    assert done.code == 3
    assert "hint: moor login --upstream ws" in done.stderr
    no_npm = moor_home.user / "bin"
    no_npm.mkdir()
    for name in ("setsid", "sh"):
        (no_npm / name).symlink_to(shutil.which(name) or name)
    environ = {**moor_home.environ, "BROWSER": BROWSER, "PATH": str(no_npm)}
    with Terminal(["--dry-run", "opencode"], environ, moor_home.work) as terminal:
        terminal.expect("as dev@example.com")
        terminal.end()
    assert run_moor("auth", "status").code == 0


def test_a_first_run_that_is_left_writes_nothing(moor_home: MoorHome) -> None:
    with Terminal([], moor_home.environ, moor_home.work) as terminal:
        terminal.expect("1, 2, 3 or an address")
        terminal.type("\x03")
        assert terminal.end() == 130, terminal.text
    assert "Traceback" not in terminal.text
    assert config(moor_home) == {}
