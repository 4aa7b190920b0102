"""The reference pages say what the code says, and leave nothing out."""

from __future__ import annotations

import importlib
import re

import pytest

from moor.cli.registry import COMMANDS
from moor.errors import ExitCode, MoorError
from moor.errors.catalogue import error_classes
from scripts import docs
from scripts.reference import commands, settings
from scripts.reference.parsers import options
from tests.arch.tree import modules


def committed(name: str) -> str:
    """A page as it stands in the repository."""
    return (docs.FOLDER / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", docs.PAGES)
def test_page_is_fresh(name: str) -> None:
    assert committed(name) == docs.rendered(name), "type: make docs"


def test_every_command_is_documented() -> None:
    page = committed("commands.md")
    missing = [name for name in COMMANDS if f"`moor {name}`" not in page]
    assert not missing


def test_every_option_is_documented() -> None:
    page = committed("commands.md")
    missing = [
        f"moor {name} {option}"
        for name, parser in commands.parsers().items()
        for option in options(parser)
        if option not in page
    ]
    assert not missing


def test_every_option_says_what_it_does() -> None:
    silent = [line for line in committed("commands.md").splitlines() if re.match(r"\| `-[^`]+` \|\s+\|", line)]
    assert not silent, f"arguments without help: {silent}"


def test_every_setting_is_documented_with_its_meaning() -> None:
    page = committed("settings.md")
    assert not [key for key in settings.names() if f"| `{key}` |" not in page]
    assert not [line for line in page.splitlines() if re.match(r"\| `.*\|\s+\|$", line)]


def test_every_exit_code_is_documented_with_its_meaning() -> None:
    page = committed("exit-codes.md")
    assert not [int(code) for code in ExitCode if not re.search(rf"^\| {int(code)} \| \w", page, re.MULTILINE)]


def test_every_error_is_documented() -> None:
    page = committed("errors.md")
    assert not [cls.ref for cls in error_classes() if f"\n## {cls.ref}\n" not in page]


def test_error_references_are_kebab_case_and_stand_for_one_class() -> None:
    names = [cls.ref for cls in error_classes()]
    assert not [name for name in names if not re.fullmatch(r"[a-z]+(-[a-z0-9]+)*", name)]
    assert len(names) == len(set(names))


def test_errors_named_in_the_guide_exist() -> None:
    guide = (docs.FOLDER.parent / "guides" / "troubleshooting.md").read_text(encoding="utf-8")
    named = set(re.findall(r"^\*\*`([a-z-]+)`", guide, re.MULTILINE))
    assert len(named) > 5
    assert named <= {cls.ref for cls in error_classes()}


def test_every_error_stands_in_the_catalogue() -> None:
    for name in modules():
        if name.rpartition(".")[2] != "__main__":
            importlib.import_module(name)
    strays = [cls for cls in subclasses(MoorError) if not cls.__module__.startswith("moor.errors.")]
    assert not strays, f"errors live below moor.errors: {strays}"


def subclasses(cls: type[MoorError]) -> list[type[MoorError]]:
    """All classes below it."""
    return [found for child in cls.__subclasses__() for found in (child, *subclasses(child))]
