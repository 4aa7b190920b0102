"""The installer on an npm of our own making: a program on PATH, as the real one is found."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from moor.agents.install import install
from moor.agents.recipe import Recipe, Terms, current_version, installed_versions, newest, version_key
from moor.agents.versions import remove
from moor.errors.agent import AgentInstallFailed, AgentReleaseTooYoung, NotInRegistry
from moor.store.home import Home

NPM = """#!{python}
import json, os, pathlib, sys, time
args = sys.argv[1:]
here = pathlib.Path(__file__).parent
with open(here / "calls", "a") as log:
    log.write(json.dumps([args, dict(os.environ)]) + "\\n")
plan = json.loads((here / "plan.json").read_text())
if args[0] == "view":
    print(json.dumps(plan.get("time", {{}})))
    sys.exit(0)
if plan.get("fail") and not (plan.get("only_with") and plan["only_with"] not in args):
    sys.stderr.write(plan["fail"])
    sys.exit(1)
time.sleep(plan.get("sleep", 0))
assert "--prefix" not in args, "it would move the global config of npm"
prefix = pathlib.Path.cwd()
lock = {{}}
for spec in args:
    name, at, version = spec.rpartition("@")
    if not at or spec.startswith("-") or not name:
        continue
    folder = prefix / "node_modules" / name / "bin"
    folder.mkdir(parents=True)
    (folder / "tool").write_text("#!/bin/sh\\n")
    lock["node_modules/" + name] = {{"version": version, "integrity": plan.get("integrity", "sha512-good")}}
