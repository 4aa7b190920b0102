"""Scenario files: the built-in ones are whole, a bad one is told what is wrong with it."""

from __future__ import annotations

import subprocess
import sys

import pytest

from moor.errors.sim import ScenarioInvalid, ScenarioUnknown
from moor.sim.script.library import Library

GOOD = 'about = "x"\n[[step]]\nsay = "Mine (simulated)."\n'


def test_every_built_in_scenario_says_what_it_is_about():
    library = Library.load()
    assert "fix-test" in library.names()
    assert all(library.get(name).about for name in library.names())


def test_the_project_of_the_demo_fails_its_test_and_passes_after_the_edit(tmp_path):
    scenario = Library.load().get("fix-test")
    for name, text in scenario.files.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    run = [sys.executable, "-B", "-m", "unittest", "-q"]
    assert subprocess.run(run, cwd=tmp_path, capture_output=True, check=False).returncode == 1
    edit = next(step for step in scenario.step if step.edit)
    source = tmp_path / edit.edit
    text = source.read_text(encoding="utf-8")
    assert text.count(edit.old) == 1
    source.write_text(text.replace(edit.old, edit.new), encoding="utf-8")
    done = subprocess.run(run, cwd=tmp_path, capture_output=True, encoding="utf-8", check=True)
    assert "OK" in done.stderr


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("about = ", "Invalid value"),
        ('about = "x"\n', "missing required field `step`"),
        ('about = "x"\nstep = []\n', "it has no step"),
        ('about = "x"\n[[step]]\nsing = "la"\n', "unknown field `sing`"),
        ('about = "x"\n[[step]]\nread = "a"\nrun = "b"\n', "step 1: one action a step, not read and run"),
        ('about = "x"\n[[step]]\nedit = "a"\n', "step 1: `edit` needs `old` and `new`"),
        (
            'about = "x"\n[[step]]\nsay = "a"\n[[step]]\nending = "bang"\n',
            "step 2: ending 'bang' is not one of error",
        ),
        ('about = "x"\n[[step]]\nexpect = "("\n', "step 1: pattern '('"),
        ('about = "x"\n[[step]]\noptions = ["a"]\n', "step 1: `options` belong to `ask`"),
        ('about = "x"\n[[step]]\nrun = "a"\ntogether = [{ run = "b" }]\n', "step 1: `together` stands for itself"),
        ('about = "x"\n[[step]]\ntogether = [{ why = "b" }]\n', "an empty action in `together`"),
    ],
)
def test_a_bad_file_is_told_what_is_wrong_with_it_and_where(tmp_path, text, word):
    (tmp_path / "mine.toml").write_text(text, encoding="utf-8")
    with pytest.raises(ScenarioInvalid) as caught:
        Library.load(tmp_path)
    assert word in caught.value.message
    assert "mine.toml" in caught.value.message


def test_a_file_of_the_users_joins_the_built_in_ones_and_wins_over_one_of_its_name(tmp_path, workspace_of):
    (tmp_path / "hello.toml").write_text(GOOD, encoding="utf-8")
    ws = workspace_of(scenarios_dir=str(tmp_path))
    body = {"model": "databricks-glm-5-2", "messages": [{"role": "user", "content": "sim:hello"}]}
    reply = ws.post("/ai-gateway/mlflow/v1/chat/completions", body)
    assert reply.json()["choices"][0]["message"]["content"] == "Mine (simulated)."
    assert {"name": "think", "about": Library.load().get("think").about} in ws.control.call("GET", "scenarios")


def test_a_folder_that_is_not_there_is_an_error(tmp_path):
    with pytest.raises(ScenarioInvalid, match="is no directory"):
        Library.load(tmp_path / "nothing")


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(ScenarioUnknown, match="there are ask, crowd, cut, default"):
        Library.load().get("nothing")


def test_a_parameter_of_text_takes_a_plus_for_a_space():
    scenario = Library.load().get("run")
    assert scenario.bind(["git+status"]) == {"command": "git status"}
