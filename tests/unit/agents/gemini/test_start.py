"""The script that runs before Gemini CLI, in the real Node.js: what is hidden, what programs get back."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from moor.agents.gemini.environment import START
from tests.support.gemini_context import plant

NODE = shutil.which("node")
pytestmark = pytest.mark.skipif(NODE is None, reason="Node.js is not on PATH")

LOOK = """
import * as fs from "node:fs"; import { existsSync, promises } from "node:fs";
import { readFile, writeFile } from "node:fs/promises"; import { spawnSync, execFile } from "node:child_process";
const out = {};
const tried = async (name, what) => { try { out[name] = await what(); } catch (e) { out[name] = e.code; } };
for (const file of process.argv.slice(2)) {
  await tried(file, () => [
    existsSync(file), fs.readFileSync(file, "utf8"), fs.statSync(file, {throwIfNoEntry: false}) !== undefined]);
  await tried(file + " promise", () => readFile(file, "utf8"));
  await tried(file + " callback",
    () => new Promise((ok, no) => fs.readFile(file, "utf8", (e, d) => e ? no(e) : ok(d))));
  await tried(file + " write", () => writeFile(file, "new").then(() => "written"));
  await tried(file + " open", () => promises.open(file, "r").then((h) => h.close()).then(() => "opened"));
}
out.exists = process.argv.slice(2).map((file) => existsSync(file));
out.listed = fs.readdirSync(".").sort();
out.env = await new Promise((ok) => execFile("env", (e, d) => ok(d)));
console.log(JSON.stringify(out));
"""


CALLS = """
import http from "node:http";
const seen = [];
const server = http.createServer((request, answer) => {
  seen.push([request.headers["x-moor-conversation"], request.headers["x-moor-subagent"], request.headers["x-mine"]]);
  request.resume();
  answer.end();
});
await new Promise((ready) => server.listen(0, "127.0.0.1", ready));
const base = `http://127.0.0.1:${server.address().port}`;
process.env.GOOGLE_GEMINI_BASE_URL = `${base}/gemini`;
const tools = [{functionDeclarations: [{name: "complete_task"}]}];
const contents = (text) => [{role: "user", parts: [{text}]}];
const headers = new Headers({"x-mine": "1"});
const call = (path, body) => fetch(base + path, {method: "POST", headers, body});
await call("/gemini/v1", JSON.stringify({contents: contents("the \\"complete_task\\" tool")}));
await call("/gemini/v1", JSON.stringify({tools, contents: contents("a")}));
await call("/gemini/v1", JSON.stringify({tools, contents: [...contents("a"), ...contents("more")]}));
await call("/gemini/v1", JSON.stringify({tools, contents: contents("b")}));
await call("/gemini/v1", '"complete_task" no JSON');
await call("/elsewhere", JSON.stringify({tools, contents: contents("b")}));
server.close();
console.log(JSON.stringify(seen));
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A private home, and a repository in `work`."""
    plant(
        tmp_path,
        {
            "home/start.json": json.dumps({"GEMINI_API_KEY": None, "TMPDIR": "/mine", "LANG": "x=y"}),
            "home/.gemini/settings.json": "ours",
            "work/.gemini/settings.json": "theirs",
            "work/sub/.agents/skills/a/SKILL.md": "theirs",
            "work/GEMINI.md": "rules",
            "work/.env": "A=b",
            "user/.gemini/settings.json": "the user's",
            "look.mjs": LOOK,
        },
    )
    return tmp_path / "home"


def run(home: Path, *files: str, cwd: str = "work") -> subprocess.CompletedProcess[str]:
    assert NODE is not None
    top = home.parent
    env = {**os.environ, "GEMINI_CLI_HOME": str(home), "GEMINI_API_KEY": "key", "TMPDIR": "/private"}
    argv = [NODE, f"--require={START}", str(top / "look.mjs"), *files]
    return subprocess.run(argv, cwd=top / cwd, env=env, capture_output=True, encoding="utf-8", check=False)


@pytest.mark.feature("F17.7")
def test_a_repositorys_and_the_users_own_set_up_do_not_exist_and_are_not_overwritten(home: Path) -> None:
    hidden = [
        ".gemini/settings.json",
        str(home.parent / "work/sub/../.gemini/settings.json"),
        "sub/.agents/skills/a/SKILL.md",
        str(home.parent / "user/.gemini/settings.json"),
    ]
    out = json.loads(run(home, *hidden).stdout)
    assert out["exists"] == [False] * len(hidden)
    for file in hidden:
        found = [out[file], out[f"{file} promise"], out[f"{file} callback"], out[f"{file} open"]]
        assert found == ["ENOENT"] * 4
        assert out[f"{file} write"] == "EACCES"
    assert (home.parent / "work/.gemini/settings.json").read_text(encoding="utf-8") == "theirs"


def test_everything_else_is_as_ever(home: Path) -> None:
    private = str(home / ".gemini/settings.json")
    out = json.loads(run(home, "GEMINI.md", ".env", private).stdout)
    assert out["GEMINI.md"] == [True, "rules", True]
    assert out[".env promise"] == "A=b"
    assert out[private] == [True, "ours", True]
    assert out[f"{private} write"] == "written"
    assert out["listed"] == [".env", ".gemini", "GEMINI.md", "sub"]


def test_a_link_out_of_the_project_is_not_read_and_one_inside_is(home: Path) -> None:
    work = home.parent / "work"
    (work / ".git").mkdir()
    plant(home.parent, {"user/.ssh/id": "secret"})
    (work / "sub" / "GEMINI.md").symlink_to(home.parent / "user/.ssh/id")
    (work / "sub" / "linked").symlink_to(home.parent / "user/.ssh")
    (work / "sub" / "RULES.md").symlink_to(work / "GEMINI.md")
    out = json.loads(run(home, "GEMINI.md", "linked/id", "RULES.md", cwd="work/sub").stdout)
    for name in ("GEMINI.md", "linked/id"):
        assert [out[name], out[f"{name} promise"], out[f"{name} callback"], out[f"{name} open"]] == ["ENOENT"] * 4
    assert out["RULES.md promise"] == "rules"


def test_a_project_that_lies_in_such_a_folder_is_seen(home: Path) -> None:
    plant(home.parent, {"user/.gemini/skill/GEMINI.md": "rules", "user/.gemini/skill/.gemini/x": "hidden"})
    out = json.loads(run(home, "GEMINI.md", ".gemini/x", cwd="user/.gemini/skill").stdout)
    assert out["exists"] == [True, False]


def test_programs_get_the_users_own_environment_back(home: Path) -> None:
    env = json.loads(run(home).stdout)["env"].splitlines()
    assert "TMPDIR=/mine" in env
    assert "LANG=x=y" in env
    assert not [line for line in env if line.startswith("GEMINI_API_KEY")]


@pytest.mark.feature("F12.25")
def test_model_calls_name_the_conversation_and_its_sub_agents(home: Path) -> None:
    (home.parent / "look.mjs").write_text(CALLS, encoding="utf-8")
    seen = json.loads(run(home).stdout)
    assert {mine for *_, mine in seen} == {"1"}
    main, first, again, other, broken, elsewhere = seen
    assert len({call[0] for call in seen[:5]}) == 1
    assert (main[1], broken[1], elsewhere[:2]) == (None, None, [None, None])
    assert first[1] == again[1] != other[1]
    assert first[1]


def test_without_its_private_file_nothing_starts(home: Path) -> None:
    (home / "start.json").unlink()
    done = run(home)
    assert done.returncode != 0
    assert done.stdout == ""


def test_an_old_node_is_told_in_one_sentence(home: Path) -> None:
    old = home.parent / "old.cjs"
    text = 'Object.defineProperty(process.versions, "node", {value: "18.19.0"});\n'
    old.write_text(text, encoding="utf-8")
    assert NODE is not None
    argv = [NODE, f"--require={old}", f"--require={START}", "-e", "console.log(1)"]
    done = subprocess.run(argv, cwd=home, env=dict(os.environ), capture_output=True, encoding="utf-8", check=False)
    assert (done.returncode, done.stdout) == (5, "")
    assert "needs Node.js 20 or later" in done.stderr
    assert "18.19.0" in done.stderr
