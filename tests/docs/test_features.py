"""The features page reads the marks of tests wherever pytest lets them stand."""

from __future__ import annotations

import ast
import textwrap
from pathlib import Path

import pytest

from scripts.reference import features
from scripts.reference.notes import ROOT

SOURCES = {
    "on a function": """
        @pytest.mark.feature("F1.1")
        def test_it(): ...
    """,
    "on an async function, among others": """
        @pytest.mark.real
        @pytest.mark.feature("F1.1", "F9.9")
        async def test_it(): ...
    """,
    "on a class": """
        @pytest.mark.feature("F1.1")
        class TestAll:
            def test_it(self): ...
            def helper(self): ...
    """,
    "on the module": """
        pytestmark = [pytest.mark.real, pytest.mark.feature("F1.1")]
        def test_it(): ...
    """,
}


@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES.keys())
def test_a_mark_is_found(tmp_path: Path, source: str) -> None:
    (tmp_path / "test_x.py").write_text(textwrap.dedent(source), encoding="utf-8")
    assert features.proven(tmp_path)["F1.1"] == ["test_x.py::test_it"]


def test_a_helper_proves_nothing() -> None:
    body = ast.parse('@pytest.mark.feature("F1.1")\ndef helper(): ...').body
    assert not list(features.marks(body, ()))


def test_what_pytest_collects_is_what_the_page_says(request: pytest.FixtureRequest) -> None:
    on_page = features.proven(ROOT / "tests")
    collected = {
        (number, item.location[0].removeprefix("tests/"), item.location[2].split("[")[0].rpartition(".")[2])
        for item in request.session.items
        for mark in item.iter_markers("feature")
        for number in mark.args
    }
    read = {(number, *name.split("::")) for number, names in on_page.items() for name in names}
    assert collected <= read
