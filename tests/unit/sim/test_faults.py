"""Faults put on routes by the control API."""

from __future__ import annotations

import socket
import time
from urllib.parse import urlsplit

import pytest
import urllib3

ME = "/api/2.0/preview/scim/v2/Me"
CHAT = "/ai-gateway/mlflow/v1/chat/completions"
SAY = [{"role": "user", "content": "sim:hello"}]
BODY = {"model": "databricks-glm-5-2", "messages": SAY}


def test_a_fault_answers_in_place_of_the_route_as_often_as_told(ws):
    ws.control.fault(CHAT, status=429, body={"error_code": "X"}, headers={"Retry-After": "1"}, times=2)
    replies = [ws.post(CHAT, BODY) for _ in range(3)]
    assert [reply.status for reply in replies] == [429, 429, 200]
    assert replies[0].json() == {"error_code": "X"}
    assert replies[0].headers["retry-after"] == "1"


def test_a_fault_may_let_some_requests_pass_first(ws):
    ws.control.fault(ME, status=500, after=2, times=1)
    assert [ws.get(ME).status for _ in range(4)] == [200, 200, 500, 200]


def test_a_fault_can_be_for_one_model_or_one_method_or_one_user(ws):
    ws.control.fault("*", model="*kimi*", status=503)
    assert ws.post(CHAT, BODY).status == 200
    assert ws.post(CHAT, {**BODY, "model": "databricks-kimi-k2-7-code"}).status == 503
    ws.control.clear_faults()
    ws.control.fault("POST /ai-gateway/*", status=500)
    assert ws.get(ME).status == 200
    assert ws.post(CHAT, BODY).status == 500
    ws.control.clear_faults()
    ws.control.fault("*", user="somebody-else", status=500)
    assert ws.post(CHAT, BODY).status == 200


def test_html_and_garbage_come_where_json_was_expected(ws):
    ws.control.fault(ME, html=True, times=1)
    ws.control.fault(ME, garbage=True, times=1)
    page = ws.get(ME)
    assert (page.status, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    with pytest.raises(ValueError):
        ws.get(ME).json()
    assert ws.get(ME).status == 200


def test_a_late_answer_is_late(ws):
    ws.control.fault(ME, delay_s=0.2)
    begin = time.monotonic()
    assert ws.get(ME).status == 200
    assert time.monotonic() - begin >= 0.2


def test_dropping_closes_without_a_byte(ws):
    ws.control.fault(ME, drop=True)
    with pytest.raises(urllib3.exceptions.ProtocolError):
        ws.get(ME)


def test_raw_bytes_go_out_as_they_are(ws):
    ws.control.fault(ME, raw="HTTP/9.9 nonsense\r\n\r\n")
    assert _talk(ws) == b"HTTP/9.9 nonsense\r\n\r\n"


@pytest.mark.parametrize("stream", [False, True])
def test_a_cut_ends_the_connection_after_so_many_bytes_of_the_body(ws, stream):
    ws.control.fault(CHAT, cut_after_bytes=10)
    with pytest.raises(urllib3.exceptions.ProtocolError):
        ws.post(CHAT, {**BODY, "stream": stream})


def test_a_stream_can_end_early_as_if_it_were_whole(ws):
    whole = ws.post(CHAT, {**BODY, "stream": True}).text
    ws.control.fault(CHAT, end_after_bytes=100)
    early = ws.post(CHAT, {**BODY, "stream": True}).text
    assert (len(early), "[DONE]" in whole, "[DONE]" in early) == (100, True, False)


def test_a_stall_keeps_the_connection_open_after_so_many_bytes(ws):
    ws.control.fault(ME, stall_after_bytes=5)
    with pytest.raises(TimeoutError):
        _talk(ws, 0.3)


def test_no_first_byte_ever(ws):
    ws.control.fault(ME, first_byte_never=True)
    with pytest.raises(TimeoutError):
        _talk(ws, 0.3)


def test_open_routes_can_be_struck_too_and_every_fault_counts_its_hits(ws):
    number = ws.control.fault("/oidc/v1/token", status=500, body="down")
    assert ws.refresh("x").text == "down"
    assert ws.control.call("GET", "faults")[0]["hits"] == 1
    assert ws.control.requests()[-1]["fault"] == number
    assert ws.control.call("DELETE", f"faults?id={number}") == {"lifted": 1}
    assert ws.refresh("x").status == 400


def test_a_dead_credential_is_refused_before_a_fault_strikes(ws):
    ws.control.fault(ME, status=500)
    assert ws.get(ME, token="dapi" + "0" * 32).status == 403


def test_reset_forgets_everything(ws):
    ws.control.fault(ME, status=500)
    ws.control.switch(count_tokens=True)
    ws.control.reset()
    assert ws.control.requests() == []
    assert ws.get(ME).status == 403
    assert ws.control.call("GET", "faults") == []
    assert ws.control.tokens()["issued"] == 0


def test_a_framing_error_is_answered_400_and_the_server_lives_on(ws):
    at = urlsplit(ws.sim.url)
    with socket.create_connection((at.hostname, at.port), timeout=5) as line:
        line.sendall(b"GET / HTTP/1.1\r\nbad header\r\n\r\n")
        assert line.recv(100).startswith(b"HTTP/1.1 400")
    assert ws.get(ME).status == 200


def test_a_body_over_the_limit_is_413(workspace_of):
    ws = workspace_of(max_body_bytes=1000)
    assert ws.post(CHAT, b"x" * 2000).status == 413


def test_head_is_answered_without_a_body(ws):
    reply = ws.call("HEAD", "/")
    assert (reply.status, reply.data) == (404, b"")
    assert ws.get(ME).status == 200


def _talk(ws, timeout=5.0):
    """Everything that comes on a raw connection until it closes. Raises TimeoutError."""
    at = urlsplit(ws.sim.url)
    got = b""
    with socket.create_connection((at.hostname, at.port), timeout=timeout) as line:
        head = f"GET {ME} HTTP/1.1\r\nhost: x\r\nconnection: close\r\nauthorization: Bearer {ws.token}\r\n\r\n"
        line.sendall(head.encode())
        while data := line.recv(65536):
            got += data
    return got
