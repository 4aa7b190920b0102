"""A key's line is found in any file that is valid TOML."""

from __future__ import annotations

import tomllib

import pytest
import tomlkit
from hypothesis import given
from hypothesis import strategies as st

from moor.store.toml_lines import line_of

TEXT = '''# comment [defaults]
[defaults]   # trailing
model = "a"
"small_model" = 'b = c'

[ upstreams . dev ]
kind = "k"
note = """
[policy]
allow = 1
"""
host.name = "h"
[[policy.rules]]
allow = []
'''


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("defaults",), 2),
        (("defaults", "model"), 3),
        (("defaults", "small_model"), 4),
        (("upstreams", "dev"), 6),
        (("upstreams", "dev", "kind"), 7),
        (("upstreams", "dev", "host", "name"), 12),
        (("upstreams", "dev", "note"), 8),
        (("policy", "rules", "allow"), 14),
        (("defaults", "absent"), 2),
        (("nothing",), None),
    ],
)
def test_the_line_is_that_of_the_key_or_of_its_table(path: tuple[str, ...], line: int | None) -> None:
    assert line_of(TEXT, path) == line


@pytest.mark.parametrize(
    "value",
    [
        "\"'''\"",
        '\'"""\'',
        "\"a\\\"'''\"",
        '1 # """',
        '"""a"""',
        "'''a'''",
        '"""a\\""""',
        '"""\n\\"""\n"""',
        '"""""a"""""',
    ],
)
def test_no_kind_of_string_hides_the_keys_behind_it(value: str) -> None:
    text = f"a = {value}\nb = 1\n"
    tomllib.loads(text)
    assert line_of(text, ("b",)) == len(text.splitlines())


names = st.text("abc-_1", min_size=1, max_size=4) | st.sampled_from(["ü", "a b", "x.y", "#", "=", "[z]"])
leaves = st.text("ab=[]#\n\"'", max_size=6) | st.integers(0, 9) | st.lists(st.text("a,]=", max_size=3), max_size=3)
tables = st.dictionaries(names, st.dictionaries(names, leaves, min_size=1, max_size=4), min_size=1, max_size=4)


@given(tables)
def test_in_any_file_the_line_that_is_found_holds_the_key(data: dict[str, dict[str, object]]) -> None:
    text = tomlkit.dumps(data)
    assert tomllib.loads(text) == data
    lines = text.splitlines()
    for table, entries in data.items():
        for key in entries:
            number = line_of(text, (table, key))
            assert number is not None
            assert key in lines[number - 1]


@given(st.text(), st.lists(st.text(), max_size=3))
def test_it_never_raises(text: str, path: list[str]) -> None:
    line_of(text, path)
