# Two commands: `make demo` and `make test`. They install what they need into .venv and nothing elsewhere.

CATALOG ?=
MODEL ?= builtin
PORT ?= 8000
DEMO_ONLY ?=
export CATALOG MODEL PORT DEMO_ONLY

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check

.DEFAULT_GOAL := help
.PHONY: help demo test lint format reference clean
.DELETE_ON_ERROR:

help: ## Show this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' $(firstword $(MAKEFILE_LIST)) | expand -t 16
	@echo
	@echo "  Options of demo:  CATALOG=path  MODEL=builtin|name|folder  PORT=8000  DEMO_ONLY=ingest"

demo: $(VENV)/demo.installed ## Ingest the demo catalog, or CATALOG=, and serve the search page
	@bash deploy/demo.sh

test: lint ## Run every check and every test
	@$(BIN)/python -m pytest --numprocesses 3 --dist loadfile --no-loadscope-reorder

lint: $(VENV)/test.installed ## Run the checks that need no test run: ruff, mypy, import-linter
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

format: $(VENV)/test.installed ## Bring the code into shape with ruff
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

reference: $(VENV)/test.installed ## Write docs/reference.md from the code
	@$(BIN)/python docs/reference.py

clean: ## Remove .venv, the demo and every cache
	rm -rf $(VENV) .demo .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# A stamp is the proof that a group was installed whole; it is older than what it was made from, or gone.
$(VENV)/demo.installed: GROUPS := --group runtime --group evaluation
$(VENV)/test.installed: GROUPS := --group dev
$(VENV)/%.installed: pyproject.toml constraints.txt | $(VENV)/created
	@echo "Installing into $(VENV): $(strip $(subst --group,,$(GROUPS))) (torch is large: a few minutes the first time) ..."
	@$(PIP) install -qq --constraint constraints.txt pip
	@$(PIP) install -qq --constraint constraints.txt $(GROUPS)
	@touch $@

$(VENV)/created:
	@set -e; for python in $(PYTHON) python3.11 python3.12 python3.13 python3 python; do \
		if "$$python" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
			echo "Creating $(VENV) with $$("$$python" --version) ..."; \
			"$$python" -m venv $(VENV); touch $@; exit 0; \
		fi; \
	done; \
	echo "StoreLens needs Python 3.11 or newer with its venv module, and found none." >&2; \
	echo "Install it (on Debian: python3 python3-venv), or name one: make PYTHON=/path/to/python" >&2; \
	exit 1
