from __future__ import annotations

from moor.agents.opencode.providers import model_ref, providers, split_ref
from moor.domain.dialects import DIALECTS, GEMINI_GENERATE, OPENAI_RESPONSES
from moor.domain.models import Model
from moor.secrets import Secret
from tests.support.opencode_context import KEY, MAIN, SMALL


def test_each_dialect_has_a_provider_on_the_gateways_address() -> None:
    models = tuple(Model(id=dialect, family="f", dialects=(dialect,)) for dialect in DIALECTS)
    section = providers(models, "http://127.0.0.1:4000", Secret(KEY))
    assert {name: entry["options"]["baseURL"] for name, entry in section.items()} == {
        "moor-anthropic": "http://127.0.0.1:4000/anthropic/v1",
        "moor-chat": "http://127.0.0.1:4000/openai/v1",
        "moor-responses": "http://127.0.0.1:4000/openai/v1",
        "moor-gemini": "http://127.0.0.1:4000/gemini/v1beta",
    }
    assert all(entry["options"]["apiKey"] == KEY for entry in section.values())
    assert all(list(entry["models"]) == entry["whitelist"] for entry in section.values())


def test_a_model_goes_to_its_best_dialect_under_its_own_name() -> None:
    model = Model(id="team/gpt", family="gpt", dialects=(OPENAI_RESPONSES, GEMINI_GENERATE))
    assert model_ref(model) == "moor-responses/team/gpt"
    assert split_ref(model_ref(model)) == ("moor-responses", "team/gpt")


def test_prices_are_dollars_for_a_million_tokens() -> None:
    section = providers((MAIN,), "http://x", Secret(KEY))
    cost = section["moor-anthropic"]["models"][MAIN.id]["cost"]
    assert (cost["input"], cost["output"], cost["cache_write"]) == (3.0, 15.0, 4.0)


def test_a_model_of_unknown_size_gets_both_limits() -> None:
    entry = providers((SMALL,), "http://x", Secret(KEY))["moor-chat"]["models"][SMALL.id]
    assert set(entry["limit"]) == {"context", "output"}
    assert "cost" not in entry
    tiny = Model(id="t", family="f", dialects=SMALL.dialects, context=4_096, max_output=100_000)
    limit = providers((tiny,), "http://x", Secret(KEY))["moor-chat"]["models"]["t"]["limit"]
    assert limit == {"context": 4_096, "output": 2_048}
