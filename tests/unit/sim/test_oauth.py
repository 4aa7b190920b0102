"""Sign-in against the simulated workspace."""

from __future__ import annotations

import base64
import json
from urllib.parse import parse_qs, urlsplit

import pytest

VERIFIER = "v" * 43


def _claims(token):
    body = token.split(".")[1]
    return json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))


def _query(reply):
    return {k: v[0] for k, v in parse_qs(urlsplit(reply.headers["location"]).query).items()}


def test_host_metadata_leads_to_discovery_and_discovery_to_both_endpoints(ws):
    meta = ws.get("/.well-known/databricks-config", token="").json()
    assert meta["workspace_id"] == "900800700600"
    found = ws.get(urlsplit(meta["oidc_endpoint"]).path + "/.well-known/oauth-authorization-server", token="").json()
    assert found["authorization_endpoint"] == f"{ws.sim.url}/oidc/v1/authorize"
    assert found["token_endpoint"] == f"{ws.sim.url}/oidc/v1/token"
    assert found["code_challenge_methods_supported"] == ["S256"]


def test_host_metadata_can_be_switched_off(ws):
    ws.control.switch(host_metadata=False)
    assert ws.get("/.well-known/databricks-config", token="").status == 404


def test_consent_redirects_with_code_state_and_issuer(ws):
    reply = ws.authorize(VERIFIER, state="abc")
    assert reply.status == 302
    assert reply.headers["location"].startswith("http://localhost:8020?")
    assert _query(reply)["state"] == "abc"
    assert _query(reply)["iss"] == f"{ws.sim.url}/oidc"


@pytest.mark.parametrize(
    "uri",
    [
        "http://localhost:8019",
        "http://localhost:8041",
        "http://127.0.0.1:8020",
        "https://localhost:8020",
        "http://evil.example:8020",
        "http://localhost:port",
    ],
)
def test_a_redirect_that_is_not_registered_never_redirects(ws, uri):
    reply = ws.authorize(VERIFIER, redirect_uri=uri)
    assert reply.status == 400
    assert "location" not in reply.headers


@pytest.mark.parametrize("port", [8020, 8040])
def test_the_ports_at_both_ends_of_the_range_are_taken(ws, port):
    assert ws.authorize(VERIFIER, redirect_uri=f"http://localhost:{port}").status == 302


def test_an_unknown_client_never_redirects(ws):
    assert ws.authorize(VERIFIER, client_id="somebody").status == 400


@pytest.mark.parametrize(
    "change",
    [{"code_challenge_method": "plain"}, {"code_challenge": "short"}, {"response_type": "token"}, {"scope": ""}],
)
def test_a_malformed_request_goes_back_with_an_error(ws, change):
    reply = ws.authorize(VERIFIER, **change)
    assert _query(reply)["error"] == "invalid_request"
    assert "code" not in _query(reply)


def test_without_auto_consent_a_page_says_that_it_is_simulated_and_offers_both_ways(workspace_of):
    ws = workspace_of(auto_consent=False)
    page = ws.authorize(VERIFIER)
    assert page.status == 200
    assert "simulation" in page.text
    assert _query(ws.authorize(VERIFIER, sim_consent="allow"))["code"]
    assert _query(ws.authorize(VERIFIER, sim_consent="deny"))["error"] == "access_denied"


def test_the_exchange_gives_a_token_that_expires_when_it_says(ws):
    granted = ws.sign_in()
    claims = _claims(granted["access_token"])
    assert claims["exp"] - claims["iat"] == granted["expires_in"] == 3600
    assert (
        ws.get("/api/2.0/preview/scim/v2/Me", token=granted["access_token"]).json()["userName"] == "dev@example.com"
    )
    ws.control.advance(3599)
    assert ws.get("/api/2.0/preview/scim/v2/Me", token=granted["access_token"]).status == 200
    ws.control.advance(2)
    assert ws.get("/api/2.0/preview/scim/v2/Me", token=granted["access_token"]).status == 403


