# `make demo` and `make test` need python3 (3.11 or newer) with pip, and nothing else.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin

.PHONY: demo test check clean

# Finds the rewritten wire story among the five texts in seeds/.
demo: $(VENV)/.demo
	$(BIN)/dedupe scan seeds/ --output out

# Lint, types and all tests.
test: check
	$(BIN)/python -m pytest

check: $(VENV)/.test
	$(BIN)/ruff format --check dedupe tests benchmarks
	$(BIN)/ruff check dedupe tests benchmarks
	$(BIN)/mypy

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.demo: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --editable .
	touch $@

$(VENV)/.test: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --editable '.[html,datasketch,scrapy,test]'
	touch $@ $(VENV)/.demo

clean:
	rm -rf $(VENV) out .mypy_cache .pytest_cache .ruff_cache .hypothesis
