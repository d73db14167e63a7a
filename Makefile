# Two commands do everything, set-up included: `make demo` and `make test`.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
OUT := demo_out
BUDGET ?= 3m
JOBS ?= 2
PYTEST = $(BIN)/pytest -n $(JOBS) --dist loadgroup --no-loadscope-reorder

.PHONY: help setup demo test fast lint clean

help:
	@echo "make demo   set up .venv, search on the embedded demo set for $(BUDGET), export and develop the result"
	@echo "make test   set up .venv, run every test in $(JOBS) processes"
	@echo "make fast   the fast tests only        make lint   ruff and mypy"

setup: $(READY)

# torch comes first and exactly pinned, so that nothing else chooses another build of it.
$(READY): pyproject.toml constraints.txt
	$(PYTHON) -c 'import sys; v = sys.version_info; sys.exit(0 if v >= (3, 11) else f"Python 3.11 or newer is needed, this is {v.major}.{v.minor}; try make PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt torch==2.13.0
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

demo: $(READY)
	BIN=$(BIN) OUT=$(OUT) BUDGET=$(BUDGET) bash examples/demo.sh

test: $(READY)
	$(PYTEST) -m ''

fast: $(READY)
	$(PYTEST)

lint: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

clean:
	rm -rf $(VENV) .venv-tflite-runtime .arm-emulation $(OUT) .pytest_cache .mypy_cache .ruff_cache .hypothesis
