"""One request to a system under test, looked at closely: the load only counts."""

from __future__ import annotations

import http.client
import json
import time
from typing import Any

from bench.gateway.load import make_body
from bench.gateway.systems import System

WORDS = "word word word word "
"""the text of one event of the endpoint"""


class Refused(Exception):
    """A system answered something else than it was asked for."""


def call(port: int, method: str, path: str, body: object = None, headers: dict[str, str] | None = None) -> Any:
    """What an interface for settings answers to a JSON request; raises Refused when it is not a 2xx."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        sent = {"content-type": "application/json", **(headers or {})}
        connection.request(method, path, None if body is None else json.dumps(body), sent)
        answer = connection.getresponse()
        text = answer.read().decode(errors="replace")
    finally:
        connection.close()
    if answer.status // 100 != 2:
        raise Refused(f"{method} {path}: {answer.status} {text[:300]}")
    return json.loads(text) if text else None


def ask(system: System, kind: str, wait_s: float = 30.0) -> None:
    """Asks once; raises Refused when the answer is not the endpoint's.

    A peer may listen before it can serve, so a small request is repeated for up to `wait_s` seconds.
    """
    until = time.monotonic() + wait_s
    while True:
        problem = _problem(system, kind)
        if not problem:
            return
        if time.monotonic() > until or kind != "small":
            raise Refused(problem)
        time.sleep(0.05)


def _problem(system: System, kind: str) -> str:
    connection = http.client.HTTPConnection("127.0.0.1", system.port, timeout=60)
    headers = {"authorization": f"Bearer {system.key}", "content-type": "application/json"}
    headers |= {"anthropic-version": "2023-06-01", "user-agent": "opencode/1.18.33", **getattr(system, "headers", {})}
    try:
        connection.request("POST", system.path, make_body(kind, getattr(system, "model", "m")), headers)
        answer = connection.getresponse()
        text = answer.read().decode(errors="replace")
    except (OSError, http.client.HTTPException) as error:
        return f"{kind}: {type(error).__name__} {error}"
    finally:
        connection.close()
    if answer.status != 200:
        return f"{kind}: {answer.status} {text[:300]}"
    return _unlike_small(text) if kind == "small" else _unlike_stream(text, kind)


def _unlike_small(text: str) -> str:
    try:
        message = json.loads(text)
        said = message["content"][0]["text"] if message["type"] == "message" else ""
    except (ValueError, LookupError, TypeError):
        said = ""
    return "" if said == "hi" else f"small: not the message of the endpoint: {text[:300]}"


def _unlike_stream(text: str, kind: str) -> str:
    events = int(kind.split("-")[1])
    said = ""
    for line in text.splitlines():
        if line.startswith("data:") and "text_delta" in line:
            said += json.loads(line[5:])["delta"]["text"]
    whole = said == WORDS * events and "message_stop" in text
    return "" if whole else f"{kind}: {len(said)} characters of {len(WORDS) * events}: {text[-300:]}"
