# Two commands do everything on a fresh machine with Python 3.11 or newer: `make demo` and `make test`.
PYTHON ?= python3
UV_VERSION := 0.13.9
BIN := .venv/bin
PYTEST := $(BIN)/python -m pytest --dist loadfile --no-loadscope-reorder

.PHONY: demo test test-long lint bench lock clean
.DEFAULT_GOAL := demo

demo: .venv/compiled  ## start the emulated machine shop and open the address it prints; FRESH=1 begins anew
	@$(BIN)/forerun demo $(if $(filter 1,$(FRESH)),--fresh)

test: .venv/installed-dev .venv/compiled  ## everything that must hold, in under ten minutes
	@tests/prepare.sh
	@$(MAKE) --no-print-directory lint
	@$(PYTEST) --hypothesis-profile steady -m "not long and not alone" --numprocesses 3
	@$(PYTEST) --hypothesis-profile steady -m "not long and alone" --numprocesses 2

test-long: .venv/installed-dev .venv/compiled  ## the full counts
	@tests/prepare.sh
	@$(PYTEST) -m "not alone" --numprocesses 3
	@$(PYTEST) -m alone --numprocesses 2

lint: .venv/installed-dev
	@$(BIN)/ruff format --check --quiet .
	@$(BIN)/ruff check --quiet .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

bench: .venv/installed-dev .venv/compiled  ## every figure, written to benchmarks/RESULTS.md
	@$(BIN)/python -m benchmarks all --results benchmarks/RESULTS.md

lock: .venv/installed-dev  ## resolve the newest allowed versions again
	@rm -f requirements.lock requirements-dev.lock
	@$(BIN)/uv pip compile -q pyproject.toml --group build --generate-hashes --no-emit-index-url --no-annotate \
	    --no-header --python-version 3.11 -o requirements.lock
	@$(BIN)/uv pip compile -q pyproject.toml --group build --group dev --generate-hashes --no-emit-index-url \
	    --no-annotate --no-header --python-version 3.11 -c requirements.lock -o requirements-dev.lock

clean:
	@rm -rf .venv .data .artifacts tests/node_modules

.venv/uv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
	    || { echo "Forerun needs Python 3.11 or newer; say which with: make PYTHON=python3.11 $(MAKECMDGOALS)"; exit 1; }
	@echo "Setting up .venv ..."
	@$(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@touch $@

.venv/installed: .venv/uv requirements.lock pyproject.toml
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes --compile-bytecode -r requirements.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
	@touch $@

.venv/compiled: .venv/installed $(wildcard scheduler/*.py twin/*.py)
	@echo "Compiling the search and the twin ..."
	@$(BIN)/forerun compile
	@touch $@

.venv/installed-dev: .venv/installed requirements-dev.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes --compile-bytecode -r requirements-dev.lock
	@touch $@
