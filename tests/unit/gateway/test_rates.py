"""Limits of a key in a minute, and what the gateway tells about itself."""

from __future__ import annotations

import pytest

from moor.domain.call import OK, Call
from moor.domain.usage import Usage
from moor.gateway.metrics import Metrics
from moor.gateway.rates import RateBook, Rates, retry_after
from tests.unit.gateway.rig import rig, run


def test_calls_beyond_the_limit_wait_until_the_first_is_a_minute_old() -> None:
    book, rates = RateBook(), Rates(rpm=3)
    assert [book.wait_s("k", rates, 0, at) for at in (0.0, 10.0, 20.0)] == [0, 0, 0]
    assert book.wait_s("k", rates, 0, 30.0) == 30.0
    assert book.wait_s("other", rates, 0, 30.0) == 0
    assert book.wait_s("k", rates, 0, 60.0) == 0
    assert book.wait_s("k", rates, 0, 61.0) == 9.0


def test_tokens_beyond_the_limit_wait_until_enough_are_a_minute_old() -> None:
    book, rates = RateBook(), Rates(tpm=1_000)
    assert book.wait_s("k", rates, 900, 0.0) == 0
    book.used("k", 700, 1.0)
    assert book.wait_s("k", rates, 300, 2.0) == 0
    book.used("k", 200, 3.0)
    assert book.wait_s("k", rates, 300, 4.0) == 57.0
    assert book.wait_s("k", rates, 300, 61.0) == 0
    assert book.wait_s("k", rates, 50_000, 62.0) > 0, "another call counts still"
    assert book.wait_s("k", rates, 50_000, 64.0) == 0, "one call above the whole limit passes alone"


@pytest.mark.parametrize(("wait", "header"), [(0.01, b"1"), (1.0, b"1"), (29.2, b"30")])
def test_the_header_is_in_whole_seconds(wait: float, header: bytes) -> None:
    assert retry_after(wait) == header


@pytest.mark.feature("F3.15")
def test_a_key_at_its_limit_gets_429_with_the_time_and_nothing_goes_upstream() -> None:
    async def scenario() -> None:
        metrics = Metrics()
        async with rig(rates=lambda _: Rates(rpm=2), metrics=metrics) as r:
            answers = [await r.message() for _ in range(3)]
            assert [answer.status for answer in answers] == [200, 200, 429]
            assert 55 <= int(answers[2].headers["retry-after"]) <= 60
            assert answers[2].json["type"] == "error"
            assert "limit for this minute" in answers[2].text
            assert len(r.server.seen) == 2
            text = (await r.ask("/metrics", method="GET")).text
            assert 'moor_limited_total{key="tester"} 1.0' in text
            assert 'outcome="refused"' in text

    run(scenario())


def test_metrics_need_a_key_and_are_there_only_where_they_were_asked_for() -> None:
    async def scenario() -> None:
        async with rig() as r:
            assert (await r.ask("/metrics", method="GET")).status == 404
        async with rig(metrics=Metrics()) as r:
            assert (await r.ask("/metrics", method="GET", authorization="Bearer wrong")).status == 401
            await r.message()
            answer = await r.ask("/metrics", method="GET")
            assert answer.headers["content-type"].startswith("text/plain")
            sample = 'moor_tokens_total{key="tester",kind="input",model="m-1",upstream="test"} 10.0'
            assert sample in answer.text

    run(scenario())


def test_names_of_models_that_a_client_made_up_do_not_grow_without_bound() -> None:
    metrics = Metrics()
    for number in range(700):
        metrics.observe(Call(f"c{number}", "s", model=f"made-up-{number}", outcome=OK, usage=Usage(input=1)))
    text = metrics.render().decode()
    assert 'model="other",outcome="ok",upstream=""} 200.0' in text
