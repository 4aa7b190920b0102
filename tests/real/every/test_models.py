"""A model that the policy denies is reached by no flag, alias, picker, environment or file, for every agent."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from tests.real.every.probe import Bypass
from tests.real.every.station import Station
from tests.support import tui as terminal
from tests.support.trouble import assert_told

pytestmark = pytest.mark.real

FIRST = 3
"""so many of a probe's ways are tried by `make test`: the ones it names first"""


@pytest.fixture(scope="module")
def fenced(shared: Station) -> Station:
    """A policy that allows the models that moor picks for it and no other; the workspace has more."""
    assert shared.probe.forbidden not in picked(shared)
    shared.place.must("config", "set", "policy.allow", ",".join(picked(shared)))
    return shared


def picked(station: Station) -> list[str]:
    """The models of a session: the main one, and the small one where it is another."""
    plan = station.place.must(*station.run_argv("--dry-run")).last_json
    return list(dict.fromkeys((plan["model"], plan["small_model"])))


@pytest.fixture
def narrow(fenced: Station, station: Station) -> Iterator[Station]:
    """Whatever a test tries: no call for a model off the list goes upstream, not one."""
    before = len(station.place.model_calls())
    yield station
    assert {call["model"] for call in station.place.model_calls()[before:]} <= set(picked(station))


@pytest.mark.feature("F4.4", "F4.7")
def test_a_denied_model_named_to_moor_is_refused_before_the_agent_starts(narrow: Station) -> None:
    forbidden = narrow.probe.forbidden
    done = narrow.place.moor("run", "--agent", narrow.agent_id, "--model", forbidden, "--json", "sim:hello")
    assert_told(done, 2, "model-not-allowed", forbidden)
    done = narrow.place.moor("--model", forbidden, narrow.agent_id, *narrow.probe.shot)
    assert_told(done, 2, "model-not-allowed", forbidden)


@pytest.mark.feature("F4.5")
def test_the_first_ways_of_its_own_reach_no_denied_model(narrow: Station) -> None:
    assert_fenced(narrow, narrow.probe.bypasses[:FIRST])


@pytest.mark.feature("F4.5")
@pytest.mark.timeout(240)
def test_no_way_of_its_own_reaches_a_denied_model(narrow: Station) -> None:
    assert_fenced(narrow, narrow.probe.bypasses[FIRST:])


def assert_fenced(narrow: Station, bypasses: tuple[Bypass, ...]) -> None:
    """Each of them is tried, and none reaches the model."""
    for number, bypass in enumerate(bypasses):
        before = len(narrow.place.model_calls())
        said = attempt(narrow, bypass, f"Try number {number}, sim:hello")
        called = {call["model"] for call in narrow.place.model_calls()[before:]}
        assert narrow.probe.forbidden not in called, f"{bypass.name}: {called}\n{said}"
        assert narrow.filled(bypass.says) in said, f"{bypass.name}:\n{said}"
        assert "Traceback" not in said
        narrow.clean()
        narrow.place.wait_gone()


@pytest.mark.feature("F4.5")
def test_its_list_of_models_offers_no_denied_one(narrow: Station) -> None:
    tui = narrow.probe.tui
    with narrow.window() as window:
        tui.start(window)
        tui.type(window, tui.picker)
        terminal.settle(window, 1.0, 10.0)
        assert bare(picked(narrow)[0]) in window.text
        assert bare(narrow.probe.forbidden) not in window.text


def bare(model_id: str) -> str:
    """The part of an id by which a list shows it, whatever stands before it."""
    return model_id.rpartition(".")[2].removeprefix("databricks-")


def attempt(station: Station, bypass: Bypass, prompt: str) -> str:
    """Try it to its end; what the user read."""
    place = station.place
    station.plant(place.repository, bypass.files, PROMPT=prompt)
    station.plant(place.home.user, bypass.own_files, PROMPT=prompt)
    env = {name: station.filled(value) for name, value in bypass.env.items()}
    try:
        if bypass.typed:
            return typed(station, bypass, prompt)
        done = station.run(prompt, env=env) if bypass.args is None else station.own(bypass.args, prompt, env=env)
        return done.stdout + done.stderr
    finally:
        for name in bypass.own_files:
            (place.home.user / name).unlink()


def typed(station: Station, bypass: Bypass, prompt: str) -> str:
    """Type it in the agent's own interface; the last screen. The picker may know nothing of the model at all."""
    tui = station.probe.tui
    with station.window(*(bypass.args or ())) as window:
        tui.start(window)
        for line in bypass.typed:
            window.keys(station.filled(line, PROMPT=prompt))
            time.sleep(1.0)
            window.keys(terminal.ENTER)
            terminal.settle(window, 1.0, 10.0)
        return window.text
