# Everything runs in .venv, which is made here and is the only place that anything is installed into.
# Another Python: make demo PYTHON=python3.12

PYTHONS := python3 python3.14 python3.13 python3.12 python3.11
NEW_ENOUGH := import sys, venv; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for p in $(PYTHONS); do "$$p" -c '$(NEW_ENOUGH)' 2>/dev/null && echo "$$p" && break; done)
VENV := .venv
BIN := $(VENV)/bin
# Some systems tell Python not to keep what it compiled: the tests start hundreds of processes, which would all compile.
PYTEST := PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
PACKAGES := core backends samplers validators features composers sinks executors importers annotators augmenters corpus explorer
# Strict: a tree of links under build/ that editors and type checkers find. It is made anew when files come or go.
EDITABLE := --config-settings editable_mode=strict
FOLDERS := $(shell find $(PACKAGES) -name __pycache__ -prune -o -type d -print)
ARGS ?=

.PHONY: help demo test test-long lint docs docs-serve clean

help: ## show this list
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 18

demo: $(VENV)/installed ## set up, and make a dataset of 48 Vital patches at 3 pitches: data/demo.zarr
	$(BIN)/tonesmith generate -n 48 data/demo.zarr

test: $(VENV)/installed-test ## set up, and run the tests; ARGS="-k docs" goes to pytest
	$(PYTEST) $(ARGS)

test-long: $(VENV)/installed-test ## the tests that take too long for every change
	$(PYTEST) -m "long or hypothesis" --hypothesis-profile long $(ARGS)

lint: $(VENV)/installed-test ## set up, and run ruff, mypy and import-linter
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy --strict -p tonesmith
	$(BIN)/lint-imports --no-cache

docs: $(VENV)/installed-docs ## set up, write docs/reference anew, and build the site: site/index.html
	$(BIN)/python docs/make_reference.py
	$(BIN)/python docs/make_site.py

docs-serve: $(VENV)/installed-docs ## set up, and serve the site on this machine
	$(BIN)/python docs/make_site.py --stage
	$(BIN)/zensical serve

clean: ## remove .venv and all that tools left; datasets stay
	rm -rf $(VENV) build dist site .cache *.egg-info .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Some systems ship Python without ensurepip: there, pip comes from outside.
$(VENV)/made:
	@test -n "$(PYTHON)" || { echo "make: no Python 3.11 or newer among: $(PYTHONS). Name one: make PYTHON=..." >&2; exit 1; }
	@"$(PYTHON)" -c '$(NEW_ENOUGH)' || { echo "make: $(PYTHON) is not Python 3.11 or newer" >&2; exit 1; }
	"$(PYTHON)" -m venv --clear $(VENV) || { \
	  "$(PYTHON)" -m venv --clear --without-pip $(VENV) && \
	  "$(PYTHON)" -m pip --python $(BIN)/python install --quiet pip; }
	touch $@

$(VENV)/installed: $(VENV)/made pyproject.toml $(FOLDERS)
	$(PIP) install $(EDITABLE) -e .
	touch $@

# What is imported is compiled then: to compile all that the tests install takes longer than most of them.
$(VENV)/installed-test: $(VENV)/made pyproject.toml tests/constraints.txt $(FOLDERS)
	$(PIP) install --no-compile $(EDITABLE) -c tests/constraints.txt -e '.[test]'
	touch $@ $(VENV)/installed

$(VENV)/installed-docs: $(VENV)/made pyproject.toml $(FOLDERS)
	$(PIP) install $(EDITABLE) -e '.[docs]'
	touch $@ $(VENV)/installed
