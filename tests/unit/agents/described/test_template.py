"""Names in templates: a closed set, quoted for the file they stand in, everything else left as it is."""

from __future__ import annotations

import json
import shlex
import tomllib

from hypothesis import given
from hypothesis import strategies as st

from moor.agents.described.values import quoting
from moor.domain.template import names_in, render


def test_names_are_replaced_and_other_braces_stay() -> None:
    text = '{"a": {b}, "c": {"x": 1}, "d": "${HOME} {{key}}"}'
    assert names_in(text) == ["b"]
    assert render(text, {"b": "2"}) == '{"a": 2, "c": {"x": 1}, "d": "${HOME} {key}"}'


def test_a_value_that_looks_like_a_name_is_not_read_again() -> None:
    assert render("{a}{b}", {"a": "{b}", "b": "x"}) == "{b}x"


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"])))
def test_any_value_is_one_string_in_json_and_toml(value: str) -> None:
    assert json.loads(render('{"x": "{v}"}', {"v": value}, quoting("a.json"))) == {"x": value}
    assert tomllib.loads(render('x = "{v}"', {"v": value.replace("\x7f", "")}, quoting("a.toml"))) == {
        "x": value.replace("\x7f", "")
    }


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"], exclude_characters="\0")))
def test_any_value_is_one_word_in_a_script(value: str) -> None:
    assert shlex.split(render("run {v}", {"v": value}, quoting("a.sh"))) == ["run", value]


def test_rendered_models_go_in_as_they_are() -> None:
    assert render("[{models}]", {"models": '{"id": "a"}'}, quoting("a.json")) == '[{"id": "a"}]'
