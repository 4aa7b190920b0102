"""What the simulator remembers, and that no credential is in it."""

from __future__ import annotations

import hashlib
import json

CHAT = "/ai-gateway/mlflow/v1/chat/completions"
BODY = {"model": "databricks-glm-5-2", "messages": [{"role": "user", "content": "sim:hello"}]}


def test_an_entry_tells_who_asked_what_with_which_token_and_how_it_ended(ws):
    ws.post(CHAT, BODY, user_agent="moor/0 agent/1", x_session_id="ses_1")
    seen = ws.control.requests(bodies=True)[-1]
    assert (seen["method"], seen["path"], seen["status"]) == ("POST", CHAT, 200)
    assert (seen["model"], seen["dialect"], seen["stream"]) == ("databricks-glm-5-2", "openai-chat", False)
    assert (seen["user"], seen["token_generation"], seen["credential_in"]) == ("dev@example.com", 1, "authorization")
    assert seen["user_agent"] == "moor/0 agent/1"
    assert seen["session_headers"] == {"x-session-id": "ses_1"}
    assert "authorization" in seen["header_names"]
    assert seen["body_sha256"] == hashlib.sha256(json.dumps(BODY).encode()).hexdigest()
    assert json.loads(seen["body_text"]) == BODY
    assert "body_text" not in ws.control.requests()[-1]


def test_the_log_can_be_read_from_a_number_on(ws):
    for _ in range(3):
        ws.get("/x")
    assert [row["number"] for row in ws.control.requests(since=2)] == [3]


def test_the_token_of_each_call_is_known_by_its_generation(ws):
    first = ws.sign_in()
    second = ws.refresh(first["refresh_token"]).json()
    ws.post(CHAT, BODY, token=first["access_token"])
    ws.post(CHAT, BODY, token=second["access_token"])
    assert [row["token_generation"] for row in ws.control.requests()[-2:]] == [2, 3]


def test_no_credential_is_in_the_log_whatever_was_sent(ws):
    granted = ws.sign_in()
    secrets = [ws.token, granted["access_token"], granted["refresh_token"]]
    ws.refresh(granted["refresh_token"])
    ws.exchange("a-secret-code", "a-secret-verifier")
    secrets += ["a-secret-code", "a-secret-verifier"]
    client_id, secret = ws.control.service_principal()
    secrets.append(secret.reveal())
    ws.form(grant_type="client_credentials", client_id=client_id, client_secret=secret.reveal())
    made = ws.post("/api/2.0/token/create", {"comment": "c"}).json()["token_value"]
    secrets.append(made)
    leaky = {"model": "databricks-glm-5-2", "messages": [{"role": "user", "content": f"my token is {made}"}]}
    ws.post(CHAT, leaky, user_agent=f"agent {made}", x_session_id=made, anthropic_beta=made)
    ws.get(f"/api/2.0/{made}?key={made}")
    ws.post("/x", {"refresh_token": granted["refresh_token"], "access_token": "plain-words-secret"})
    told = json.dumps([ws.control.requests(bodies=True), ws.control.tokens(), ws.control.usage()])
    assert not [value for value in (*secrets, "plain-words-secret") if value in told]


def test_bodies_are_kept_up_to_a_bound_the_newest_ones_longest(ws):
    body = b"x" * (12 * 1024 * 1024)
    for _ in range(3):
        ws.post("/nowhere", body)
    kept = [len(row["body_text"]) for row in ws.control.requests(bodies=True)]
    assert kept == [0, len(body), len(body)]
    assert [row["body_bytes"] for row in ws.control.requests()] == [len(body)] * 3


def test_usage_is_summed_by_model_and_leaves_refused_calls_out(ws):
    for _ in range(2):
        ws.post(CHAT, BODY)
    ws.post(CHAT, {**BODY, "store": True})
    usage = ws.control.usage()
    assert len(usage["calls"]) == 2
    one = usage["calls"][0]["usage"]
    assert usage["models"] == [
        {"model": "databricks-glm-5-2", "calls": 2, "incomplete": 0, **{key: 2 * value for key, value in one.items()}}
    ]
