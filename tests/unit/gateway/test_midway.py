"""An upstream's error in the middle of an answer, for an agent that asks again at some numbers in its text."""

from __future__ import annotations

import pytest

from moor.domain.dialects import ANTHROPIC_MESSAGES, OPENAI_CHAT, OPENAI_RESPONSES
from moor.domain.session import AgentTraits
from moor.wire.numbers import as_meant
from tests.unit.gateway.rig import PATHS, make_session, rig, run
from tests.unit.gateway.scripted import Seen, Talk

MIDWAY = {
    ANTHROPIC_MESSAGES: (
        b'event: message_start\ndata: {"type":"message_start","message":{"id":"msg_503","usage":{"input_tokens":500,'
        b'"output_tokens":1}}}\n\nevent: content_block_delta\ndata: {"type":"content_block_delta","index":0,"delta":'
        b'{"type":"text_delta","text":"an \\"error\\": 503"}}\n\n',
        b'event: error\ndata: {"type":"error","error":{"type":"invalid_request_error","message":"at most 50000 of '
        b'them"},"request_id":"a502"}\n\n',
    ),
    OPENAI_CHAT: (
        b'data: {"choices":[{"index":0,"delta":{"content":"an \\"error\\": 503"},"finish_reason":null}]}\n\n',
        b'data: {"error":{"message":"at most 50000 of them","code":"a502"}}\n\n',
    ),
    OPENAI_RESPONSES: (
        b'event: response.created\ndata: {"type":"response.created","response":{"id":"resp_503","error":null}}\n\n'
        b'event: response.output_text.delta\ndata: {"type":"response.output_text.delta","delta":"503"}\n\n',
        b'event: response.failed\ndata: {"type":"response.failed","response":{"id":"resp_502","status":"failed",'
        b'"error":{"code":"x","message":"at most 50000 of them"}}}\n\n',
    ),
}
"""what a model says, and the error that comes next"""


@pytest.mark.parametrize("repeats", [True, False])
@pytest.mark.parametrize("dialect", MIDWAY)
def test_an_error_after_the_begin_of_an_answer_holds_no_such_number_either(dialect: str, *, repeats: bool) -> None:
    begin, failed = MIDWAY[dialect]

    async def handler(talk: Talk, _: Seen) -> None:
        await talk.stream([begin, failed, begin, failed], pause_s=0.05)

    async def scenario() -> None:
        async with rig(session=make_session(traits=AgentTraits(repeats_at_numbers=repeats)), handler=handler) as r:
            answer = await r.ask(PATHS[dialect], {"model": "m-1", "max_tokens": 10, "messages": [], "stream": True})
            said = answer.body.decode()
            assert as_meant(said) == (begin + failed + begin + failed).decode()
            assert said.count(begin.decode()) == 2, "what the model says keeps its numbers"
            assert ("50000" in said) == ("502" in said) == (not repeats)
            assert "50000" in (await r.rows())[0].error

    run(scenario())
