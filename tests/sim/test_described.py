"""An agent that only the user's config knows: started, run headless, fenced and accounted for like any other."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.trouble import assert_told
from tests.support.workplace import Workplace, workplace

TINY = """
import json, os, sys, urllib.request
config = json.load(open(os.environ["TINY_CONFIG"], encoding="utf-8"))
model = sys.argv[sys.argv.index("--model") + 1]
body = {"model": model, "messages": [{"role": "user", "content": sys.argv[-1]}]}
headers = {"Authorization": "Bearer " + config["key"], "Content-Type": "application/json"}
request = urllib.request.Request(config["url"] + "/chat/completions", json.dumps(body).encode(), headers)
try:
    with urllib.request.urlopen(request) as answer:
        print(json.load(answer)["choices"][0]["message"]["content"])
except urllib.error.HTTPError as error:
    sys.exit(json.load(error)["error"]["message"])
"""

DESCRIPTION = """
[agents.tiny]
title = "Tiny"
command = ["{python}", "{program}"]
dialects = ["openai-chat"]
model_flag = "--model"
terminal = ["--model", "{{model}}"]
headless = ["--model", "{{model}}", "{{prompt}}"]

[agents.tiny.env]
TINY_CONFIG = "{{session_home}}/tiny.json"

[agents.tiny.files]
"tiny.json" = '{{"url": "{{openai_url}}", "key": "{{key}}"}}'
"""


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Workplace]:
    with workplace(tmp_path, tmp_path / "no-agents") as made:
        program = tmp_path / "tiny.py"
        program.write_text(TINY, encoding="utf-8")
        describe(made, DESCRIPTION.format(python=sys.executable, program=program))
        yield made


def describe(place: Workplace, text: str) -> None:
    """Add to the user's config."""
    path = place.store.config_path
    path.write_text(path.read_text("utf-8") + text, encoding="utf-8")


@pytest.mark.feature("F7.1", "F12.1")
def test_it_is_run_headless_on_a_private_file_and_counted(place: Workplace) -> None:
    refused = place.moor("run", "--agent", "tiny", "--json", "sim:hello")
    assert_told(refused, 2, "agent-asks-nobody", "--preset full")
    done = place.must("run", "--agent", "tiny", "--preset", "full", "--json", "sim:hello")
    result = done.last_json
    assert (result["status"], result["text"], result["agent"]) == (
        "completed",
        "Hello from the simulated model.",
        "tiny",
    )
    assert result["tokens"]["output"] > 0
    place.assert_clean_end()
    place.assert_ledger_equals_sim()


@pytest.mark.feature("F7.1", "F4.5")
def test_its_own_arguments_pass_and_a_denied_model_does_not(place: Workplace) -> None:
    done = place.must("tiny", "sim:hello")
    assert done.stdout == "Hello from the simulated model.\n"
    place.must("config", "set", "policy.deny", "*opus*")
    refused = place.moor("tiny", "--model", "system.ai.claude-opus-4-8", "sim:hello")
    assert_told(refused, 2, "agent-model-unknown", "system.ai.claude-opus-4-8")
    assert not any("opus" in call["model"] for call in place.model_calls())


def test_a_failed_call_is_told_in_the_upstreams_words(place: Workplace) -> None:
    place.sim.control.fault("*chat/completions*", status=403, body={"error": {"message": "not for you"}})
    done = place.moor("run", "--agent", "tiny", "--preset", "full", "--json", "sim:hello")
    assert (done.code, done.last_json["status"]) == (1, "failed")
    assert "not for you" in done.last_json["error"]["message"]


def test_moor_knows_it_by_name(place: Workplace) -> None:
    assert any(
        agent["id"] == "tiny" and agent["installed"] for agent in place.must("status", "--json").last_json["agents"]
    )
    place.must("config", "set", "defaults.agent", "tiny")
    place.must("config", "set", "agents.tiny.model", "system.ai.kimi-k2-7-code")
    assert "system.ai.kimi-k2-7-code" in place.must("--dry-run", "tiny").stdout
    assert "tiny" in place.must("completion", "bash").stdout


def test_its_plan_shows_no_key(place: Workplace) -> None:
    plan = place.must("--dry-run", "tiny").stdout
    assert "tiny.json" in plan
    assert "moor-" not in plan.replace("moor-simulated", "")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (
            '[agents.other]\ncommand = ["x", "{key}"]\ndialects = ["openai-chat"]\n',
            "agents.other.command holds {key}",
        ),
        ('[agents.other]\ntitle = "Other"\n', "agents.other.command must be given"),
        ('[agents.opencode]\ncommand = ["x"]\ndialects = ["openai-chat"]\n', "moor has one of that name itself"),
    ],
)
def test_a_mistake_stops_everything_before_it_starts(place: Workplace, text: str, words: str) -> None:
    describe(place, text)
    done = place.moor("run", "--agent", "opencode", "--json", "sim:hello")
    assert done.code == 2
    assert words in done.stderr
    assert json.loads(done.stdout)["status"] == "failed"
