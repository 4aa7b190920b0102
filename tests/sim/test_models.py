"""`moor models` with the real command."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from moor.sim.embedded import EmbeddedSim
from tests.support.home import MoorHome
from tests.support.moor import Done

Run = Callable[..., Done]


@pytest.fixture
def signed_in(run_moor: Run, sim: EmbeddedSim) -> EmbeddedSim:
    done = run_moor("login", "--host", sim.url, "--pat", stdin=sim.control.mint().reveal() + "\n")
    assert done.code == 0, done.stderr
    return sim


@pytest.mark.feature("F4.2")
@pytest.mark.usefixtures("signed_in")
def test_models_are_listed_with_the_configured_ones_marked(run_moor: Run) -> None:
    done = run_moor("models")
    assert done.code == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].split()[:2] == ["MODEL", "FAMILY"]
    assert next(line for line in lines if line.endswith("default")).startswith("system.ai.claude-sonnet")
    assert any("NOT READY" in line for line in lines)
    assert "databricks-claude-opus-4-8" not in done.stdout, "a second name of the same model"
    assert "databricks-claude-opus-4-8" in run_moor("models", "--all").stdout


@pytest.mark.feature("F4.9")
@pytest.mark.usefixtures("signed_in")
def test_the_json_form_has_everything_of_every_model(run_moor: Run) -> None:
    rows = {row["id"]: row for row in run_moor("models", "--json").last_json}
    row = rows["databricks-claude-opus-4-8"]
    assert row["alias_of"] == "system.ai.claude-opus-4-8"
    assert (row["family"], row["context"], row["ready"], row["allowed"]) == ("claude", 200_000, True, True)
    assert row["dialects"] == ["anthropic-messages", "openai-chat"]
    assert (row["price"]["input"], row["price"]["unit"]) == (5.0, "usd_per_million_tokens")
    assert row["price"]["source"] == "workspace"


@pytest.mark.feature("F4.4")
@pytest.mark.usefixtures("signed_in")
def test_the_policy_says_which_model_is_denied_and_why(run_moor: Run, moor_home: MoorHome) -> None:
    path = moor_home.root / "config.toml"
    path.write_text(path.read_text(encoding="utf-8") + '\n[policy]\ndeny = ["*opus*"]\n', encoding="utf-8")
    rows = {row["id"]: row for row in run_moor("models", "--json").last_json}
    assert rows["system.ai.claude-opus-5"]["allowed"] is False
    assert "user policy" in rows["system.ai.claude-opus-5"]["why_not"]
    assert rows["system.ai.claude-sonnet-5"]["allowed"] is True
    assert "denied by '*opus*'" in run_moor("models").stdout


@pytest.mark.feature("F4.3")
@pytest.mark.usefixtures("signed_in")
def test_a_check_fails_when_a_configured_model_cannot_be_called(run_moor: Run) -> None:
    assert run_moor("models", "--check").code == 0
    for model, words in (("nope", "is not served"), ("databricks-meta-llama-3-3-70b-instruct", "is not ready")):
        done = run_moor("models", "--check", env={"MOOR_MODEL": model})
        assert done.code == 1
        assert words in done.stderr


def test_the_list_lies_on_disk_and_is_asked_again_on_demand(run_moor: Run, signed_in: EmbeddedSim) -> None:
    asked = len(signed_in.control.requests())
    assert run_moor("models").code == 0
    assert len(signed_in.control.requests()) == asked
    signed_in.control.switch(model_services=False)
    done = run_moor("models", "--refresh", "--json")
    assert len(signed_in.control.requests()) > asked
    assert not any(row["id"].startswith("system.ai.") for row in done.last_json)
    assert "default model" not in run_moor("models").stderr


def test_a_listing_that_failed_is_a_warning_with_its_reason(run_moor: Run, signed_in: EmbeddedSim) -> None:
    refused = {"error_code": "PERMISSION_DENIED", "message": "User does not have USE SCHEMA on Schema 'system.ai'."}
    signed_in.control.fault("*model-services*", status=403, body=refused)
    done = run_moor("models", "--refresh")
    assert done.code == 0
    assert "USE SCHEMA" in done.stderr


@pytest.mark.parametrize(
    ("fault", "code", "words"),
    [
        ({"status": 500, "body": {"message": "boom"}}, 4, "answered 500"),
        ({"status": 403, "body": {"error_code": "PERMISSION_DENIED", "message": "no"}}, 1, "forbidden"),
        ({"html": True}, 4, "an HTML page"),
        ({"garbage": True}, 4, "instead of JSON"),
        ({"drop": True}, 4, "closed the connection"),
        ({"raw": "HTTP/1.1 banana\r\n\r\n"}, 4, "unreachable"),
        ({"status": 429, "headers": {"Retry-After": "120"}}, 1, "rate-limited"),
        ({"status": 302, "headers": {"Location": "https://evil.example/"}}, 4, "redirects to"),
    ],
)
def test_each_fault_of_the_workspace_is_one_sentence(
    run_moor: Run, signed_in: EmbeddedSim, fault: dict[str, object], code: int, words: str
) -> None:
    signed_in.control.fault("*/scim/v2/Me", **fault)
    done = run_moor("models", "--refresh")
    assert done.code == code, done.stderr
    assert words in done.stderr
    assert done.stderr.count("error:") == 1
    assert "Traceback" not in done.stderr
    assert run_moor("models").code == 0, "the list that was known stays"


def test_another_upstream_is_named_by_option(run_moor: Run, signed_in: EmbeddedSim) -> None:
    run_moor("upstream", "add", "sim", "--kind", "sim")
    assert run_moor("models", "--upstream", "sim").code == 0
    done = run_moor("models", "--upstream", "simm")
    assert done.code == 2
    assert "did you mean: sim" in done.stderr
