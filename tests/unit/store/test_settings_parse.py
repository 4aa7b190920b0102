"""Each mistake in a config file has its sentence, with file, line, key and fix: tests/golden/config."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from moor.errors.config import ConfigError, ConfigSyntaxError
from moor.store.settings_parse import parse_settings
from moor.store.settings_tables import Source, parse_toml, printable

GOLDEN = Path(__file__).resolve().parents[2] / "golden" / "config"


@pytest.mark.parametrize("case", sorted(path.name for path in GOLDEN.iterdir()))
def test_the_mistake_is_named_with_line_and_fix(case: str) -> None:
    data = (GOLDEN / case / "config.toml").read_bytes()
    with pytest.raises(ConfigError) as caught:
        parse_settings(*parse_toml(Path("config.toml"), data))
    error = caught.value
    shown = f"{error.ref}: {error.message}\nhint: {error.hint}\n"
    assert shown == (GOLDEN / case / "expected.txt").read_text(encoding="utf-8")
    assert shown.replace("\n", "").isprintable()


def mistake(source: Source, data: dict[str, Any]) -> ConfigError | None:
    try:
        parse_settings(source, data)
    except ConfigError as error:
        return error
    return None


@given(st.binary(max_size=200))
def test_any_bytes_are_toml_or_a_mistake_in_words(data: bytes) -> None:
    try:
        source, tables = parse_toml(Path("config.toml"), data)
    except ConfigSyntaxError as error:
        found: ConfigError | None = error
    else:
        found = mistake(source, tables)
    assert found is None or (found.message + found.hint).isprintable()


words = st.text(max_size=3) | st.sampled_from(
    ["defaults", "upstreams", "agents", "policy", "model", "kind", "allow", "env", "x", "\x1b", "\u202e"]
)
values = st.recursive(
    st.one_of(st.booleans(), st.integers(-(2**63), 2**63 - 1), st.floats(), words),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(words, inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(words, values, max_size=4))
def test_any_tables_are_settings_or_a_mistake_in_words(data: dict[str, object]) -> None:
    found = mistake(Source("config.toml", ""), data)
    assert found is None or (found.message + found.hint).isprintable()


@given(st.text())
def test_printable_text_holds_nothing_a_terminal_obeys(text: str) -> None:
    assert printable(text).isprintable()


def test_a_text_that_reads_backwards_on_a_terminal_is_refused() -> None:
    data = {"policy": {"deny": ["a\u202eb"]}}
    assert mistake(Source("config.toml", ""), data) is not None
