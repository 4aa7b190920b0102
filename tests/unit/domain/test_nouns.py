"""Money, policy, ids and picks: the rules that stand in the nouns themselves."""

from __future__ import annotations

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from moor.domain.cost import cost_nano
from moor.domain.ids import new_id
from moor.domain.models import NANO, Model, Price
from moor.domain.pick import main_model, small_model, version_of
from moor.domain.policy import Policy, PolicyLayer
from moor.domain.usage import Usage

TOKENS = st.integers(0, 10**9)
USAGE = st.builds(Usage, TOKENS, TOKENS, TOKENS, TOKENS, st.just(0))
PRICES = st.integers(0, 10**12)
PRICE = st.builds(Price, PRICES, PRICES, PRICES, PRICES, st.just("s"), st.just("d"))


@given(USAGE, PRICE)
def test_cost_is_exact_and_rounded_up_to_a_nano_dollar(usage: Usage, price: Price) -> None:
    exact = Fraction(
        usage.input * price.input
        + usage.output * price.output
        + usage.cache_read * price.cache_read
        + usage.cache_write * price.cache_write,
        1_000_000,
    )
    cost = cost_nano(usage, price)
    assert cost is not None
    assert 0 <= cost - exact < 1


def test_three_dollars_a_million_is_three_dollars_for_a_million() -> None:
    price = Price(3 * NANO, 15 * NANO, NANO // 3, NANO, "s", "d")
    assert cost_nano(Usage(input=1_000_000), price) == 3 * NANO


def test_a_cache_that_is_kept_for_an_hour_costs_its_own_price_or_twice_the_input() -> None:
    used = Usage(cache_write=1_000_000, cache_write_1h=400_000)
    stated = Price(3 * NANO, 15 * NANO, 0, 3_750_000_000, "s", "d", 5 * NANO)
    assert cost_nano(used, stated) == 600_000 * 3750 + 400_000 * 5000
    unstated = Price(3 * NANO, 15 * NANO, 0, 3_750_000_000, "s", "d")
    assert cost_nano(used, unstated) == 600_000 * 3750 + 400_000 * 6000


def test_an_unknown_price_is_not_zero() -> None:
    assert cost_nano(Usage(input=5), None) is None


@given(USAGE, USAGE)
def test_usage_adds_up_by_kind(left: Usage, right: Usage) -> None:
    both = left + right
    assert both.input == left.input + right.input
    assert both.total == left.total + right.total


GLOBS = st.lists(st.sampled_from(["*", "claude-*", "*opus*", "gpt-5", "x"]), max_size=3).map(tuple)
LAYER = st.builds(PolicyLayer, st.just("user"), GLOBS, GLOBS)
IDS = st.sampled_from(["claude-opus-4", "claude-sonnet-5", "gpt-5", "x", "y"])


@given(st.lists(LAYER, max_size=3), LAYER, IDS)
def test_a_lower_layer_narrows_and_never_widens(layers: list[PolicyLayer], lower: PolicyLayer, model: str) -> None:
    above = Policy(tuple(layers))
    if above.why_not(model) is not None:
        assert above.narrowed(lower).why_not(model) is not None


def test_deny_wins_over_allow_and_names_its_level() -> None:
    policy = Policy((PolicyLayer("administrator", ("claude-*",), ("*opus*",)),))
    assert policy.why_not("claude-sonnet-5") is None
    assert "administrator" in (policy.why_not("claude-opus-4-8") or "")
    assert "allow list" in (policy.why_not("gpt-5") or "")


def test_globs_are_case_sensitive() -> None:
    assert Policy((PolicyLayer("user", ("claude-*",)),)).why_not("CLAUDE-x") is not None


def test_ids_sort_by_time_and_do_not_repeat() -> None:
    early, late = new_id("ses", 1_700_000_000.0), new_id("ses", 1_700_000_001.0)
    assert early < late
    assert len({new_id("ses", 1.0) for _ in range(1000)}) == 1000
    assert early.startswith("ses_")


def test_versions_are_compared_as_numbers() -> None:
    assert version_of("claude-sonnet-4-10") > version_of("claude-sonnet-4-6")


def test_the_main_model_stands_in_where_there_is_no_small_one() -> None:
    only = Model(id="glm-5", family="glm", dialects=("d",))
    assert main_model([only]) == only
    assert small_model([only], only) == only
    assert main_model([]) is None
