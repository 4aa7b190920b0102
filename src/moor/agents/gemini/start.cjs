"use strict";
// Loaded by Node.js before Gemini CLI (--require), at each start through moor. Four duties:
//
// 1. Say in one sentence that Node.js is too old.
// 2. Keep what a repository sets up for Gemini CLI (`.gemini`, `.agents`) from being read: 0.61 reads settings, a
//    `.env`, commands, agents and skills there, and the only way of its own to stop that (an untrusted folder) takes
//    the rules files and half of its modes away too. For everything in this process such a folder does not exist, and
//    cannot be written: a tool that took a file for a new one would replace it. Tools run in processes of their own
//    and see the files. What moor lets in comes with its private home. A link in the project that leads out of it is
//    not read either: a rules file could bring the user's own files to the model.
// 3. Give the programs it starts the user's own environment back. What differs stands in start.json of that home.
// 4. Name the conversation and its sub-agents in model calls, for the ledger: Gemini CLI names neither. A sub-agent is
//    known by the tool that hands in its result, and told from others by its task.
const crypto = require("node:crypto");
const fs = require("node:fs");
const path = require("node:path");
const { ChildProcess } = require("node:child_process");
const { fileURLToPath } = require("node:url");
const { syncBuiltinESMExports } = require("node:module");

const OLDEST = 20;
const HIDDEN = new Set([".gemini", ".agents"]);
const READS = ["access", "stat", "lstat", "readFile", "readdir", "opendir", "open", "realpath", "readlink", "readv"];
const OPENS = new Set(["readFile", "open"]);
const WRITES = ["writeFile", "appendFile", "mkdir", "rename", "copyFile", "cp", "symlink", "link", "rm", "unlink"];

if (Number(process.versions.node.split(".")[0]) < OLDEST) {
  process.stderr.write(
    `Gemini CLI needs Node.js ${OLDEST} or later; ${process.execPath} is ${process.versions.node}. ` +
      "Install a newer one, or put it first in PATH.\n",
  );
  process.exit(5);
}

const home = path.resolve(process.env.GEMINI_CLI_HOME);
const restored = JSON.parse(fs.readFileSync(path.join(home, "start.json"), "utf8"));
const here = process.cwd();
const realpath = fs.realpathSync.native;
const root = projectRoot(here);

function text(file) {
  if (typeof file === "string") return file;
  if (Buffer.isBuffer(file)) return file.toString();
  if (file instanceof URL && file.protocol === "file:") return fileURLToPath(file);
  return "";
}

function below(file, folder) {
  return file === folder || file.startsWith(folder.endsWith(path.sep) ? folder : folder + path.sep);
}

function projectRoot(folder) {
  for (let at = folder; ; at = path.dirname(at)) {
    if (fs.existsSync(path.join(at, ".git"))) return at;
    if (at === path.dirname(at)) return folder;
  }
}

function leadsOut(given) {
  const file = path.resolve(text(given));
  if (!below(file, root)) return false;
  try {
    const real = realpath(file);
    return !below(real, realpath(root)) && !below(real, realpath(home));
  } catch {
    return false;
  }
}

function hidden(given) {
  const name = text(given);
  if (!name) return false;
  const file = path.resolve(name);
  if (below(file, home) || below(here, file)) return false;
  const rest = below(file, here) ? file.slice(here.length) : file;
  return rest.split(path.sep).some((part) => HIDDEN.has(part));
}

function failure(name, file, code, words) {
  const error = new Error(`${code}: ${words}, ${name} '${text(file)}'`);
  return Object.assign(error, { errno: code === "ENOENT" ? -2 : -13, code, syscall: name, path: text(file) });
}

function refusal(name, args) {
  const at = ["rename", "copyFile", "cp", "symlink", "link"].includes(name) ? args.slice(0, 2) : args.slice(0, 1);
  const file = at.find((one) => hidden(one) || (OPENS.has(name) && leadsOut(one)));
  if (file === undefined) return null;
  return READS.includes(name)
    ? failure(name, file, "ENOENT", "no such file or directory")
    : failure(name, file, "EACCES", "moor keeps this folder from Gemini CLI");
}

function fenceSync(name) {
  const real = fs[`${name}Sync`];
  if (typeof real !== "function") return;
  fs[`${name}Sync`] = Object.assign(function (...args) {
    const error = refusal(name, args);
    if (error === null) return real.apply(this, args);
    if (args[1] && args[1].throwIfNoEntry === false) return undefined;
    throw error;
  }, real);
}

function fenceCallback(name) {
  const real = fs[name];
  if (typeof real !== "function") return;
  fs[name] = Object.assign(function (...args) {
    const error = refusal(name, args);
    const tell = args[args.length - 1];
    if (error === null || typeof tell !== "function") return real.apply(this, args);
    process.nextTick(tell, error);
  }, real);
}

function fencePromise(name) {
  const real = fs.promises[name];
  if (typeof real !== "function") return;
  fs.promises[name] = async function (...args) {
    const error = refusal(name, args);
    if (error !== null) throw error;
    return real.apply(this, args);
  };
}

for (const name of [...READS, ...WRITES]) {
  fenceSync(name);
  fenceCallback(name);
  fencePromise(name);
}
const exists = fs.existsSync;
fs.existsSync = (file) => !hidden(file) && exists(file);
for (const name of ["realpath", "realpathSync"]) {
  const native = fs[name].native;
  fs[name].native = function (...args) {
    return hidden(args[0]) ? fs[name](...args) : native.apply(this, args);
  };
}
syncBuiltinESMExports();

const spawn = ChildProcess.prototype.spawn;
ChildProcess.prototype.spawn = function (options) {
  const names = new Set(Object.keys(restored));
  const kept = (options.envPairs || []).filter((pair) => !names.has(pair.slice(0, pair.indexOf("="))));
  const back = Object.entries(restored).filter(([, value]) => value !== null);
  return spawn.call(this, { ...options, envPairs: [...kept, ...back.map(([name, value]) => `${name}=${value}`)] });
};

const REPORTS = "complete_task";
const conversation = crypto.randomUUID();

function subagent(body) {
  if (!body.includes(`"${REPORTS}"`)) return "";
  try {
    const call = JSON.parse(body);
    const tools = (call.tools || []).flatMap((tool) => tool.functionDeclarations || []);
    if (!tools.some((tool) => tool.name === REPORTS)) return "";
    return crypto.createHash("sha256").update(JSON.stringify(call.contents[0])).digest("hex").slice(0, 16);
  } catch {
    return "";
  }
}

const send = globalThis.fetch;
globalThis.fetch = function (url, init) {
  const base = process.env.GOOGLE_GEMINI_BASE_URL;
  if (!base || !init || typeof init.body !== "string" || !String(url).startsWith(base)) return send.call(this, url, init);
  const headers = new Headers(init.headers);
  const inner = subagent(init.body);
  headers.set("x-moor-conversation", conversation);
  if (inner) headers.set("x-moor-subagent", inner);
  return send.call(this, url, { ...init, headers });
};
