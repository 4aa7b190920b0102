"""Files that moor reads and somebody else wrote: each mistake is told with file, line and the way out."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support import namespace
from tests.support.home import MoorHome
from tests.support.moor import Done, run_moor_process
from tests.support.trouble import assert_no_secret, assert_result, assert_told

Run = Callable[..., Done]
GOOD = '[upstreams.s]\nkind = "sim"\n'
BAD_CONFIGS: dict[str, tuple[bytes, str, str]] = {
    "a bracket is missing": (b"[defaults\nupstream = 's'\n", "config-syntax", "line 1"),
    "a quote is missing": (b'[defaults]\nagent = "x\n', "config-syntax", "line 2"),
    "no text": (b"\xff\xfe\x00\x01", "config-syntax", "not UTF-8"),
    "a key twice": (b"[defaults]\nagent='a'\nagent='b'\n", "config-syntax", "line 3"),
    "an unknown group": (b"[default]\nagent = 'x'\n", "config-unknown-key", "did you mean defaults"),
    "an unknown key": (b"[defaults]\nupstraem = 's'\n", "config-unknown-key", "did you mean defaults.upstream"),
    "a number for a text": (b"[defaults]\nupstream = 3\n", "config-wrong-type", "line 2"),
    "a text for a list": (b"[policy]\nallow = 'x'\n", "config-wrong-type", "allow = ["),
    "a negative cap": (b"[policy]\nbudget_usd = -1\n", "config-bad-value", "above 0"),
    "an unknown kind": (b"[upstreams.x]\nkind = 'cloud'\n", "upstream-invalid", "cloud"),
    "no kind": (b"[upstreams.x]\nhost = 'https://x.example'\n", "config-", "kind"),
    "plain text to the network": (
        b"[upstreams.x]\nkind='databricks'\nhost='http://x.example'\n",
        "plaintext-",
        "https",
    ),
    "an engine without address": (b"[upstreams.x]\nkind = 'openai'\n", "upstream-invalid", "base_url"),
    "too large": (b"# " + b"x" * 3_000_000, "", "config.toml"),
}
BAD_PROJECTS: dict[str, tuple[str, str]] = {
    "defaults.upstream": ('[defaults]\nupstream = "evil"\n', "defaults.upstream"),
    "an upstream's address": ('[upstreams.evil]\nkind = "openai"\nbase_url = "http://127.0.0.1:9/v1"\n', "upstreams"),
    "an agent's environment": ('[agents.opencode.env]\nLD_PRELOAD = "./x.so"\n', "agents"),
    "an agent's arguments": ('[agents.opencode]\nargs = ["--port", "1"]\n', "agents"),
    "variables to pass on": ('[agents.opencode]\npass_env = ["DATABRICKS_TOKEN"]\n', "agents"),
    "a certificate file": ('[upstreams.s]\nca_file = "./ca.pem"\n', "upstreams"),
}


@pytest.fixture
def moor(run_moor: Run, moor_home: MoorHome) -> Run:
    """The command, in a home with one upstream that needs nothing."""
    moor_home.root.mkdir(mode=0o700)
    config(moor_home).write_text(GOOD, encoding="utf-8")
    return run_moor


def config(home: MoorHome) -> Path:
    """The user's settings."""
    return home.root / "config.toml"


@pytest.mark.parametrize("case", BAD_CONFIGS)
def test_a_mistake_in_the_settings_is_told_with_its_line(case: str, moor: Run, moor_home: MoorHome) -> None:
    data, ref, part = BAD_CONFIGS[case]
    config(moor_home).write_bytes(data)
    done = moor("run", "--json", "hello")
    seen = done.last_json["error"]["ref"]
    assert seen.startswith(ref)
    assert_told(done, 2, seen, part)
    assert_result(done, "failed", seen)
    assert config(moor_home).read_bytes() == data


def test_a_file_that_does_not_read_is_not_written_to(moor: Run, moor_home: MoorHome) -> None:
    config(moor_home).write_text("[defaults\n", encoding="utf-8")
    for argv in (["config", "set", "defaults.model", "x"], ["upstream", "add", "t", "--kind", "sim"]):
        assert_told(moor(*argv), 2, "config-syntax", "line 1")
    assert config(moor_home).read_text(encoding="utf-8") == "[defaults\n"
    assert moor("config", "path").code == 0, "the way to the file must stay open"


@pytest.mark.parametrize("make", ["folder", "link loop", "fifo", "device"])
def test_settings_that_are_no_file_are_refused_at_once(make: str, moor: Run, moor_home: MoorHome) -> None:
    path = config(moor_home)
    path.unlink()
    if make == "folder":
        path.mkdir()
    elif make == "fifo":
        os.mkfifo(path)
    else:
        path.symlink_to(path if make == "link loop" else "/dev/zero")
    assert_told(moor("models", timeout=20), 2, "file-unreadable", "ls -ld")


@pytest.mark.parametrize("case", BAD_PROJECTS)
def test_a_repository_may_not_say_where_prompts_go(case: str, moor: Run, moor_home: MoorHome) -> None:
    text, key = BAD_PROJECTS[case]
    (moor_home.work / ".moor.toml").write_text(text, encoding="utf-8")
    done = moor("run", "--json", "hello")
    assert_told(done, 2, "project-setting-refused", ".moor.toml line", key, "remove it there")
    assert_result(done, "failed", "project-setting-refused")
    assert not (moor_home.root / "sessions").exists()


