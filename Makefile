# Targets of the project. The environment in .venv is made once and again whenever the packaging files or
# the native engine's sources change.

PYTHON ?= python3
VENV ?= .venv
ARGS ?=

PY := $(VENV)/bin/python
PACKAGING := pyproject.toml setup.cfg setup.py $(wildcard tsrnn/engine/native/*.pyx $(addprefix tsrnn/engine/native/src/,*.[ch] */*.h))
LOWEST := .venv-lowest
BUILD := .venv-build

export PIP_DISABLE_PIP_VERSION_CHECK := 1

.PHONY: demo readme test test-slow test-lowest lint format types doctest notebook sanitize portable package clean

demo: $(VENV)/.installed
	$(VENV)/bin/tsrnn demo --output demo-output

# What the README shows is what the demonstration said and drew.
readme: demo
	$(PY) docs/update_readme.py demo-output

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

# The modules of Keras's other backends import them, and have no examples.
doctest: $(VENV)/.installed
	$(PY) -m pytest --doctest-modules --doctest-glob='*.md' tsrnn docs \
		--ignore tsrnn/engine/keras_/jax.py --ignore tsrnn/engine/keras_/torch.py $(ARGS)

notebook: $(VENV)/.installed
	set -e; for book in notebooks/*.ipynb; do [ -e "$$book" ] || continue; \
		$(VENV)/bin/jupyter-execute --timeout=600 "$$book"; done

# The native engine's tests under sanitizers, its C under other compilers and processors, and the package as installed.
sanitize: $(VENV)/.installed $(BUILD)/.installed
	.ci/sanitize $(PY) $(BUILD)/bin/python

portable:
	.ci/portable

package: $(VENV)/.installed $(BUILD)/.installed
	.ci/package $(PY) $(BUILD)/bin/python

clean:
	rm -rf build dist demo-output *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis $(LOWEST) $(BUILD)
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

# What the build needs is said in pyproject.toml alone. The same interpreter as in .venv, which loads what it builds.
$(BUILD)/.installed: pyproject.toml | $(PY)
	$(PY) -m venv $(BUILD)
	$(BUILD)/bin/python -c 'import tomllib; print(*tomllib.load(open("pyproject.toml", "rb"))["build-system"]["requires"])' \
		| xargs $(BUILD)/bin/python -m pip install --quiet
	touch $@
