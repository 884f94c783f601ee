# Everything a contributor runs; `make` lists it. A new machine has Python 3.11 or later, pip and make.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
TEST_ARGS ?=
BENCH_ARGS ?=
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --require-virtualenv

.DEFAULT_GOAL := help
.PHONY: help serve venv venv-test browser test check lint format bench bench-decisions compare prove docs check-docs tour requirements clean fuzz mutate seeded-bugs wheel-compiled oracle

help: ## List these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-14s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

serve: venv ## Install what is locked, and start iamd with its data in .iamd/
	$(BIN)/iamd serve --data .iamd

venv: $(VENV)/.installed ## Only the set-up of `make serve`: .venv/bin/iamd can run after it

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "iamd needs Python 3.11 or later: make PYTHON=python3.11 $(MAKECMDGOALS)"; exit 2; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: $(VENV)/bin/python pyproject.toml requirements/serve.txt
	$(PIP) --require-hashes -r requirements/serve.txt
	$(PIP) --no-deps -e .
	@touch $@

venv-test: $(VENV)/.installed-test browser

$(VENV)/.installed-test: $(VENV)/.installed requirements/test.txt
	$(PIP) --require-hashes -r requirements/test.txt
	@touch $@

# Tests of the pages drive Debian's Chromium; without it, and where it can't be installed, they say so and are skipped.
# It is the machine's and not the tree's, so no file in the tree says that it is there.
browser:
	@for name in chromium-headless-shell chromium google-chrome-stable; do command -v $$name >/dev/null && exit 0; done; \
		install="apt-get install -qq -y --no-install-recommends chromium-headless-shell"; \
		test "$$(id -u)" = 0 && { $$install || { apt-get update -qq && $$install; }; } >/dev/null 2>&1 \
		|| echo "tests in a browser will be skipped: install Debian's chromium-headless-shell for them"

# Byte code is kept, whatever the environment says: without it every server of a test compiles its modules anew.
test: venv-test ## Run every test
	@$(BIN)/python -m compileall -q src
	PYTHONDONTWRITEBYTECODE= $(BIN)/pytest -n auto --dist worksteal -q $(TEST_ARGS)

lint: $(VENV)/.installed-test ## Check format, lint, types and import contracts
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.installed-test ## Format the code, and mend what ruff can
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

docs: $(VENV)/.installed-test ## Write the generated pages of docs/ anew
	$(BIN)/python tools/write_docs.py

check-docs: $(VENV)/.installed-test ## Check that the generated pages of docs/ say what the code says
	$(BIN)/python tools/write_docs.py --check

tour: $(VENV)/.installed-test ## Run the tour, and write its page and the README's part of it anew
	$(BIN)/python tools/write_tour.py

check: lint check-docs test compare fuzz ## What CI runs: format, lint, types, contracts, documents, tests, model, fuzzing

compare: $(VENV)/.installed-test ## Compare the decision engine with its model on 200,000 random cases, the same each time
	$(BIN)/python tools/prove.py 200000 20260301 --check

prove: $(VENV)/.installed-test ## Compare the decision engine with its model on N random cases (N=5000000 for a release), and with both doors
	$(BIN)/python tools/prove.py $(or $(N),1000000)
	AGREEMENTS=5000 $(BIN)/pytest -q -n 2 tests/services/iam/test_simulated_near_misses.py tests/services/iam/test_simulation_agrees.py

oracle: $(VENV)/.installed-test $(VENV)/.installed-decisions ## Ask npm's iam-simulate about N near-misses (20000; optional); writes docs/oracle.md
	$(BIN)/python tools/oracle.py $(or $(N),20000) $(or $(SEED),1) --write docs/oracle.md

fuzz: $(VENV)/.installed-fuzz ## Fuzz the policy engine, each target for SECONDS (30)
	$(BIN)/python tools/fuzz.py $(or $(SECONDS),30)

$(VENV)/.installed-fuzz: $(VENV)/.installed-test requirements/fuzz.txt
	$(PIP) --require-hashes -r requirements/fuzz.txt
	@touch $@

mutate: $(VENV)/.installed-test ## See how many of N mutants of the policy engine its tests kill (N=0 for all; SEED chooses which)
	$(PIP) --require-hashes -r requirements/mutate.txt
	$(BIN)/python tools/mutate.py $(or $(N),400) $(or $(SEED),1)

