"""What the simulated gateway refuses on the Gemini route."""

from __future__ import annotations

import pytest

BASE = "/ai-gateway/gemini/v1beta/models/"
PRO, THREE = "databricks-gemini-2-5-pro", "databricks-gemini-3-1-pro"
ASK = {"role": "user", "parts": [{"text": "sim:hello"}]}
CALL = {"role": "model", "parts": [{"functionCall": {"name": "bash", "args": {}}}]}
SIGNED = {"role": "model", "parts": [{"functionCall": {"name": "bash", "args": {}}, "thoughtSignature": "s"}]}
DONE = {"role": "user", "parts": [{"functionResponse": {"name": "bash", "response": {"output": "ok"}}}]}


def _body(*contents, **changes):
    return {"contents": [ASK, *contents], **changes}


def _declare(**function):
    return {"tools": [{"functionDeclarations": [{"name": "bash", **function}]}]}


REFUSED = [
    (PRO, _body(**_declare(parameters={"$schema": "x"})), 'Unknown name "$schema"'),
    (
        PRO,
        _body(**_declare(parameters={"type": "object", "properties": {"a": {"$ref": "#"}}})),
        'Unknown name "$ref"',
    ),
    (
        PRO,
        _body(**_declare(parametersJsonSchema={"additionalProperties": False})),
        'Unknown name "additionalProperties"',
    ),
    (PRO, _body(tools=[{"googleSearch": {}}]), "googleSearch is not supported"),
    (PRO, _body(CALL), "a function call turn is followed by a function response turn"),
    (PRO, _body(DONE), "number of function response parts is equal to the number of function call parts"),
    (PRO, _body(CALL, {"role": "user", "parts": DONE["parts"] * 2}), "number of function response parts"),
    (THREE, _body(CALL, DONE), "missing a thought_signature in functionCall parts"),
    (PRO, {"contents": []}, "contents is not specified"),
    (PRO, {"contents": [{"role": "user", "parts": []}]}, "contents.parts must not be empty"),
    (PRO, {"contents": [{"role": "user", "parts": [{}]}]}, "required oneof field 'data'"),
    (PRO, {"contents": [{"role": "assistant", "parts": [{"text": "x"}]}]}, "Please use a valid role: user, model."),
    (PRO, _body(brand_new=1), 'Unknown name "brand_new"'),
    (PRO, _body(generationConfig={"zz": 1}), "Unknown name \"zz\" at 'generation_config'"),
    (PRO, _body(generationConfig={"maxOutputTokens": 65_537}), "maxOutputTokens: 65537 > 65536"),
]


@pytest.mark.parametrize(("model", "body", "word"), REFUSED)
def test_what_the_gateway_refuses_is_refused_in_googles_form(shared, model, body, word):
    reply = shared.post(f"{BASE}{model}:generateContent", body)
    error = reply.json()["error"]
    assert (reply.status, error["code"], error["status"]) == (400, 400, "INVALID_ARGUMENT")
    assert word in error["message"]


ACCEPTED = [
    (PRO, _body(CALL, DONE)),
    (THREE, _body(SIGNED, DONE)),
    (THREE, _body(CALL, DONE, {"role": "model", "parts": [{"text": "ok"}]}, ASK)),
    (PRO, _body(systemInstruction={"parts": [{"text": "s"}]}, generationConfig={"temperature": 1, "topK": 64})),
    (PRO, _body(**_declare(parametersJsonSchema={"$schema": "x", "type": "object"}))),
]


@pytest.mark.parametrize(("model", "body"), ACCEPTED)
def test_what_is_in_order_is_answered(shared, model, body):
    assert shared.post(f"{BASE}{model}:generateContent", body).status == 200


@pytest.mark.parametrize(
    ("switch", "on", "model", "body"),
    [
        (
            "gemini_additional_properties",
            True,
            PRO,
            _body(**_declare(parametersJsonSchema={"additionalProperties": 1})),
        ),
        ("thought_signature_required", False, THREE, _body(CALL, DONE)),
    ],
)
def test_inferred_refusals_can_be_switched_off_one_by_one(ws, switch, on, model, body):
    path = f"{BASE}{model}:generateContent"
    assert ws.post(path, body).status == 400
    ws.control.switch(**{switch: on})
    assert ws.post(path, body).status == 200


def test_gemini_three_hands_out_a_signature_with_its_calls(ws):
    schema = {"type": "OBJECT", "properties": {"command": {"type": "STRING"}}}
    body = {"contents": [{"parts": [{"text": "sim:turns:1"}]}], **_declare(parameters=schema)}
    parts = ws.post(f"{BASE}{THREE}:generateContent", body).json()["candidates"][0]["content"]["parts"]
    assert parts[1]["functionCall"]["args"] == {"command": "echo simulated turn 1 of 1"}
    assert parts[1]["thoughtSignature"]


def test_counting_is_not_served(ws):
    assert ws.post(f"{BASE}{PRO}:countTokens", _body()).status == 404
