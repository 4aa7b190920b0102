"""A repository that means harm, for every agent: nothing of it runs, leaves the wire or names a model; its rules are
heard. After `moor trust` its programs run, and still no address or model of it counts."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.real.every.station import Station
from tests.support.network import beyond
from tests.support.workplace import Workplace

pytestmark = pytest.mark.real

REPOSITORY = "RULES-MARKER-of-the-repository"
USER = "RULES-MARKER-of-the-user"


@pytest.fixture(scope="module")
def poisoned(shared: Station) -> Station:
    """The user's own set-up and the repository are both full of what must not act."""
    shared.plant(shared.place.home.user, shared.probe.own_files)
    shared.poison()
    shared.place.environ |= {name: shared.filled(text) for name, text in shared.probe.user_canary_env.items()}
    return shared


@pytest.fixture
def hostile(poisoned: Station, station: Station) -> Iterator[Station]:
    """In a clean tree."""
    station.forget_marks()
    yield station
    assert station.place.git("status", "--porcelain") == ""


def assert_models_of_ours(place: Workplace) -> None:
    """Only models that moor lists were called."""
    allowed = {model["id"] for model in place.must("models", "--all", "--json").last_json}
    assert {call["model"] for call in place.model_calls()} <= allowed


@pytest.mark.feature("F17.7")
def test_nothing_of_it_acts_in_a_run_and_its_rules_are_heard(hostile: Station) -> None:
    before = hostile.picture()
    done = hostile.run_watched("sim:echo-rules")
    assert done.code == 0, done.stdout + done.stderr
    text = done.last_json["text"]
    assert REPOSITORY in text
    assert (USER in text) == hostile.probe.user_rules_heard
    hostile.place.wait_gone()
    hostile.assert_harmless()
    hostile.assert_untouched(before)
    assert beyond(hostile.log) == set()
    assert [words for words in hostile.probe.left_out if words not in done.stderr] == [], done.stderr
    assert_models_of_ours(hostile.place)


@pytest.mark.feature("F17.7")
def test_nothing_of_it_acts_in_the_agents_own_interface(hostile: Station) -> None:
    tui = hostile.probe.tui
    with hostile.window(watched=True) as window:
        tui.start(window)
        tui.ask(window, "Say it, sim:echo-rules")
        tui.wait_answer(window, REPOSITORY, 40)
        assert tui.leave(window) == tui.exit_code
    hostile.place.wait_gone()
    hostile.assert_harmless()
    assert beyond(hostile.log) == set()
    assert_models_of_ours(hostile.place)


@pytest.mark.feature("F17.7", "F17.10")
def test_its_permissions_let_nothing_through(hostile: Station) -> None:
    victim = hostile.place.folder / "moor-simulated-victim"
    victim.mkdir(exist_ok=True)
    result = hostile.must_run("sim:destructive")
    assert victim.is_dir()
    assert {one["answer"] for one in result["auto_answered"]} == {"denied"}
    hostile.assert_harmless()


@pytest.mark.feature("F17.7")
def test_trust_lets_its_programs_in_but_neither_models_nor_addresses(hostile: Station) -> None:
    place = hostile.place
    asked = place.moor("trust")
    assert asked.code == 2
    place.must("trust", "--yes")
    try:
        hostile.must_run("Say hello, sim:hello")
        place.wait_gone()
        assert hostile.marks() == hostile.probe.trusted
        assert hostile.trap.callers == 0
        assert_models_of_ours(place)
    finally:
        place.must("trust", "--revoke")
        hostile.forget_marks()
