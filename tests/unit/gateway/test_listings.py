"""Listings of models, each in the form of the dialect that asks, and probes for what is not there."""

from __future__ import annotations

import json
from typing import Any

import pytest

from moor.domain.dialects import OPENAI_CHAT, OPENAI_RESPONSES
from moor.domain.models import Model
from moor.domain.policy import Policy, PolicyLayer
from moor.domain.session import AgentTraits
from moor.wire.catalogue import catalogue, catalogue_body, fullest_percent
from tests.unit.gateway.rig import make_session, rig, run

WITHOUT_SECRETS = Policy((PolicyLayer("administrator", deny=("secret-*",)),))


@pytest.mark.feature("F4.1")
@pytest.mark.parametrize(
    ("path", "identity"),
    [
        ("/anthropic/v1/models/m-1", {"type": "model", "id": "m-1", "display_name": "m-1"}),
        ("/openai/v1/models/m-1", {"object": "model", "id": "m-1", "owned_by": "claude"}),
        ("/gemini/v1beta/models/m-1", {"name": "models/m-1", "inputTokenLimit": 200_000, "outputTokenLimit": 25_000}),
    ],
)
def test_one_model_is_an_entry_of_its_listing_and_no_other_is_shown(path: str, identity: dict[str, Any]) -> None:
    async def scenario() -> None:
        async with rig(session=make_session(policy=WITHOUT_SECRETS)) as r:
            answer = await r.ask(path, None, "GET")
            assert answer.status == 200
            assert identity.items() <= answer.json.items()
            for other in ("secret-model", "m-9", "m-1%2F..", "%FF"):
                assert (await r.ask(path.replace("m-1", other), None, "GET")).status == 404
            assert (await r.ask(path, None, "GET", authorization=None)).status == 401
            assert (await r.ask(path, {}, "POST")).status == 405
            assert r.server.seen == []
            assert r.ledger.rows == []

    run(scenario())


def test_a_listing_shows_what_its_client_can_call() -> None:
    async def scenario() -> None:
        async with rig() as r:
            anthropic = (await r.ask("/anthropic/v1/models?limit=1000", None, "GET")).json
            assert [entry["id"] for entry in anthropic["data"]] == ["m-1", "m-2", "secret-model"]
            assert (anthropic["first_id"], anthropic["last_id"]) == ("m-1", "secret-model")
            openai = (await r.ask("/openai/v1/models", None, "GET")).json
            assert [entry["id"] for entry in openai["data"]] == ["m-1", "m-2", "secret-model", "free-model"]

    run(scenario())


@pytest.mark.feature("F4.1", "F4.9")
@pytest.mark.parametrize(("query", "listing"), [("?client_version=0.169.0", ""), ("", "catalogue")])
def test_a_client_that_wants_metadata_gets_a_catalogue_of_the_models_it_may_call(query: str, listing: str) -> None:
    async def scenario() -> None:
        session = make_session(policy=WITHOUT_SECRETS, traits=AgentTraits(listing=listing))
        async with rig(session=session) as r:
            models = (await r.ask(f"/openai/v1/models{query}", None, "GET")).json["models"]
            assert [model["slug"] for model in models] == ["m-1", "m-2"]
            assert models[0]["context_window"] == 200_000

    run(scenario())


def test_a_window_is_filled_so_far_that_the_longest_answer_fits() -> None:
    def percent(context: int | None, output: int | None) -> int:
        dialects = (OPENAI_RESPONSES,)
        return fullest_percent(Model(id="m", family="gpt", dialects=dialects, context=context, max_output=output))

    assert percent(400_000, 128_000) == 68
    assert percent(1_000_000, 8_000) == 95
    assert percent(100_000, 100_000) == 50
    assert 0 < percent(None, None) < 95


def test_a_catalogue_names_efforts_of_models_that_think_only() -> None:
    models = [
        Model(id="deep", family="gpt", dialects=(OPENAI_RESPONSES,), reasoning=True),
        Model(id="quick", family="glm", dialects=(OPENAI_RESPONSES,)),
        Model(id="chat", family="gpt", dialects=(OPENAI_CHAT,)),
    ]
    shown = json.loads(catalogue_body(models))["models"]
    assert [(entry["slug"], len(entry["supported_reasoning_levels"])) for entry in shown] == [
        ("deep", 3),
        ("quick", 0),
    ]
    efforts = catalogue(models, effort="xhigh")["models"][0]["supported_reasoning_levels"]
    assert [level["effort"] for level in efforts] == ["low", "medium", "high", "xhigh"]


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/openai/api/v1/models"),
        ("GET", "/openai/api/tags"),
        ("GET", "/openai/v1/props"),
        ("GET", "/openai/props"),
        ("GET", "/openai/version"),
        ("POST", "/anthropic/api/show"),
    ],
)
def test_probes_for_other_servers_are_answered_here_without_a_row(method: str, path: str) -> None:
    async def scenario() -> None:
        async with rig() as r:
            client = await r.client()
            for _ in range(2):
                answer = await client.ask(method, path, {}, {"name": "m-1"} if method == "POST" else None)
                assert (answer.status, answer.broken) == (404, "")
            assert (await client.ask("GET", "/openai/v1/models")).status == 200
            client.close()
            assert (r.server.seen, r.ledger.rows) == ([], [])

    run(scenario())
