from __future__ import annotations

import pytest

from moor.domain.dialects import OPENAI_RESPONSES
from moor.domain.models import Model
from moor.wire.catalogue import catalogue, fullest_percent


def model(context: int | None = None, max_output: int | None = None, family: str = "gpt") -> Model:
    return Model(
        id="m", family=family, dialects=(OPENAI_RESPONSES,), context=context, max_output=max_output, attachment=True
    )


@pytest.mark.feature("F4.9")
@pytest.mark.parametrize(
    ("context", "max_output", "percent"),
    [(400_000, 128_000, 68), (400_000, None, 95), (None, None, 93), (8_000, 100_000, 50), (1, 1, 95)],
)
def test_the_longest_answer_always_fits_beside_a_full_window(
    context: int | None, max_output: int | None, percent: int
) -> None:
    assert fullest_percent(model(context, max_output)) == percent


def test_an_entry_says_window_order_and_efforts() -> None:
    first, second = catalogue((model(400_000, 128_000), model(family="x")), "Prompt.", "xhigh")["models"]
    assert (first["context_window"], first["base_instructions"], first["priority"]) == (400_000, "Prompt.", 0)
    assert [level["effort"] for level in first["supported_reasoning_levels"]] == ["low", "medium", "high", "xhigh"]
    assert first["input_modalities"] == ["text", "image"]
    assert (second["priority"], second["supported_reasoning_levels"]) == (1, [])
