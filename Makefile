# One entry for everything. `make` alone lists what there is.
# `make demo` and `make test` work as the first command in a fresh clone: they build .venv and install the agents.

SHELL := /bin/bash
.DEFAULT_GOAL := help

VENV ?= .venv
AGENTS ?= .agents-cache
PY := $(VENV)/bin/python
PYTEST := $(PY) -m pytest -q
# a process a core, the tests of a file in one of them
AT_ONCE := -n auto --maxprocesses 4 --dist loadfile
ROOT := $(CURDIR)

# text files are opened with an encoding; a forgotten one is a warning, and warnings are errors
TESTENV := PYTHONWARNDEFAULTENCODING=1 MOOR_TEST_AGENTS="$(abspath $(AGENTS))/agents"

.PHONY: help
help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(firstword $(MAKEFILE_LIST))

.PHONY: env
env: ## build .venv from the lock (only when something changed)
	@scripts/bootstrap env --venv "$(VENV)"

.PHONY: agents
agents: env ## install the pinned agents once for this checkout
	@scripts/bootstrap agents --venv "$(VENV)" --agents "$(AGENTS)"

.PHONY: compiled
compiled: env ## compile the gateway's hot modules, where a C compiler is (half the CPU; the sources stay the truth)
	@$(PY) -m scripts.compiled --if-possible

.PHONY: demo
demo: env ## all of it in one minute, on a simulated workspace
	@scripts/bootstrap agents --venv "$(VENV)" --agents "$(AGENTS)" --only opencode
	@MOOR_TEST_AGENTS="$(abspath $(AGENTS))/agents" $(VENV)/bin/moor demo

.PHONY: format
format: env ## format the code
	@$(PY) -m ruff format -q .
	@$(PY) -m ruff check -q --fix .

.PHONY: lint
lint: env ## format, lint and types, nothing changed
	@$(PY) -m ruff format --check . >&2 || { echo "not formatted; type: make format" >&2; exit 1; }
	@$(PY) -m ruff check -q .
	@$(PY) -m mypy --no-error-summary

.PHONY: check
check: lint ## lint, types, architecture and unit tests: a minute or two
	@$(TESTENV) $(PYTEST) $(AT_ONCE) tests/arch tests/unit

.PHONY: ready
ready: lint compiled agents ## what `make test` needs, without the tests

.PHONY: test
test: ## what CI runs: everything but the long products
	@$(MAKE) --no-print-directory -j2 ready
	@$(TESTENV) $(PYTEST) $(AT_ONCE) -m "not full" tests

.PHONY: test-full
test-full: ## the products and soaks too; writes docs/reference/full-results.md
	@$(MAKE) --no-print-directory -j2 ready
	@$(TESTENV) $(PY) -m scripts.full_results

.PHONY: fuzz
fuzz: env ## the properties on TIMES as much made-up input as the tests; by hand, TIMES=20 takes half an hour
	@$(TESTENV) MOOR_FUZZ=$(or $(TIMES),20) $(PYTEST) -m fuzz --timeout 0 tests/unit

.PHONY: test-pythons
test-pythons: env ## unit tests on every other supported Python found here
	@$(PY) -m scripts.pythons

.PHONY: docs
docs: env ## write the generated reference pages
	@$(PY) -m scripts.docs

.PHONY: lock
lock: env ## renew requirements/*.lock from pyproject.toml (needs uv)
	@$(PY) -m scripts.lock

.PHONY: build
build: env ## source distribution, and a wheel for this platform with the gateway compiled, into dist/
	@$(PY) -m hatchling build -t sdist
	@MOOR_COMPILE=1 $(PY) -m hatchling build -t wheel

.PHONY: bench
bench: env compiled ## launch and gateway figures against the aims
	@$(PY) -m bench.launch
	@if [ -f bench/gateway/__main__.py ]; then $(PY) -m bench.gateway; fi

.PHONY: clean
clean: ## remove what the targets above made
	@rm -rf "$(VENV)" "$(AGENTS)" build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