(prefix / "node_modules" / ".package-lock.json").write_text(json.dumps({{"packages": lock}}))
"""


class FakeNpm:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        program = folder / "npm"
        program.write_text(NPM.format(python=sys.executable), encoding="utf-8")
        program.chmod(0o755)
        self.plan()

    def plan(self, **plan: object) -> None:
        (self.folder / "plan.json").write_text(json.dumps(plan), encoding="utf-8")

    @property
    def environ(self) -> dict[str, str]:
        return {"PATH": str(self.folder), "HTTPS_PROXY": "http://proxy:1", "DATABRICKS_TOKEN": "dapi-secret"}

    @property
    def calls(self) -> list[tuple[list[str], dict[str, str]]]:
        log = self.folder / "calls"
        lines = log.read_text(encoding="utf-8").splitlines() if log.exists() else []
        return [(args, env) for args, env in map(json.loads, lines)]


@pytest.fixture
def npm(tmp_path: Path) -> FakeNpm:
    return FakeNpm(tmp_path / "bin")


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return Home(tmp_path / "moor")


def recipe(version: str = "1.2.3", **changes: object) -> Recipe:
    fields = {
        "agent": "tool",
        "version": version,
        "packages": (f"tool-linux@{version}",),
        "binary": "node_modules/tool-linux/bin/tool",
        "dated_package": "tool",
        "pinned": True,
        **changes,
    }
    return Recipe(**fields)  # type: ignore[arg-type]


@pytest.mark.feature("F6.11", "F6.13")
def test_a_pinned_version_is_unpacked_with_scripts_off_and_recorded(npm: FakeNpm, home: Home) -> None:
    said: list[str] = []
    folder = install(recipe(), home, npm.environ, say=said.append)
    assert folder == home.agents_dir / "tool" / "1.2.3"
    record = json.loads((folder / "moor.json").read_text(encoding="utf-8"))
    assert record["packages"] == {"tool-linux": "sha512-good"}
    assert (folder / "node_modules/tool-linux/bin/tool").stat().st_mode & 0o111
    args, env = npm.calls[0]
    assert "--ignore-scripts" in args
    assert "tool-linux@1.2.3" in args
    assert env["HTTPS_PROXY"] == "http://proxy:1"
    assert "DATABRICKS_TOKEN" not in env
    assert current_version(home.agents_dir / "tool") == "1.2.3"
    assert len(said) == 2


def test_an_installed_version_is_not_fetched_again(npm: FakeNpm, home: Home) -> None:
    install(recipe(), home, npm.environ)
    install(recipe(), home, npm.environ)
    assert len(npm.calls) == 1


def test_two_installs_at_once_do_the_work_once(npm: FakeNpm, home: Home) -> None:
    npm.plan(sleep=0.3)
    threads = [threading.Thread(target=install, args=(recipe(), home, npm.environ)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(npm.calls) == 1
    assert set(installed_versions(home.agents_dir / "tool")) == {"1.2.3"}


@pytest.mark.parametrize(
    ("said", "word"),
    [
        ("npm error code ENOTFOUND", "cannot be reached"),
        ("npm error code ENOSPC", "disk is full"),
        ("npm error code EINTEGRITY", "announced"),
        ("npm error SELF_SIGNED_CERT_IN_CHAIN", "certificate"),
        ("npm error code E403", "refuses"),
        ("npm error code E503", "registry fails"),
        ("npm v11.0.0 does not work: npm does not support Node.js v16.0.0", "do not fit"),
        ("npm error something new", "npm failed"),
    ],
)
def test_what_npm_cannot_do_is_put_into_words_and_nothing_stays(
    npm: FakeNpm, home: Home, said: str, word: str
) -> None:
    npm.plan(fail=said)
    with pytest.raises(AgentInstallFailed, match=word) as caught:
        install(recipe(), home, npm.environ)
    assert caught.value.hint
    assert sorted(entry.name for entry in (home.agents_dir / "tool").iterdir()) == [".lock"]


def test_a_mirror_without_the_extras_still_gives_the_agent(npm: FakeNpm, home: Home) -> None:
    npm.plan(fail="npm error code E404", only_with="@x/rg@1.0.0")
    folder = install(recipe(extras=("@x/rg@1.0.0",)), home, npm.environ)
    assert (folder / "node_modules/tool-linux").is_dir()
    assert len(npm.calls) == 2


def test_a_version_nobody_has_is_named(npm: FakeNpm, home: Home) -> None:
    npm.plan(fail="npm error code E404")
    with pytest.raises(NotInRegistry):
        install(recipe(), home, npm.environ)


def test_npm_missing_says_what_to_install(home: Home, tmp_path: Path) -> None:
    with pytest.raises(AgentInstallFailed, match="npm is not on PATH") as caught:
        install(recipe(), home, {"PATH": str(tmp_path)})
    assert "Node.js" in caught.value.hint


def test_another_content_than_the_pinned_one_is_refused(npm: FakeNpm, home: Home) -> None:
    npm.plan(integrity="sha512-bad")
    with pytest.raises(AgentInstallFailed, match="not the one"):
        install(recipe(integrity={"tool-linux": "sha512-good"}), home, npm.environ)
    assert installed_versions(home.agents_dir / "tool") == {}


@pytest.mark.feature("F6.13")
def test_a_young_release_is_refused_unless_asked_for(npm: FakeNpm, home: Home) -> None:
    stamp = time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(time.time() - 2 * 86_400))
    npm.plan(time={"2.0.0": stamp})
    young = recipe("2.0.0", pinned=False)
    with pytest.raises(AgentReleaseTooYoung, match=r"2\.0 days"):
        install(young, home, npm.environ)
    assert install(young, home, npm.environ, terms=Terms(allow_new=True)).is_dir()


def test_an_old_release_is_taken_and_one_of_unknown_age_is_not(npm: FakeNpm, home: Home) -> None:
    npm.plan(time={"2.0.0": "2020-01-01T00:00:00.000Z"})
    assert install(recipe("2.0.0", pinned=False), home, npm.environ).is_dir()
    npm.plan(time={})
    with pytest.raises(AgentInstallFailed, match="when it was published"):
        install(recipe("2.0.1", pinned=False), home, npm.environ)


def test_a_version_that_the_registry_does_not_date_beside_others_does_not_exist(npm: FakeNpm, home: Home) -> None:
    npm.plan(time={"created": "2020-01-01T00:00:00.000Z", "2.0.0": "2020-01-01T00:00:00.000Z"})
    with pytest.raises(NotInRegistry) as caught:
        install(recipe("9.9", pinned=False), home, npm.environ)
    assert "as 2.0.0" in caught.value.context


def test_removing_takes_the_program_and_leaves_the_rest(npm: FakeNpm, home: Home) -> None:
    install(recipe(), home, npm.environ)
    install(recipe("1.2.4"), home, npm.environ)
    other = home.agents_dir / "tool" / "notes"
    other.mkdir()
    assert remove(home, "tool", "1.2.3") == ["1.2.3"]
    assert set(installed_versions(home.agents_dir / "tool")) == {"1.2.4"}
    assert remove(home, "tool") == ["1.2.4"]
    assert other.is_dir()
    assert remove(home, "never") == []


def test_an_install_that_was_killed_leaves_nothing_that_counts(npm: FakeNpm, home: Home) -> None:
    home.folder(home.agents_dir)
    half = home.folder(home.agents_dir / "tool") / ".new-half"
    half.mkdir()
    install(recipe(), home, npm.environ)
    assert not half.exists()


def test_versions_are_compared_by_number() -> None:
    assert newest(["1.9.0", "1.10.0", "1.10.0-beta"]) == "1.10.0"
    assert newest([]) == ""
    assert version_key("1.18.33") == (1, 18, 33)


def test_the_fake_behaves_like_npm_in_what_the_tests_rely_on(npm: FakeNpm, tmp_path: Path) -> None:
    done = subprocess.run([npm.folder / "npm", "view", "x", "time", "--json"], capture_output=True, check=True)
    assert done.stdout.strip() == b"{}"
