"""Errors in a workspace's plain form, which not every client library reads."""

from __future__ import annotations

import pytest

from moor.domain.dialects import ANTHROPIC_MESSAGES, OPENAI_CHAT, OPENAI_RESPONSES
from moor.wire import refusal as words
from tests.unit.gateway.rig import PATHS, rig, run
from tests.unit.gateway.scripted import Seen, Talk


@pytest.mark.feature("F7.9")
@pytest.mark.parametrize("dialect", [OPENAI_CHAT, OPENAI_RESPONSES, ANTHROPIC_MESSAGES])
def test_a_workspaces_plain_error_has_the_object_from_which_openais_library_takes_the_sentence(dialect: str) -> None:
    plain = {"error_code": "PERMISSION_DENIED", "message": "no permission to query it", "details": [{"a": 1}]}

    async def handler(talk: Talk, _: Seen) -> None:
        await talk.json(plain, 403)

    async def scenario() -> None:
        async with rig(handler=handler) as r:
            told = (await r.ask(PATHS[dialect], {"model": "m-1", "messages": [], "input": "x"})).json
            if dialect == ANTHROPIC_MESSAGES:
                assert told == plain
            else:
                assert told.pop("error")["message"] == "no permission to query it"
                assert told == plain

    run(scenario())


@pytest.mark.parametrize(
    "body",
    [b"Invalid Token", b"[]", b"{}", b'{"message":""}', b'{"message":1}', b'{"error":{"message":"x"},"message":"y"}'],
)
def test_an_error_of_the_dialect_or_of_no_form_is_passed_on_as_it_is(body: bytes) -> None:
    assert words.error_as_clients_read(OPENAI_CHAT, body) is body