def test_a_code_works_once(ws):
    code = _query(ws.authorize(VERIFIER))["code"]
    assert ws.exchange(code, VERIFIER).status == 200
    again = ws.exchange(code, VERIFIER)
    assert (again.status, again.json()["error"]) == (400, "invalid_grant")


def test_a_code_dies_with_a_wrong_verifier(ws):
    code = _query(ws.authorize(VERIFIER))["code"]
    assert ws.exchange(code, "w" * 43).json()["error"] == "invalid_grant"
    assert ws.exchange(code, VERIFIER).json()["error"] == "invalid_grant"


def test_without_offline_access_there_is_no_refresh_token(ws):
    assert "refresh_token" not in ws.sign_in(scope="all-apis")


def test_a_refresh_rotates_the_token(ws):
    first = ws.sign_in()
    second = ws.refresh(first["refresh_token"]).json()
    assert second["refresh_token"] != first["refresh_token"]
    assert ws.refresh(second["refresh_token"]).status == 200


def test_a_refresh_token_presented_twice_revokes_the_whole_sign_in(ws):
    first = ws.sign_in()
    second = ws.refresh(first["refresh_token"]).json()
    reuse = ws.refresh(first["refresh_token"])
    assert (reuse.status, reuse.json()) == (
        400,
        {"error": "invalid_grant", "error_description": "Refresh token is invalid"},
    )
    assert ws.refresh(second["refresh_token"]).status == 400
    assert ws.get("/api/2.0/preview/scim/v2/Me", token=second["access_token"]).status == 403
    counts = ws.control.tokens()
    assert (counts["refresh_presented_twice"], counts["families_revoked"]) == (1, 1)


def test_two_sign_ins_do_not_fall_together(ws):
    first, other = ws.sign_in(), ws.sign_in()
    ws.refresh(first["refresh_token"])
    ws.refresh(first["refresh_token"])
    assert ws.refresh(other["refresh_token"]).status == 200


def test_without_rotation_the_same_refresh_token_serves_again(workspace_of):
    ws = workspace_of(rotate_refresh=False)
    first = ws.sign_in()
    for _ in range(3):
        assert ws.refresh(first["refresh_token"]).json()["refresh_token"] == first["refresh_token"]
    assert ws.control.tokens()["refresh_presented_twice"] == 0


def test_a_refresh_may_be_answered_without_a_refresh_token(ws):
    ws.control.switch(refresh_answer_without_token=True)
    first = ws.sign_in()
    assert "refresh_token" not in ws.refresh(first["refresh_token"]).json()
    assert ws.refresh(first["refresh_token"]).status == 200


def test_a_dead_refresh_token_has_either_error_code(ws):
    assert ws.refresh("nonsense").json()["error"] == "invalid_grant"
    ws.control.switch(refresh_invalid_request=True)
    assert ws.refresh("nonsense").json() == {
        "error": "invalid_request",
        "error_description": "Refresh token is invalid",
    }


def test_the_life_of_tokens_can_be_set_while_it_runs(ws):
    ws.control.token_ttl(5)
    assert ws.sign_in()["expires_in"] == 5


def test_a_service_principal_gets_a_token_without_a_refresh_token(ws):
    client_id, secret = ws.control.service_principal()
    good = ws.form(
        grant_type="client_credentials", scope="all-apis", client_id=client_id, client_secret=secret.reveal()
    ).json()
    assert "refresh_token" not in good
    assert ws.get("/api/2.0/preview/scim/v2/Me", token=good["access_token"]).json()["userName"] == client_id
    bad = ws.form(grant_type="client_credentials", client_id=client_id, client_secret="wrong")
    assert (bad.status, bad.json()["error"]) == (401, "invalid_client")


def test_an_unknown_grant_type_and_a_json_body_are_refused(ws):
    assert ws.form(grant_type="password").json()["error"] == "unsupported_grant_type"
    assert ws.post("/oidc/v1/token", {"grant_type": "refresh_token"}, token="").status == 400
