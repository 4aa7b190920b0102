"""Good, dead, foreign and missing credentials; personal access tokens; who am I."""

from __future__ import annotations

import pytest

from moor.sim.config import SimUser

ME = "/api/2.0/preview/scim/v2/Me"
MESSAGES = "/ai-gateway/anthropic/v1/messages"
HELLO = {
    "model": "databricks-claude-sonnet-4-6",
    "max_tokens": 50,
    "messages": [{"role": "user", "content": "sim:hello"}],
}


def test_no_credential_is_401_with_the_realm(ws):
    reply = ws.get(ME, token="")
    assert reply.status == 401
    assert reply.headers["www-authenticate"] == 'Bearer realm="DatabricksRealm"'
    assert reply.json()["error_code"] == 401
    assert reply.json()["message"].startswith("Credential was not sent")


def test_a_bad_token_is_403_with_a_number_for_a_code(ws):
    reply = ws.get(ME, token="dapi" + "0" * 32)
    assert reply.status == 403
    assert reply.json()["error_code"] == 403
    assert reply.json()["message"].startswith("Invalid access token. [ReqId: ")
    assert reply.headers["x-databricks-reason-phrase"] == "Invalid access token."


def test_the_gateway_calls_a_foreign_token_invalid_in_plain_text_400(ws, workspace_of):
    foreign = workspace_of().token
    reply = ws.post(MESSAGES, HELLO, token=foreign)
    assert (reply.status, reply.text) == (400, "Invalid Token")


def test_the_gateway_calls_an_expired_token_invalid_403(ws):
    ws.control.advance(3601)
    reply = ws.post(MESSAGES, HELLO)
    assert (reply.status, reply.text) == (403, "Invalid Token")


@pytest.mark.parametrize(
    ("form", "status", "word"),
    [
        ("numeric-403", 403, "Invalid access token"),
        ("jwt-expired-403", 403, "JWT has expired"),
        ("invalid-token-400", 400, "Invalid Token"),
        ("invalid-token-401", 401, "Invalid Token"),
        ("invalid-token-403", 403, "Invalid Token"),
        ("token-expired-401", 401, "Token is expired"),
        ("token-expiring-403", 403, "Token is expiring within 30 seconds"),
        ("expired-jwt-exception-400", 400, "ExpiredJwtException"),
    ],
)
def test_each_recorded_form_of_a_dead_credential_can_be_chosen(ws, form, status, word):
    ws.control.dead_credential(form)
    ws.control.revoke_all()
    for path, body in ((ME, None), (MESSAGES, HELLO)):
        reply = ws.call("POST" if body else "GET", path, body)
        assert reply.status == status
        assert word in reply.text


def test_the_forms_can_come_in_turns(ws):
    ws.control.dead_credential("turns")
    ws.control.revoke_all()
    answers = {(r.status, r.text.split("[")[0]) for r in (ws.get(ME) for _ in range(8))}
    assert len(answers) == 8


def test_revoking_all_leaves_the_sign_in_unless_told(ws):
    granted = ws.sign_in()
    assert ws.control.revoke_all() == 2
    assert ws.get(ME, token=granted["access_token"]).status == 403
    renewed = ws.refresh(granted["refresh_token"]).json()
    assert ws.get(ME, token=renewed["access_token"]).status == 200
    ws.control.revoke_all(refresh_too=True)
    assert ws.refresh(renewed["refresh_token"]).status == 400


def test_a_google_key_is_a_credential_on_the_gemini_route_only(ws):
    body = {"contents": [{"parts": [{"text": "sim:hello"}]}]}
    path = "/ai-gateway/gemini/v1beta/models/databricks-gemini-2-5-pro:generateContent"
    assert ws.post(path, body, token="", x_goog_api_key=ws.token).status == 200
    assert ws.post(MESSAGES, HELLO, token="", x_goog_api_key=ws.token).status == 401


def test_an_api_key_header_alone_is_no_credential_unless_switched_on(ws):
    assert ws.post(MESSAGES, HELLO, token="", x_api_key=ws.token).status == 401
    ws.control.switch(x_api_key=True)
    assert ws.post(MESSAGES, HELLO, token="", x_api_key=ws.token).status == 200


def test_a_pat_lives_as_long_as_it_was_made_for_and_dies_when_deleted(ws):
    made = ws.post("/api/2.0/token/create", {"lifetime_seconds": 60, "comment": "c"}).json()
    assert made["token_value"].startswith("dapi")
    listed = ws.get("/api/2.0/token/list").json()["token_infos"]
    assert [info["token_id"] for info in listed] == [made["token_info"]["token_id"]]
    assert listed[0]["expiry_time"] - listed[0]["creation_time"] == 60_000
    assert ws.get(ME, token=made["token_value"]).status == 200
    assert ws.post("/api/2.0/token/delete", {"token_id": made["token_info"]["token_id"]}).json() == {}
    assert ws.get(ME, token=made["token_value"]).status == 403
    again = ws.post("/api/2.0/token/delete", {"token_id": made["token_info"]["token_id"]})
    assert (again.status, again.json()["error_code"]) == (404, "RESOURCE_DOES_NOT_EXIST")


def test_a_user_may_be_forbidden_pats(workspace_of):
    ws = workspace_of(users=(SimUser(pat_allowed=False),))
    reply = ws.post("/api/2.0/token/create", {})
    assert (reply.status, reply.json()["error_code"]) == (403, "PERMISSION_DENIED")


def test_a_pat_can_be_kept_off_the_gateway(ws):
    pat = ws.control.mint("pat").reveal()
    assert ws.post(MESSAGES, HELLO, token=pat).status == 200
    ws.control.switch(pat_on_gateway=False)
    assert ws.post(MESSAGES, HELLO, token=pat).status == 403
    assert ws.post(MESSAGES, HELLO).status == 200


def test_a_user_in_no_group_has_no_groups_key(workspace_of):
    ws = workspace_of(users=(SimUser(groups=()),))
    me = ws.get(ME)
    assert "groups" not in me.json()
    assert me.headers["x-databricks-org-id"] == "900800700600"


def test_introspection_names_the_workspace_by_number(ws):
    scope = ws.get("/api/2.0/tokens/introspect").json()["principal_context"]["authentication_scope"]
    assert scope["workspace_id"] == 900800700600


def test_an_unknown_path_is_404_in_the_workspaces_words_and_marked_as_simulated(ws):
    reply = ws.get("/api/2.0/nothing")
    assert reply.status == 404
    assert reply.json() == {"error_code": "ENDPOINT_NOT_FOUND", "message": "No API found for 'GET /api/2.0/nothing'"}
    assert reply.headers["x-moor-simulated"] == "true"
