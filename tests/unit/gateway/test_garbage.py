"""A call ends with its last reference: what is left in cycles costs the collector a tenth of each call."""

from __future__ import annotations

import gc

import pytest

from moor.domain.budget import DAY, TOKENS, Cap
from moor.domain.models import NANO
from tests.unit.gateway.rig import make_session, rig, run


@pytest.mark.parametrize("stream", [False, True])
def test_a_call_leaves_no_cycles(*, stream: bool) -> None:
    async def scenario() -> None:
        caps = (Cap(name="daily", per=DAY, unit=TOKENS, limit=10**9),)
        async with rig(session=make_session(budget_nano=NANO, caps=caps)) as r:
            client = await r.client()
            body = {"model": "m-1", "max_tokens": 100, "messages": [], "stream": stream}
            for _ in range(3):  # the first ones ask the bank, and make what is kept
                assert (await client.ask("POST", "/anthropic/v1/messages", body=body)).status == 200
            gc.collect()
            gc.disable()
            gc.set_debug(gc.DEBUG_SAVEALL)
            try:
                for _ in range(5):
                    assert (await client.ask("POST", "/anthropic/v1/messages", body=body)).status == 200
                gc.collect()
                ours = {type(one).__name__ for one in gc.garbage if type(one).__module__.startswith("moor.")}
            finally:
                gc.set_debug(0)
                gc.garbage.clear()
                gc.enable()
            client.close()
            assert not ours

    run(scenario())
