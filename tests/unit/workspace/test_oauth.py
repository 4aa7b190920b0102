"""The token endpoint and what a workspace says of itself, against the simulator."""

from __future__ import annotations

import pytest

from moor.clock import SystemClock
from moor.errors.auth import RefreshRefused, SignInRefused
from moor.errors.net import NotJson, PlaintextRefused
from moor.errors.upstream import RateLimited, UpstreamFailing
from moor.secrets import Secret
from moor.sim.embedded import EmbeddedSim
from moor.store.credentials import StoredCredential
from moor.upstreams.sim import sign_in_quietly
from moor.workspace.metadata import HostMetadata, oidc_endpoints
from moor.workspace.place import Place
from tests.support.web import Asked, Said, serve_web


def place_of(url: str) -> Place:
    return Place(url, environ={}, clock=SystemClock())


def test_a_sign_in_gives_tokens_with_their_life(sim: EmbeddedSim) -> None:
    stored = sign_in_quietly(place_of(sim.url))
    assert stored.access_token.reveal().startswith("eyJ")
    assert stored.refresh_token
    assert stored.expires_at is not None
    assert 3590 < stored.expires_at - stored.saved_at <= 3600
    assert stored.host == sim.url


def test_each_renewal_brings_a_new_refresh_token(sim: EmbeddedSim) -> None:
    place = place_of(sim.url)
    first = sign_in_quietly(place)
    second = place.renew(first)
    assert second.refresh_token != first.refresh_token
    assert second.generation != first.generation


def test_a_second_presentation_is_refused_as_spent(sim: EmbeddedSim) -> None:
    place = place_of(sim.url)
    first = sign_in_quietly(place)
    place.renew(first)
    with pytest.raises(RefreshRefused, match="invalid"):
        place.renew(first)


def test_an_answer_without_a_new_refresh_token_keeps_the_old_one() -> None:
    said = Said(200, b'{"access_token":"a","token_type":"Bearer","expires_in":"60"}')
    stored = StoredCredential(kind="oauth", access_token=Secret("x"), refresh_token=Secret("keep"), user="me")
    with serve_web(lambda _: said) as web:
        renewed = place_of(web.url).renew(stored)
    assert renewed.refresh_token == Secret("keep")
    assert renewed.user == "me"
    assert renewed.expires_at is not None
    assert renewed.expires_at - renewed.saved_at == 60


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        (Said(400, b'{"error":"invalid_grant","error_description":"x"}'), RefreshRefused),
        (Said(400, b'{"error":"invalid_request","error_description":"Refresh token is invalid"}'), RefreshRefused),
        (Said(401, b'{"errorCode":"invalid_grant","errorSummary":"x"}'), RefreshRefused),
        (Said(400, b'{"error":"invalid_client"}'), SignInRefused),
        (Said(429, b"{}"), RateLimited),
        (Said(500, b"{}"), UpstreamFailing),
        (Said(200, b"<html>portal</html>"), NotJson),
        (Said(200, b"{}"), NotJson),
    ],
)
def test_only_a_spent_token_counts_as_spent(said: Said, kind: type[Exception]) -> None:
    stored = StoredCredential(kind="oauth", access_token=Secret("x"), refresh_token=Secret("r"))

    def answer(asked: Asked) -> Said:
        return said if asked.method == "POST" else Said(404)

    with serve_web(answer) as web, pytest.raises(kind):
        place_of(web.url).renew(stored)
    assert [asked.target for asked in web.asked if asked.method == "POST"] == ["/oidc/v1/token"]


@pytest.mark.feature("F1.5")
def test_a_service_principal_gets_a_token_without_a_refresh_token(sim: EmbeddedSim) -> None:
    client_id, secret = sim.control.service_principal()
    place = place_of(sim.url)
    stored = place.token_endpoint(place.endpoints).client_credentials(client_id, secret)
    assert stored.access_token
    assert stored.refresh_token is None
    with pytest.raises(SignInRefused):
        place.token_endpoint(place.endpoints).client_credentials(client_id, Secret("wrong"))


def test_a_host_without_metadata_is_asked_at_the_documented_paths() -> None:
    with serve_web(lambda _: Said(404)) as web:
        place = place_of(web.url)
        assert place.endpoints == (f"{web.url}/oidc/v1/authorize", f"{web.url}/oidc/v1/token")
        assert place.metadata == HostMetadata()


def test_metadata_that_is_a_page_is_told() -> None:
    with serve_web(lambda _: Said(200, b"<html>")) as web, pytest.raises(NotJson):
        _ = place_of(web.url).endpoints


def test_tokens_are_never_sent_in_the_clear_or_to_this_machine_at_a_remote_host_s_word() -> None:
    with serve_web(lambda _: Said(404)) as web:
        client = Place("https://ws.example", environ={}, clock=SystemClock()).client()
        for root in (web.url + "/oidc", "http://evil.example/oidc"):
            with pytest.raises(PlaintextRefused):
                oidc_endpoints(client, HostMetadata(oidc_endpoint=root))
        client.close()


def test_an_account_level_endpoint_is_followed() -> None:
    client = Place("https://ws.example", environ={}, clock=SystemClock()).client()
    found = oidc_endpoints(client, HostMetadata(oidc_endpoint="https://accounts.example/oidc/accounts/7"))
    assert found.token == "https://accounts.example/oidc/accounts/7/v1/token"
