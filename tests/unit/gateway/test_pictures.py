"""A picture under a cap: its bytes are not its tokens."""

from __future__ import annotations

import json
from typing import Any

import pytest

from moor.domain.budget import DAY, TOKENS, Cap
from moor.domain.call import OK, REFUSED
from moor.domain.session import Session
from tests.unit.gateway.rig import make_session, rig, run
from tests.unit.gateway.scripted import Seen, Talk

DATA = "iVBORw0KGgo" + "A" * 400_000
SESSION: Session = make_session(caps=(Cap(name="daily", per=DAY, unit=TOKENS, limit=20_000),))


def chat(part: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"model": "m-1", "max_tokens": 900, "messages": [{"role": "user", "content": [part]}], **more}


def chunk(
    delta: dict[str, str] | None = None, finish: str | None = None, usage: dict[str, int] | None = None
) -> bytes:
    choices = [] if usage else [{"index": 0, "delta": delta or {}, "finish_reason": finish}]
    data = {"id": "c", "object": "chat.completion.chunk", "choices": choices, "usage": usage}
    return f"data: {json.dumps(data)}\n\n".encode()


PICTURE = {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{DATA}"}}


@pytest.mark.feature("F13.8")
def test_a_picture_passes_where_its_bytes_as_text_would_not() -> None:
    async def scenario() -> None:
        async with rig(session=SESSION) as r:
            text = await r.ask("/openai/v1/chat/completions", chat({"type": "text", "text": DATA}))
            assert text.status == 403
            assert "needs at least 100" in text.text
            assert (await r.ask("/openai/v1/chat/completions", chat(PICTURE))).status == 200
            assert [row.outcome for row in await r.rows(2)] == [REFUSED, OK]

    run(scenario())


@pytest.mark.feature("F13.8")
def test_a_stream_about_a_picture_is_not_cut_before_it_says_what_it_used() -> None:
    async def handler(talk: Talk, seen: Seen) -> None:
        await talk.stream([chunk(delta={"content": "word "}) for _ in range(400)], end=False)
        last = {"prompt_tokens": 1_500, "completion_tokens": 400, "total_tokens": 1_900}
        for event in (chunk(finish="stop"), chunk(usage=last), b"data: [DONE]\n\n"):
            await talk.raw(b"%x\r\n%s\r\n" % (len(event), event))
        await talk.raw(b"0\r\n\r\n")

    async def scenario() -> None:
        async with rig(session=SESSION, handler=handler) as r:
            answer = await r.ask("/openai/v1/chat/completions", chat(PICTURE, stream=True))
            assert (answer.status, answer.broken) == (200, "")
            row = (await r.rows())[0]
            assert (row.outcome, row.usage.total, row.estimated) == (OK, 1_900, False)

    run(scenario())
