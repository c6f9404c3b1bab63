# `make` lists the targets. Everything is installed into .venv, from this folder's own files.

PYTHON ?= python3
SEARCH_ARGS ?= --durations cage4 --red-agent meander --total-episodes 60000 --max-episodes-per-workflow 1500 --final-episodes 20000 --seed 1
BENCH_ARGS ?= sim
PYTEST_ARGS ?= -n 2 --dist loadfile -q

VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
# Compiled code is cached under a name made of its sources, so that an edit can never be hidden by the cache.
CACHED = NUMBA_CACHE_DIR="$$($(BIN)/python tools/numba_cache_dir.py)"

.DEFAULT_GOAL := help
.PHONY: help setup search test test-all fmt lint type test-unit test-parity test-stat test-bounds test-networks test-crash test-processors test-unbiased wheel compiled-wheel docs notebooks pictures figures bench clean-cache

help: ## print this list
	@sed -nE 's/^([a-z-]+):[^#]*## (.*)/  \1\t\2/p' $(MAKEFILE_LIST) | expand -t 16

setup: $(INSTALLED) ## create .venv and install cageflow with all that the checks need

$(INSTALLED): pyproject.toml constraints.txt
	@python=$(PYTHON); if [ -x $(BIN)/python ]; then python=$(BIN)/python; fi; \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "cageflow needs Python 3.11 or later and $$python is $$($$python --version 2>&1): name another, as in 'make setup PYTHON=python3.12'." >&2; \
		exit 1; }
	@if [ ! -x $(BIN)/python ]; then \
		echo "Creating $(VENV) with $$($(PYTHON) --version)."; \
		$(PYTHON) -m venv $(VENV) >/dev/null || { \
			rm -rf $(VENV); \
			$(PYTHON) -m venv --without-pip $(VENV) && $(PYTHON) -m pip --python $(BIN)/python install -q pip; \
		} || { rm -rf $(VENV); echo "$(PYTHON) cannot create a virtual environment: install its venv module (Debian: python3-venv)." >&2; exit 1; }; \
	fi
	@echo "Installing cageflow and what it needs into $(VENV): 1 to 3 minutes once downloaded. PyTorch is most of the download: 0.2 GB built for the CPU, up to 3 GB built for CUDA."
	@$(BIN)/python -m pip install -q -c constraints.txt -e '.[dev]'
	@touch $@
	@echo "Installed: $$($(BIN)/python -c 'import cageflow; print("cageflow", cageflow.__version__)')."

search: setup ## run a small but real workflow search, with live progress (SEARCH_ARGS="...")
	$(CACHED) $(BIN)/cageflow search $(SEARCH_ARGS)

# The types are checked in what the tests leave free of the cores; pytest ends later, so its closing line closes the output.
test: lint ## lint, types and all tests, a quarter of an hour on 2 cores
	@$(MAKE) --no-print-directory -j 2 type test-all

test-all: setup ## all tests
	$(BIN)/pytest $(PYTEST_ARGS) --durations 5

fmt: setup ## put the code in shape and mend what ruff can mend
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

lint: setup ## ruff and codespell
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	git ls-files -z | xargs -0 $(BIN)/codespell

type: setup ## mypy on src
	$(BIN)/mypy src

test-unit: setup ## the quick tests, for every save
	$(BIN)/pytest $(PYTEST_ARGS) tests/unit -m "not slow and not stat"

test-parity: setup ## replay recorded episodes of the original
	$(BIN)/pytest $(PYTEST_ARGS) tests/parity

test-stat: setup ## compare distributions of free runs
	$(BIN)/pytest $(PYTEST_ARGS) -m stat

test-bounds: setup ## the simulator's tests, compiled so that a read out of range is an error
	NUMBA_BOUNDSCHECK=1 $(BIN)/pytest $(PYTEST_ARGS) tests/unit/sim tests/parity tests/property

test-networks: setup ## 200 made-up networks through train, evaluate, report, export, play and watch: half an hour
	printf '%s\n' 0-49 50-99 100-149 150-199 | NUMBA_DISABLE_JIT=1 OMP_NUM_THREADS=1 xargs -P 2 -n 1 $(BIN)/python -m tests.helpers.lifecycle

test-crash: setup ## kill every command at every call that makes something last: three quarters of an hour
	$(CACHED) $(BIN)/python -m tests.helpers.crash

test-processors: setup ## one search on what passes for other processors: the same figures to the last byte
	$(CACHED) $(BIN)/python -m tests.helpers.processors

wheel: setup ## the package as a wheel for any platform, in build/wheels
	$(BIN)/python -m pip wheel -q --no-deps --no-build-isolation --wheel-dir build/wheels .

compiled-wheel: setup ## a wheel for this Python and platform that holds compiled code, so that a first start compiles nothing: two minutes
	rm -rf build/kernels
	$(BIN)/python -m tools.compile_kernels build/kernels
	CAGEFLOW_KERNELS=build/kernels HATCH_BUILD_HOOK_ENABLE_CUSTOM=true $(BIN)/python -m pip wheel -q --no-deps --no-build-isolation --wheel-dir build/wheels .

docs: setup ## the documents as a site, in build/site
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build
	@echo "Open build/site/index.html."

pictures: setup ## take the pictures of pages that the documents show, in a Chromium: a minute
	$(CACHED) $(BIN)/python -m tools.take_pictures docs/images

figures: setup ## draw the curves and prices of the documents; what they need is run once, for half an hour or more
	$(CACHED) $(BIN)/python -m tools.draw_figures docs/images

notebooks: setup ## execute the notebooks of the documents and keep what they show: five minutes
	$(CACHED) $(BIN)/python -m tests.helpers.notebooks

test-unbiased: setup ## 30 small searches by two strategies: what they print is what their policies are worth: two minutes
	$(CACHED) $(BIN)/python -m tests.helpers.unbiased

bench: setup ## measure this machine (BENCH_ARGS="sim --json")
	$(CACHED) $(BIN)/cageflow bench $(BENCH_ARGS)

clean-cache: ## forget compiled kernels and the caches of the checks
	rm -rf .numba_cache .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find src tests tools -name __pycache__ -type d -prune -exec rm -rf {} +
