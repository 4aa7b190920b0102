"""Real OpenCode on a plain OpenAI-compatible engine: without a key, with one, with a wrong one, and gone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from moor.sim.config import SimConfig
from moor.sim.embedded import EmbeddedSim
from tests.support.home import MoorHome, fresh_home
from tests.support.moor import Done, run_moor_process
from tests.support.trouble import assert_no_secret, assert_result, assert_told

pytestmark = pytest.mark.real

KEY = "sk-engine-0123456789abcdef"
VARIABLE = "MY_ENGINE_KEY"


class Place:
    """A user whose only upstream is one engine."""

    def __init__(self, folder: Path, agents: Path, engine: EmbeddedSim) -> None:
        self.home: MoorHome = fresh_home(folder)
        self.home.environ["MOOR_TEST_AGENTS"] = str(agents)
        self.folder = folder
        self.engine = engine

    def moor(self, *argv: str, **env: str) -> Done:
        """The real command."""
        return run_moor_process(argv, {**self.home.environ, **env}, cwd=self.home.work)

    def add(self, *options: str, **env: str) -> Done:
        """Set the engine up."""
        return self.moor("upstream", "add", "local", "--kind", "openai", "--base-url", self.url, *options, **env)

    @property
    def url(self) -> str:
        """Where it is."""
        return f"{self.engine.url}/v1"

    def run(self, *argv: str, **env: str) -> Done:
        """`moor run --json`."""
        return self.moor("run", "--json", *argv, **env)


@pytest.fixture
def open_place(tmp_path: Path, test_agents: Path) -> Iterator[Place]:
    """With an engine that wants no key."""
    with EmbeddedSim(SimConfig(openai_engine=True)) as engine:
        yield Place(tmp_path, test_agents, engine)


@pytest.fixture
def locked_place(tmp_path: Path, test_agents: Path) -> Iterator[Place]:
    """With an engine that wants one."""
    with EmbeddedSim(SimConfig(openai_engine=True, engine_api_key=KEY)) as engine:
        yield Place(tmp_path, test_agents, engine)


@pytest.mark.feature("F3.7", "F3.3")
def test_an_engine_without_a_key_answers_and_lets_tools_run(open_place: Place) -> None:
    done = open_place.add()
    assert done.code == 0, done.stderr
    done = open_place.run("sim:write-file:made.txt")
    assert done.code == 0, done.stderr
    assert done.last_json["changed_files"] == ["made.txt"]
    assert (open_place.home.work / "made.txt").read_text(encoding="utf-8") == "written by the simulated model\n"
    assert done.last_json["model"] == "sim-coder"
    rows = open_place.moor("usage", "--by", "model", "--json").last_json
    counted = open_place.engine.control.usage()["models"]
    assert {row["model"]: (row["calls"], row["input"], row["output"]) for row in rows} == {
        row["model"]: (row["calls"], row["input"], row["output"]) for row in counted
    }


@pytest.mark.feature("F3.7")
def test_a_key_comes_from_the_environment_and_stays_there(locked_place: Place) -> None:
    added = locked_place.add("--api-key-env", VARIABLE, **{VARIABLE: KEY})
    assert added.code == 0, added.stderr
    done = locked_place.run("sim:run:env", **{VARIABLE: KEY})
    assert done.code == 0, done.stderr
    assert done.last_json["tool_calls"] == 1
    assert VARIABLE not in done.stdout
    log = [row for row in locked_place.engine.control.requests(bodies=True) if row["model"]]
    assert log
    assert KEY not in str(log)
    assert_no_secret(locked_place.folder, [KEY], added.stderr, done.stdout, done.stderr)


@pytest.mark.feature("F7.9")
def test_a_wrong_key_and_a_missing_one_end_with_the_variable_to_set(locked_place: Place) -> None:
    assert locked_place.add("--api-key-env", VARIABLE, **{VARIABLE: KEY}).code == 0
    wrong = locked_place.run("sim:hello", **{VARIABLE: "sk-wrong-0123456789"})
    assert_told(wrong, 3, wrong.last_json["error"]["ref"], VARIABLE, "export")
    assert_result(wrong, "failed", wrong.last_json["error"]["ref"])
    missing = locked_place.run("sim:hello")
    assert_told(missing, 3, "sign-in-needed", VARIABLE)
    assert_result(missing, "failed", "sign-in-needed")
    assert_no_secret(locked_place.folder, [KEY, "sk-wrong-0123456789"], wrong.stdout, wrong.stderr, missing.stderr)


def test_a_wrong_key_is_told_when_the_engine_is_added(locked_place: Place) -> None:
    done = locked_place.add("--api-key-env", VARIABLE, **{VARIABLE: "sk-wrong-0123456789"})
    assert_told(done, 3, "sign-in-needed", "is not accepted", VARIABLE)
    assert_told(locked_place.add(), 2, "upstream-exists", "moor upstream show")


@pytest.mark.feature("F8.4")
def test_an_engine_that_is_gone_is_unreachable(open_place: Place) -> None:
    assert open_place.add().code == 0
    open_place.engine.close()
    done = open_place.run("sim:hello")
    assert_told(done, 4, "unreachable", "127.0.0.1", "refuses the connection", "moor ")
    assert_result(done, "failed", "unreachable")
    assert_told(open_place.moor("models", "--refresh"), 4, "unreachable", "connection refused")


@pytest.mark.parametrize(
    ("fault", "ref"),
    [
        ({"html": True}, "not-json"),
        ({"garbage": True}, "not-json"),
        ({"status": 500, "body": "broken"}, "upstream-failing"),
        ({"status": 404, "body": "nothing here"}, "upstream-invalid"),
        ({"status": 200, "body": {"data": []}}, "no-models"),
    ],
    ids=["a page", "garbage", "500", "404", "an empty list"],
)
def test_an_address_that_is_no_engine_is_told_when_it_is_added(
    fault: dict[str, Any], ref: str, open_place: Place
) -> None:
    open_place.engine.control.fault("*/v1/models", **fault)
    done = open_place.add()
    seen = done.stderr.split("error: ")[1].partition(":")[0]
    assert seen == ref, done.stderr
    assert_told(done, done.code, ref, "")
    assert done.code in (1, 2, 4)
