"""Limits of a key in a minute, and what the gateway tells about itself."""

from __future__ import annotations

import asyncio

import pytest

from moor.domain.call import OK, Call
from moor.domain.usage import Usage
from moor.gateway.metrics import Metrics
from moor.gateway.rates import Counted, RateBook, Rates, retry_after
from tests.unit.gateway.rig import rig, run
from tests.unit.gateway.scripted import Seen, Talk, answer_anthropic


def test_calls_beyond_the_limit_wait_until_the_first_is_a_minute_old() -> None:
    book, rates = RateBook(), Rates(rpm=3)
    assert [wait_s(book, rates, 0, at) for at in (0.0, 10.0, 20.0)] == [0, 0, 0]
    assert wait_s(book, rates, 0, 30.0) == 30.0
    assert book.enter("other", rates, 0, 30.0)[0] == 0
    assert wait_s(book, rates, 0, 60.0) == 0
    assert wait_s(book, rates, 0, 61.0) == 9.0


def test_tokens_beyond_the_limit_wait_until_enough_are_a_minute_old() -> None:
    book, rates = RateBook(), Rates(tpm=1_000)
    book.used("k", enter(book, rates, 900, 0.0), 700, 1.0)
    book.used("k", enter(book, rates, 300, 2.0), 200, 3.0)
    assert wait_s(book, rates, 300, 4.0) == 57.0
    book.used("k", enter(book, rates, 300, 61.0), 1, 61.5)
    assert wait_s(book, rates, 50_000, 62.0) == 59.5, "another call counts still"
    large = enter(book, rates, 50_000, 122.0)
    assert wait_s(book, rates, 1, 123.0) == 59.0, "one call above the whole limit passes alone"
    book.used("k", large, 60_000, 200.0)
    assert wait_s(book, rates, 1, 201.0) == 59.0
    assert wait_s(book, rates, 1, 260.0) == 0


def test_calls_that_run_count_by_their_requests_until_they_have_said_what_they_used() -> None:
    book, rates = RateBook(), Rates(tpm=1_000)
    first, second = enter(book, rates, 500, 0.0), enter(book, rates, 500, 1.0)
    assert wait_s(book, rates, 500, 2.0) == 58.0
    book.used("k", first, 0, 3.0)
    third = enter(book, rates, 500, 4.0)
    assert wait_s(book, rates, 1, 5.0) > 0
    book.used("k", second, 20, 70.0)
    book.used("k", third, 30, 71.0)
    enter(book, rates, 950, 72.0)
    assert wait_s(book, rates, 1, 73.0) == 57.0


@pytest.mark.feature("F3.15")
def test_many_calls_of_a_key_at_once_do_not_pass_its_tokens_a_minute() -> None:
    async def handler(talk: Talk, seen: Seen) -> None:
        await asyncio.sleep(0.5)
        await answer_anthropic(talk, seen)

    async def scenario() -> None:
        async with rig(rates=lambda _: Rates(tpm=1_000), handler=handler) as r:
            words = [{"role": "user", "content": "word " * 300}]
            answers = await asyncio.gather(*[r.message(messages=words) for _ in range(12)])
            passed = [answer.status for answer in answers].count(200)
            assert 2 <= passed <= 3
            assert len(r.server.seen) == passed

    run(scenario())


def enter(book: RateBook, rates: Rates, tokens: int, at: float) -> Counted:
    wait, counted = book.enter("k", rates, tokens, at)
    assert wait == 0
    assert counted is not None
    return counted


def wait_s(book: RateBook, rates: Rates, tokens: int, at: float) -> float:
    return book.enter("k", rates, tokens, at)[0]


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