def test_a_malformed_project_file_is_told_with_its_line(moor: Run, moor_home: MoorHome) -> None:
    (moor_home.work / ".moor.toml").write_text("[policy]\nallow = [\n", encoding="utf-8")
    assert_told(moor("run", "--json", "hello"), 2, "config-syntax", ".moor.toml line")


def test_a_project_file_that_leads_elsewhere_is_refused(moor: Run, moor_home: MoorHome) -> None:
    secret = moor_home.user / "secret.toml"
    secret.write_text("password = 'hunter2hunter2'\n", encoding="utf-8")
    (moor_home.work / ".moor.toml").symlink_to(secret)
    done = moor("run", "--json", "hello")
    assert_told(done, 2, "config-bad-value", ".moor.toml is a link")
    assert "hunter2" not in done.stdout + done.stderr


def test_the_project_file_that_counts_is_that_of_the_folder_worked_in(moor: Run, moor_home: MoorHome) -> None:
    other = moor_home.work / "other"
    for folder in (moor_home.work, other):
        folder.mkdir(exist_ok=True)
        subprocess.run(["git", "init", "-q", folder], check=True, env=moor_home.environ)
    (other / ".moor.toml").write_text('[defaults]\nupstream = "evil"\n', encoding="utf-8")
    done = moor("run", "--json", "--cwd", "other", "hello")
    assert_told(done, 2, "project-setting-refused", "other/.moor.toml line 2")


def test_a_project_may_narrow_the_models_to_none(moor: Run, moor_home: MoorHome, tmp_path: Path) -> None:
    assert moor("models", "--refresh").code == 0
    moor_home.environ["MOOR_TEST_AGENTS"] = str(stub(tmp_path))
    (moor_home.work / ".moor.toml").write_text('[policy]\nallow = ["nothing"]\n', encoding="utf-8")
    assert_told(moor("run", "--json", "hello"), 2, "no-model", "moor models")


PROFILES: dict[str, tuple[str, str, str, str]] = {
    "no section": ("host = x\n", "profile-file-invalid", "line 1", "moor login --host"),
    "an open bracket": ("[p\nhost = x\n", "profile-file-invalid", "line 1", "moor login --host"),
    "no equals sign": ("[p]\nhost\n", "profile-file-invalid", "line 2", "moor login --host"),
    "no host": ("[p]\ntoken = dapi0123456789\n", "profile-unusable", "names no host", "add host"),
    "no token": (
        "[p]\nhost = http://127.0.0.1:9\n",
        "profile-unusable",
        "no personal access token",
        "moor login --host",
    ),
    "another profile": ("[q]\nhost = http://127.0.0.1:9\n", "profile-unknown", "q", ""),
}


@pytest.mark.feature("F1.2", "F1.8")
@pytest.mark.parametrize("case", PROFILES)
def test_a_mistake_in_databrickscfg_is_told_with_its_place(case: str, moor: Run, moor_home: MoorHome) -> None:
    text, ref, *parts = PROFILES[case]
    (moor_home.user / ".databrickscfg").write_text(text, encoding="utf-8")
    done = moor("login", "--profile", "p", "--pat")
    assert_told(done, 2, ref, *parts)
    assert "dapi0123456789" not in done.stderr + done.stdout
    assert_no_secret(moor_home.root, ["dapi0123456789"])


def stub(folder: Path) -> Path:
    """An agent in name only."""
    program = folder / "agents" / "opencode" / "1.18.33" / "node_modules" / "opencode-linux-x64" / "bin" / "opencode"
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\nexit 99\n", encoding="utf-8")
    program.chmod(0o700)
    return folder / "agents"


class TestAdministrator:
    """`/etc/moorage/policy.toml`, in a mount namespace."""

    def moor(self, home: MoorHome, before: list[str], *argv: str) -> Done:
        """The real command behind those mounts."""
        return run_moor_process(argv, home.environ, cwd=home.work, before=before)

    @pytest.mark.feature("F4.4")
    def test_his_deny_holds_against_every_level_below(self, moor: Run, moor_home: MoorHome, tmp_path: Path) -> None:
        assert moor("models", "--refresh").code == 0
        moor_home.environ["MOOR_TEST_AGENTS"] = str(stub(tmp_path))
        etc = namespace.administrator_file('[policy]\ndeny = ["*claude*"]', tmp_path)
        argv = ["run", "--json", "--allow-model", "*", "--model", "system.ai.claude-sonnet-5", "hello"]
        done = self.moor(moor_home, etc, *argv)
        assert_told(done, 2, "model-not-allowed", "administrator", "moor models")

    def test_a_malformed_policy_stops_everything(self, moor: Run, moor_home: MoorHome, tmp_path: Path) -> None:
        etc = namespace.administrator_file("[policy\n", tmp_path)
        done = self.moor(moor_home, etc, "run", "--json", "hello")
        assert_told(done, 2, "config-syntax", "/etc/moorage/policy.toml line 1")

    def test_a_policy_that_anybody_can_write_is_not_trusted(
        self, moor: Run, moor_home: MoorHome, tmp_path: Path
    ) -> None:
        etc = namespace.administrator_file("[policy]\nallow = ['*']", tmp_path, mode="666")
        done = self.moor(moor_home, etc, "run", "--json", "hello")
        assert_told(done, 2, "policy-untrusted", "chmod 644")
