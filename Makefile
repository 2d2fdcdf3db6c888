# Targets of the project. The environment in .venv is made once and again whenever the packaging files or
# the native engine's sources change.

PYTHON ?= python3
VENV ?= .venv
ARGS ?=

PY := $(VENV)/bin/python
PACKAGING := pyproject.toml setup.cfg setup.py $(wildcard tsrnn/engine/native/*.pyx tsrnn/engine/native/src/*)
LOWEST := .venv-lowest

export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: demo test test-slow test-lowest lint format types doctest notebook clean

demo: $(VENV)/.installed
	$(VENV)/bin/tsrnn demo --output demo-output

test: $(VENV)/.installed
	$(PY) -m pytest $(ARGS)

test-slow: $(VENV)/.installed
	$(PY) -m pytest -m slow $(ARGS)

# The pins have wheels for Python 3.11 and 3.12. Warnings of old dependencies are not ours to mend.
test-lowest: $(LOWEST)/.installed
	$(LOWEST)/bin/python -m pytest -W default $(ARGS)

lint: $(VENV)/.installed-dev
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .

format: $(VENV)/.installed-dev
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .

types: $(VENV)/.installed-dev
	$(PY) -m mypy

doctest: $(VENV)/.installed
	$(PY) -m pytest --doctest-modules --doctest-glob='*.md' tsrnn docs $(ARGS)

notebook: $(VENV)/.installed
	set -e; for book in notebooks/*.ipynb; do [ -e "$$book" ] || continue; \
		$(VENV)/bin/jupyter-execute --timeout=600 "$$book"; done

clean:
	rm -rf build dist demo-output *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis $(LOWEST)
	find tsrnn tests benchmarks datasets notebooks -name __pycache__ -type d -prune -exec rm -rf {} +

$(PY):
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: $(PACKAGING) | $(PY)
	$(PY) -m pip install --quiet --editable ".[test]"
	touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	$(PY) -m pip install --quiet --editable ".[test,dev]"
	touch $@

$(LOWEST)/.installed: $(PACKAGING) tests/lowest-versions.txt
	$(PYTHON) -m venv $(LOWEST)
	$(LOWEST)/bin/python -m pip install --quiet --constraint tests/lowest-versions.txt --editable ".[test]"
	touch $@
