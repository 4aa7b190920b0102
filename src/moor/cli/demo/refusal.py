"""The demo's refused call: what any client gets that asks the gateway for a model off the list."""

from __future__ import annotations

import urllib.error
import urllib.request
from typing import NamedTuple

import msgspec

from moor.domain.models import Catalogue
from moor.domain.policy import Policy
from moor.secrets import Secret


class Refused(NamedTuple):
    """Model, HTTP status and the sentence of the answer."""

    model: str
    status: int
    sentence: str


def ask_for_refused_model(url: str, key: Secret, catalogue: Catalogue, policy: Policy) -> Refused | None:
    """Ask for a model that the policy refuses; None when it refuses none. BLOCKS."""
    model = next((model.id for model in catalogue.models if policy.why_not(model.id)), None)
    if model is None:
        return None
    body = msgspec.json.encode({"model": model, "max_tokens": 16, "messages": [{"role": "user", "content": "hi"}]})
    request = urllib.request.Request(  # noqa: S310 - our own gateway's address
        f"{url}/openai/v1/chat/completions",
        data=body,
        headers={"Content-Type": "application/json", "Authorization": f"Bearer {key.reveal()}"},
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=10) as answer:
            return Refused(model, answer.status, "answered, although the policy denies it")
    except urllib.error.HTTPError as error:
        with error:
            return Refused(model, error.code, _sentence(error.read()))


def _sentence(body: bytes) -> str:
    try:
        return str(msgspec.json.decode(body)["error"]["message"])
    except (msgspec.DecodeError, KeyError, TypeError):
        return body.decode(errors="replace")[:200]
