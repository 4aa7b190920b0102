"""Discovery against the simulated workspace, with its quirks and faults."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from moor.clock import SystemClock
from moor.domain.dialects import ANTHROPIC_MESSAGES, OPENAI_CHAT
from moor.domain.models import Catalogue, Price
from moor.errors.auth import SignInNeeded
from moor.errors.net import NotJson
from moor.secrets import Secret
from moor.sim.config import SimConfig
from moor.sim.embedded import EmbeddedSim
from moor.store.credentials import StoredCredential
from moor.workspace.discovery.discover import discover
from moor.workspace.discovery.found import Found, Listing
from moor.workspace.discovery.merge import merge
from moor.workspace.kinds import PAT
from moor.workspace.place import Place
from moor.workspace.routes import GATEWAY, GATEWAY_HOST, SERVING
from moor.workspace.tokens import FetchedSource


@pytest.fixture
def sim() -> Iterator[EmbeddedSim]:
    with EmbeddedSim(SimConfig(gateway_host=True)) as running:
        yield running


def source_for(token: Secret) -> FetchedSource:
    stored = StoredCredential(kind=PAT, access_token=token, generation="g")
    return FetchedSource("ws", lambda _forced: stored, SystemClock())


def discovered(sim: EmbeddedSim, **more: Any) -> Catalogue:
    place = Place(sim.url, environ={}, clock=SystemClock())
    return discover("ws", place, source_for(sim.control.mint()), fallback_price=lambda _id: None, **more)


@pytest.mark.feature("F4.1", "F4.12")
def test_everything_about_a_workspace_comes_in_one_go(sim: EmbeddedSim) -> None:
    found = discovered(sim)
    assert (found.route, found.workspace_id, found.user) == (GATEWAY, "900800700600", "dev@example.com")
    assert found.reasons == ()
    by_id = {model.id: model for model in found.models}
    assert by_id["system.ai.claude-opus-4-8"].dialects == (ANTHROPIC_MESSAGES, OPENAI_CHAT)
    assert by_id["databricks-meta-llama-3-3-70b-instruct"].ready is False
    assert by_id["databricks-llama-4-maverick"].ready is None
    assert by_id["team-external-claude"].dialects == (OPENAI_CHAT,)
    assert not any("gte-large" in model_id or model_id.endswith("-anthropic") for model_id in by_id)


@pytest.mark.feature("F4.9")
def test_prices_of_the_workspace_are_matched_by_normal_name(sim: EmbeddedSim) -> None:
    by_id = {model.id: model for model in discovered(sim).models}
    for model_id in ("system.ai.claude-sonnet-4-6", "databricks-claude-sonnet-4-6"):
        price = by_id[model_id].price
        assert price is not None
        assert (price.input, price.output, price.cache_read) == (3_000_000_000, 15_000_000_000, 300_000_000)
        assert price.cache_write == price.input, "not stated: never free"
        assert price.source == "workspace"
        assert len(price.date) == 10


def test_a_listing_that_fails_is_a_reason_and_the_rest_is_kept(sim: EmbeddedSim) -> None:
    sim.control.fault("*model-services*", status=403, body={"error_code": "PERMISSION_DENIED", "message": "no"})
    sim.control.fault("*external-provider-models*", status=500)
    found = discovered(sim)
    assert len(found.reasons) == 2
    assert any("listing model services" in reason for reason in found.reasons)
    assert "databricks-claude-sonnet-4-6" in {model.id for model in found.models}


def test_a_later_page_that_fails_leaves_the_earlier_ones(sim: EmbeddedSim) -> None:
    page = {"model_services": [{"name": "model-services/system.ai.claude-one"}], "next_page_token": "t"}
    sim.control.fault("*model-services*", body=page, times=1)
    sim.control.fault("*model-services*", status=400, body={"message": "bad token"})
    found = discovered(sim)
    assert "system.ai.claude-one" in {model.id for model in found.models}
    assert any("bad token" in reason for reason in found.reasons)


def test_a_repeated_page_token_ends_the_walk(sim: EmbeddedSim) -> None:
    page = {"model_services": [{"name": "model-services/system.ai.claude-one"}], "next_page_token": "same"}
    sim.control.fault("*model-services*", body=page)
    assert "system.ai.claude-one" in {model.id for model in discovered(sim).models}
    asked = [row for row in sim.control.requests() if "model-services" in str(row["path"])]
    assert len(asked) == 2


def test_short_failures_of_listings_are_repeated(sim: EmbeddedSim) -> None:
    sim.control.fault("*model-services*", status=499, times=1)
    sim.control.fault("*model-services*", status=504, times=1)
    assert discovered(sim).reasons == ()


@pytest.mark.feature("F3.5")
def test_without_the_gateway_classic_serving_is_used(sim: EmbeddedSim) -> None:
    sim.control.switch(gateway=False)
    found = discovered(sim)
    assert found.route == SERVING
    ids = {model.id for model in found.models}
    assert "databricks-claude-sonnet-4-6" in ids
    assert not any(model_id.startswith("system.ai.") for model_id in ids)
    assert all(set(model.dialects) <= {ANTHROPIC_MESSAGES, OPENAI_CHAT} for model in found.models)


@pytest.mark.feature("F3.6")
def test_the_older_gateway_host_is_found_when_the_current_form_is_off(sim: EmbeddedSim) -> None:
    sim.control.fault("GET /api/ai-gateway/v2/endpoints", status=404, body={"error_code": "ENDPOINT_NOT_FOUND"})
    assert discovered(sim, gateway_host=sim.gateway_url).route == GATEWAY_HOST


def test_a_forbidden_probe_asks_the_gateway_itself(sim: EmbeddedSim) -> None:
    refused = {"error_code": "PERMISSION_DENIED", "message": "no"}
    sim.control.fault("GET /api/ai-gateway/v2/endpoints", status=403, body=refused)
    assert discovered(sim).route == GATEWAY


def test_a_set_route_is_not_probed(sim: EmbeddedSim) -> None:
    assert discovered(sim, route=SERVING).route == SERVING
    assert not [row for row in sim.control.requests() if row["path"] == "/api/ai-gateway/v2/endpoints"]


def test_a_dead_token_is_a_sign_in_problem(sim: EmbeddedSim) -> None:
    place = Place(sim.url, environ={}, clock=SystemClock())
    with pytest.raises(SignInNeeded):
        discover("ws", place, source_for(Secret("dapi" + "0" * 32)), fallback_price=lambda _id: None)


def test_a_captive_portal_is_named(sim: EmbeddedSim) -> None:
    sim.control.fault("*", html=True)
    with pytest.raises(NotJson, match="an HTML page"):
        discovered(sim)


def nothing(_model_id: str) -> Price | None:
    return None


def test_what_two_listings_say_of_one_model_is_joined() -> None:
    merged = merge(
        [
            Listing((Found("databricks-claude-x", "a", ("anthropic/v1/messages",)),)),
            Listing((Found("databricks-claude-x", "b", ("mlflow/v1/chat/completions",), True, "Claude X"),)),
        ],
        GATEWAY,
        nothing,
    )
    [model] = merged
    assert (model.dialects, model.ready, model.display_name, model.source) == (
        (ANTHROPIC_MESSAGES,),
        True,
        "Claude X",
        "a",
    )


def test_a_model_that_the_gateway_does_not_take_is_left_out() -> None:
    assert merge([Listing((Found("databricks-old", "a", on_gateway=False),))], GATEWAY, nothing) == ()
    [model] = merge([Listing((Found("databricks-old", "a", on_gateway=False),))], SERVING, nothing)
    assert model.dialects == (OPENAI_CHAT,)


@pytest.mark.parametrize("route", [GATEWAY, GATEWAY_HOST, SERVING])
def test_an_endpoint_of_the_workspaces_own_is_asked_in_chat_whatever_its_name(route: str) -> None:
    own = Listing((Found(id="team-external-claude", source="serving-endpoints"),))
    assert [model.dialects for model in merge([own], route, nothing)] == [(OPENAI_CHAT,)]
