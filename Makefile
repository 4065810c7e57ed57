# What one types.  Every target stands on `setup`, which does nothing the second time.
BIN := .venv/bin
PO  := $(wildcard src/tidewaiter/i18n/locale/*/LC_MESSAGES/tidewaiter.po)
F   ?= lines wire
T   ?= all
S   ?= 60
# What a wheel holds, compiled, instead of the source.
SHIPPED := PYTHONPATH=$(CURDIR)/.venv/compiled

.PHONY: setup compiled check test soak bench fuzz mutants demo docs format messages lock wheel
.DEFAULT_GOAL := check

setup: .venv/set-up  ## .venv from the lock file
.venv/set-up: requirements.lock pyproject.toml packaging/setup.sh packaging/hatch_build.py $(PO)
	@packaging/setup.sh && touch $@

compiled: .venv/compiled  ## the wheel as it is shipped, for what measures and judges it
.venv/compiled: .venv/set-up packaging/compiled.sh packaging/compile.py $(shell find src -name '*.py' -o -name '*.toml')
	@packaging/compiled.sh && touch $@

check: setup  ## format, lint, types, imports, spelling, docs and the fast tests: two minutes, no mail programs
	$(BIN)/ruff format --check --quiet
	$(BIN)/ruff check --quiet
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/codespell
	$(BIN)/pytest -q -n 2 -m "not peers and not slow"

test: setup compiled  ## everything but the full counts, with real mail programs on both sides: 15 minutes on two cores
	$(BIN)/python -m tests.peers
	$(BIN)/pytest -q -n 2 --source $(PYTEST)
	$(SHIPPED) $(BIN)/pytest -q -n 2 --shipped $(PYTEST)

soak: setup compiled  ## as test, with every count in full: hours
	$(BIN)/python -m tests.peers
	$(BIN)/pytest -q -n 2 --source --soak $(PYTEST)
	$(SHIPPED) $(BIN)/pytest -q -n 2 --shipped --soak $(PYTEST)

bench: setup compiled  ## speed and memory beside Postfix and aiosmtpd
	$(SHIPPED) $(BIN)/python -m bench

fuzz: setup  ## T=data S=60: one harness for so many seconds; T=all: each
	$(BIN)/python fuzz/run.py $(T) --seconds $(S)

mutants: setup  ## F=lines/scan.py: plants small bugs everywhere, lists what survives
	$(BIN)/python -m tests.mutation $(F)

demo: setup  ## honest mail and every attack over real sockets, without and with the gateway
	$(BIN)/tidewaiter demo

docs: setup  ## draws pictures and writes references from the code
	$(BIN)/python -m docs.generate

format: setup
	$(BIN)/ruff check --quiet --fix-only
	$(BIN)/ruff format --quiet

messages: setup  ## the catalogue after a new string: then translate what is empty in the .po
	$(BIN)/pybabel -q extract -F packaging/babel.cfg -k Sentence --no-location --sort-output -o .venv/messages.pot src \
	    $$($(BIN)/python -c "import argparse; print(argparse.__file__)")
	$(BIN)/pybabel -q update --no-fuzzy-matching --ignore-obsolete --ignore-pot-creation-date -w 9999 -D tidewaiter -i .venv/messages.pot \
	    -d src/tidewaiter/i18n/locale

LOCK := $(BIN)/uv pip compile --quiet --generate-hashes --no-annotate --no-emit-index-url --python-version 3.11 \
    --custom-compile-command "make lock"
lock: setup  ## the lock files after a change of dependencies, without the name of any registry's host
	$(LOCK) pyproject.toml --group dev --extra lab --extra demo --output-file requirements.lock
	@# Of what has been tested, what running needs, and what building needs: docs/start.md installs from these two.
	$(LOCK) pyproject.toml --constraint requirements.lock --output-file packaging/requirements-run.lock
	$(BIN)/python packaging/hatch_build.py requires | \
	    $(LOCK) - --constraint requirements.lock --output-file packaging/requirements-build.lock

wheel: setup
	$(BIN)/pip wheel --quiet --no-deps --no-build-isolation --wheel-dir dist .
