"""The model routes: classic serving, AI Gateway, and the plain OpenAI-compatible engine (facts/databricks 2.1)."""

from __future__ import annotations

import hmac

from moor.sim import switches
from moor.sim.catalogue.models import CHAT_API, OPEN, ModelCard
from moor.sim.dialects import anthropic, chat, gemini, responses
from moor.sim.dialects.calls import count_tokens, model_call
from moor.sim.dialects.face import Face
from moor.sim.messages import Answer, Json, Reply, json_answer, no_such_api, plain_error
from moor.sim.state import Ask

_FORM = (
    "Path must be of form /serving-endpoints/<endpoint_name>/invocations or "
    "/serving-endpoints/<endpoint_name>/served-models/<served_model_name>/invocations"
)


def _nothing(ask: Ask) -> Answer:
    return no_such_api(ask.request.method, ask.request.path)


async def _by_body(ask: Ask, face: Face) -> Reply:
    """A call whose model and streaming stand in the body."""
    body = ask.request.json()
    model = body.get("model")
    if not isinstance(model, str) or not model:
        return plain_error(400, "BAD_REQUEST", "model: Field required")
    return await model_call(ask, face, body, model=model, stream=body.get("stream") is True)


async def gateway_messages(ask: Ask) -> Reply:
    """POST /ai-gateway/anthropic/v1/messages and the classic twin"""
    return await _by_body(ask, anthropic.FACE)


async def gateway_count(ask: Ask) -> Reply:
    """POST /ai-gateway/anthropic/v1/messages/count_tokens"""
    if not ask.state.switches[switches.COUNT_TOKENS]:
        return _nothing(ask)
    return await count_tokens(ask, anthropic.FACE, ask.request.json())


async def classic_count(_ask: Ask) -> Reply:
    """POST /serving-endpoints/anthropic/v1/messages/count_tokens: recorded as absent"""
    return plain_error(404, "ENDPOINT_NOT_FOUND", _FORM)


async def gateway_responses(ask: Ask) -> Reply:
    """POST /ai-gateway/codex/v1/responses"""
    return await _by_body(ask, responses.FACE)


async def gateway_openai_responses(ask: Ask) -> Reply:
    """POST /ai-gateway/openai/v1/responses"""
    if not ask.state.switches[switches.OPENAI_RESPONSES_ROUTE]:
        return _nothing(ask)
    return await _by_body(ask, responses.FACE)


async def gateway_chat(ask: Ask) -> Reply:
    """POST /ai-gateway/mlflow/v1/chat/completions and the classic twin"""
    return await _by_body(ask, chat.FACE)


async def gateway_gemini(ask: Ask) -> Reply:
    """POST /ai-gateway/gemini/v1beta/models/{id}:{generateContent,streamGenerateContent,countTokens}"""
    action = ask.params["action"]
    if action not in ("generateContent", "streamGenerateContent"):
        return _nothing(ask)
    return await model_call(
        ask,
        gemini.FACE,
        ask.request.json(),
        model=ask.params["model"],
        stream=action == "streamGenerateContent",
        events=ask.request.query.get("alt") == "sse",
    )


async def invocations(ask: Ask) -> Reply:
    """POST /serving-endpoints/{name}/invocations: a chat body that needs no model"""
    body = ask.request.json()
    return await model_call(ask, chat.FACE, body, model=ask.params["name"], stream=body.get("stream") is True)


async def classic_other(_ask: Ask) -> Reply:
    """Any other path under /serving-endpoints"""
    return plain_error(404, "ENDPOINT_NOT_FOUND", _FORM)


async def classic_responses(ask: Ask) -> Reply:
    """POST /serving-endpoints/responses, behind its switch"""
    return await _switched(ask, switches.CLASSIC_RESPONSES)


async def classic_codex(ask: Ask) -> Reply:
    """POST /serving-endpoints/openai/v1/responses, behind its switch"""
    return await _switched(ask, switches.CLASSIC_CODEX)


async def _switched(ask: Ask, switch: str) -> Reply:
    if not ask.state.switches[switch]:
        return await classic_other(ask)
    return await _by_body(ask, responses.FACE)


async def classic_gemini(ask: Ask) -> Reply:
    """POST /serving-endpoints/google/v1beta/models/{id}:…, behind its switch"""
    if not ask.state.switches[switches.CLASSIC_GOOGLE]:
        return await classic_other(ask)
    return await gateway_gemini(ask)


def _engine_refusal(ask: Ask) -> Answer | None:
    config = ask.state.config
    if not config.openai_engine:
        return _nothing(ask)
    wanted = f"Bearer {config.engine_api_key}"
    if config.engine_api_key and not hmac.compare_digest(ask.request.header("authorization"), wanted):
        return json_answer(
            _engine_error("Incorrect API key provided", "invalid_request_error", "invalid_api_key"), 401
        )
    return None


def _engine_error(message: str, kind: str, code: str | int) -> Json:
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


async def engine_models(ask: Ask) -> Reply:
    """GET /v1/models of the engine"""
    refused = _engine_refusal(ask)
    if refused:
        return refused
    data = [
        {"id": m.id, "object": "model", "created": 1_780_000_000, "owned_by": "simulated", "max_model_len": m.context}
        for m in ask.state.config.engine_models
    ]
    return json_answer({"object": "list", "data": data})


async def engine_chat(ask: Ask) -> Reply:
    """POST /v1/chat/completions of the engine: an open model, without the gateway's strictness"""
    refused = _engine_refusal(ask)
    if refused:
        return refused
    body = ask.request.json()
    wanted = body.get("model")
    found = next((m for m in ask.state.config.engine_models if m.id == wanted), None)
    if found is None:
        return json_answer(_engine_error(f"The model `{wanted}` does not exist.", "NotFoundError", 404), 404)
    card = ModelCard(
        name=found.id, family=OPEN, api_types=(CHAT_API,), context=found.context, cap=found.context, endpoint=True
    )
    return await model_call(ask, chat.ENGINE, body, model=found.id, stream=body.get("stream") is True, card=card)
