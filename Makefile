# `make` alone lists the commands. Everything that is needed is installed into .venv by `setup`.
PYTHON ?= python3
BIN := .venv/bin
WORKERS ?= 2

.PHONY: help setup demo test check lint types layers docs bench bench-kills clean

help:  ## list the commands
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*##/:/' | awk -F': +' '{printf "make %-8s %s\n", $$1, $$2}'

setup: .venv/ready  ## make .venv with groundup and everything its development needs

.venv/ready: pyproject.toml constraints.txt
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --upgrade "pip>=25.1"
	@$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable . --group dev
	@touch $@

demo: .venv/ready  ## train, evaluate and package a model on real data, step by step
	@rm -rf build/demo
	@$(BIN)/groundup train sample:titanic --target survived --runs build/demo --name demo

test: .venv/ready  ## unit, contract, learning and doc tests; warnings are errors
	@$(BIN)/python -m pytest -n $(WORKERS) --dist worksteal

check: lint types layers test  ## everything a change must pass

lint: .venv/ready  ## format and lint (ruff)
	@$(BIN)/ruff format --check src tests benchmarks docs
	@$(BIN)/ruff check src tests benchmarks docs

types: .venv/ready  ## strict type checking (mypy)
	@$(BIN)/mypy

layers: .venv/ready  ## the import rules (import-linter)
	@$(BIN)/lint-imports --no-cache

docs: .venv/ready  ## check that the documentation's links and code blocks are true
	@$(BIN)/python -m pytest tests/docs

BENCHMARKS := startup preparation stages one_row serving_row fit_overhead bitflips leaks fit_verdicts interval_coverage \
    more_rows quantile_regression conformal_coverage calibration mutated_models learner_scores intelex network_steps

bench: .venv/ready  ## measure against what a user would pick instead, and against stated goals (many minutes)
	@missed=; for name in $(BENCHMARKS); do echo "== benchmarks/$$name.py"; \
	    $(BIN)/python benchmarks/$$name.py || missed="$$missed $$name"; done; \
	    if [ -n "$$missed" ]; then echo "Goals missed in:$$missed"; exit 1; fi

bench-kills: .venv/ready  ## kill runs at random moments, resume them, compare bit by bit (many minutes)
	@$(BIN)/python benchmarks/kills.py

clean:  ## remove what the commands above made
	@rm -rf .venv build .mypy_cache .ruff_cache .pytest_cache .hypothesis