seeded-bugs: venv-test ## Put the bugs of tools/seeded_bugs.toml into iamd one by one; each must fail its tests (BUGS="B05 B19": these)
	$(BIN)/python tools/seeded_bugs.py $(BUGS)

bench: $(VENV)/.installed-peers $(VENV)/.installed-decisions ## Compare with peers, side by side; prints ratios (BENCH_ARGS=gateway: one section)
	$(BIN)/python benchmarks/run.py $(BENCH_ARGS)

$(VENV)/.installed-peers: $(VENV)/.installed requirements/peers.txt
	$(PYTHON) -m venv $(VENV)/peers
	$(VENV)/peers/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/peers.txt \
		|| { echo "make bench needs what requirements/peers.txt names, which pip could not install"; exit 2; }
	@touch $@

bench-decisions: $(VENV)/.installed-decisions ## Compare the decision engine with other engines; writes docs/performance-decisions.md
	$(BIN)/python -m benchmarks.decisions --write docs/performance-decisions.md

wheel-compiled: venv ## Build a wheel in dist/ whose decision engine is compiled with mypyc (plain Python without a C compiler)
	@rm -rf dist $(VENV)/compiled
	HATCH_BUILD_HOOK_ENABLE_CUSTOM=true $(BIN)/python -m pip wheel --quiet --disable-pip-version-check --no-deps --wheel-dir dist .
	@case "$$(ls dist/*.whl)" in *-none-any.whl) echo "There is no C compiler here: $$(ls dist/*.whl) is plain Python." ;; \
		*) echo "$$(ls dist/*.whl) has the compiled engine; make bench-decisions measures it." ;; esac
	@# For the benchmark, which runs the engine alone; it needs none of the other packages.
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --target $(VENV)/compiled dist/*.whl

DECISIONS := $(VENV)/peers-decisions
$(VENV)/.installed-decisions: $(VENV)/.installed requirements/peers-decisions.txt benchmarks/decisions/node/package-lock.json
	@$(PYTHON) -m venv $(DECISIONS)
	@mkdir -p $(DECISIONS)/node && cp benchmarks/decisions/node/*.json $(DECISIONS)/node
	@# What cannot be installed is told, and told again by the benchmark, which runs without it.
	@all=yes; \
	$(DECISIONS)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/peers-decisions.txt \
		|| { all=; echo "the peers in requirements/peers-decisions.txt are missing: pip could not install them"; }; \
	npm ci --silent --no-audit --no-fund --prefix $(DECISIONS)/node \
		|| { all=; echo "iam-simulate is missing: npm could not install it"; }; \
	test -z "$$all" || touch $@


requirements: ## Resolve and pin the dependencies anew (needs uv)
	uv pip compile -q -U --generate-hashes --no-header --no-emit-index-url --universal --python-version 3.11 -c requirements/constraints.in --extra backend --extra functions pyproject.toml -o requirements/serve.txt
	uv pip compile -q -U --generate-hashes --no-header --no-emit-index-url --universal --python-version 3.11 -c requirements/serve.txt requirements/test.in -o requirements/test.txt
	uv pip compile -q -U --generate-hashes --no-header --no-emit-index-url --universal --python-version 3.11 requirements/peers.in -o requirements/peers.txt
	uv pip compile -q -U --generate-hashes --no-header --no-emit-index-url --universal --python-version 3.11 requirements/peers-decisions.in -o requirements/peers-decisions.txt
	uv pip compile -q -U --generate-hashes --no-header --no-emit-index-url --universal --python-version 3.11 requirements/auditors.in -o requirements/auditors.txt
	uv pip compile -q -U --generate-hashes --no-header --no-emit-index-url --universal --python-version 3.11 requirements/crt.in -o requirements/crt.txt
	uv pip compile -q -U --generate-hashes --no-header --no-emit-index-url --universal --python-version 3.11 requirements/backends.in -o requirements/backends.txt
	uv pip compile -q -U --generate-hashes --no-header --no-emit-index-url --universal --python-version 3.11 -c requirements/test.txt requirements/fuzz.in -o requirements/fuzz.txt
	uv pip compile -q -U --generate-hashes --no-header --no-emit-index-url --universal --python-version 3.11 -c requirements/test.txt requirements/mutate.in -o requirements/mutate.txt

clean: ## Remove what was installed and built
	rm -rf $(VENV) dist build
