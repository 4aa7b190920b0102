"""What goes wrong behind a wait (for a name, a credential, a bank) ends the call in words: nobody else ends it."""

from __future__ import annotations

import pytest

from moor.domain.call import ERROR
from moor.domain.credential import Credential
from moor.domain.models import NANO
from tests.unit.gateway.rig import make_session, rig, run
from tests.unit.gateway.scripted import Tokens


def test_a_name_that_no_resolver_takes_is_said() -> None:
    async def scenario() -> None:
        async with rig() as r:
            r.upstream.host = "a" * 70 + ".invalid"
            answer = await r.message()
            assert (answer.status, "its name is not known" in answer.text) == (502, True)

    run(scenario())


class NoCredential(Tokens):
    """A source with a bug: it hands out nothing, and says that it did."""

    def obtain(self, dead: Credential | None = None) -> Credential:
        """Nothing."""
        return None  # type: ignore[return-value]


@pytest.mark.parametrize("stream", [False, True])
def test_a_bug_of_ours_behind_a_wait_ends_the_call_in_words(*, stream: bool) -> None:
    async def scenario() -> None:
        tokens = NoCredential()
        tokens.ready = False
        async with rig(tokens=tokens, session=make_session(budget_nano=NANO)) as r:
            answer = await r.message(stream=stream)
            assert "the gateway itself failed on this call" in answer.text
            (row,) = await r.rows()
            assert (row.outcome, row.error.partition(":")[0]) == (ERROR, "bug")
            (purse,) = r.gateway.purses.of(r.session, "test")
            assert (purse.calls, purse.reserved) == (0, 0)

    run(scenario())
