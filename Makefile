# Everything happens inside the checkout: .venv/ holds the locked dependencies, var/ the built graph.

PYTHON ?= python3
PORT ?= 8000
BIN := .venv/bin
RUN_LOCK := requirements.lock
DEV_LOCK := requirements-dev.lock

.DEFAULT_GOAL := help
.PHONY: help serve test lint bench bench-large bench-validation check-long lock clean

help: ## what there is
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | sort

serve: .venv/run ## set up, build the graph if there is none, serve on PORT
	$(BIN)/medkg serve --port $(PORT)

test: .venv/dev ## set up and run the whole test suite; ARGS goes to pytest
	$(BIN)/python -m pytest $(ARGS)

lint: .venv/dev ## formatting, lint, types, layers
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: .venv/dev ## measure the build and, beside peers, the serving of a million triples; write docs/
	$(BIN)/python benchmarks/build.py
	$(BIN)/python benchmarks/serving.py --scale 1m --write

bench-large: .venv/dev ## the same for ten million triples; takes hours
	$(BIN)/python benchmarks/serving.py --scale 10m --write

bench-validation: .venv/dev var/peers/done ## measure validation beside other validators; write docs/
	$(BIN)/python benchmarks/validation.py --peers var/peers/bin/python --write

check-long: .venv/dev ## a thousand kills of the processes of the service, at random moments
	$(BIN)/python benchmarks/chaos.py --kills 1000

lock: .venv/dev ## resolve the dependencies again
	$(BIN)/python tools/lock.py

clean: ## remove what was installed and built
	rm -rf .venv var build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache

.venv/bin/python:
	$(PYTHON) -c 'import sys; sys.exit("medkg needs Python 3.11 or newer") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv .venv

.venv/run: $(RUN_LOCK) pyproject.toml | .venv/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $(RUN_LOCK)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

# The development lock holds everything that the other one does.
.venv/dev: $(DEV_LOCK) pyproject.toml | .venv/bin/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $(DEV_LOCK)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@ .venv/run

# Validators that are only measured beside ours.
var/peers/done: benchmarks/validators/peers.txt | .venv/bin/python
	$(BIN)/python -m venv var/peers
	var/peers/bin/python -m pip install --quiet --disable-pip-version-check -r $<
	touch $@
