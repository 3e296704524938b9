# Every command says in a line what it does; `make help` lists them.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= python3
BIN := .venv/bin
PORT ?= 8000
WEB_PORT ?= 5173
ARGS ?=

NODE_PACKAGES := tests/node bench/node web
PYTHON_STAMP := .make/python
NATIVE := src/parlour/realtime/send_all.native.so
NODE_STAMPS := $(NODE_PACKAGES:%=%/node_modules/.installed)
WEB_SETUP := web/node_modules/.installed
WEB_BUILT := web/dist/index.html
WEB_SOURCES := $(shell find web/src web/public web/scripts web/index.html web/vite.config.ts web/package.json -type f)

.PHONY: help setup setup-python setup-node setup-apt setup-engines setup-stack build run run-cluster turn stack stack-stop stack-status dev check check-python check-web test test-python test-web test-web-unit test-web-server test-budget faults bench bench-cluster bench-web fuzz crash screenshots lock reference clean

help: ## list the commands
	@grep -hE '^[a-z-]+:.*?## ' $(MAKEFILE_LIST) | awk 'BEGIN {FS = ":.*?## "} {printf "make %-12s %s\n", $$1, $$2}'

setup: setup-python setup-node setup-apt setup-engines ## install everything that Parlour and its tests need, into this folder, and the Debian packages they need

setup-python: $(PYTHON_STAMP) $(NATIVE)

setup-node: $(NODE_STAMPS)

$(PYTHON_STAMP): requirements-dev.txt pyproject.toml
	@echo "setup: Python packages into .venv (hash-checked)"
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Parlour needs Python 3.11 or newer: install it, or name it: make PYTHON=python3.12 …"; exit 1; }
	@[ -x $(BIN)/python ] || $(PYTHON) -m venv .venv || { echo "The venv module is missing: on Debian, apt-get install python3-venv"; exit 1; }
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@mkdir -p .make && touch $@

$(NATIVE): src/parlour/realtime/send_all.c scripts/build_native.py
	@echo "setup: the loop of broadcasts in C"
	@$(PYTHON) scripts/build_native.py

%/node_modules/.installed: %/package-lock.json
	@command -v npm >/dev/null || { echo "Node.js 20.19 or newer with npm is needed: https://nodejs.org"; exit 1; }
	@echo "setup: Node packages of $*"
	@cd $* && npm ci --silent --no-fund --no-audit
	@touch $@

setup-apt: ## install the Debian packages that tests need: coturn, PostgreSQL, Redis, NGINX, what Kafka needs, and Chromium (CHROMIUM=… for another)
	@sh scripts/apt.sh turnserver=coturn postgres=postgresql redis-server=redis-server nginx=nginx java=default-jre-headless mvn=maven openssl=openssl
	@[ -x "$${CHROMIUM:-/usr/bin/chromium}" ] || sh scripts/apt.sh chromium=chromium || { echo "or name yours: export CHROMIUM=/path/to/it"; exit 1; }
	@[ -n "$${CHROMIUM:-}" ] || sh scripts/apt.sh chromium-headless-shell=chromium-headless-shell || echo "setup: without it, browser tests take longer"

setup-engines: setup-python setup-apt ## install the engines of tests that are no Debian packages: Kafka (Maven) and SecantusDB (PyPI)
	@$(BIN)/python -m scripts.stack install kafka mongodb

setup-stack: ## install the Debian packages that make stack needs
	@sh scripts/apt.sh postgres=postgresql unshare=util-linux redis-server=redis-server nginx=nginx java=default-jre-headless mvn=maven openssl=openssl

build: $(WEB_BUILT) ## build the web client into web/dist, which the server serves at /

$(WEB_BUILT): $(WEB_SETUP) $(WEB_SOURCES)
	@echo "build: the web client into web/dist"
	@cd web && npm run --silent build
	@touch $@

run: setup-python build ## serve Parlour on http://localhost:8000 (PORT=… for another)
	@echo "run: Parlour on http://localhost:$(PORT), data in ./data; Ctrl-C ends it"
	@exec $(BIN)/parlour serve --port $(PORT) --data-dir data $(ARGS)

turn: setup-apt ## run coturn on 127.0.0.1:3478 and print the settings for Parlour (ARGS=--help)
	@exec $(PYTHON) scripts/turn.py $(ARGS)

stack: setup-python setup-stack ## start PostgreSQL, Redis, Kafka, MongoDB and Toxiproxy as local processes below .stack (NAMES=… for some)
	@$(BIN)/python -m scripts.stack start $(NAMES)

stack-stop: setup-python ## end what make stack has started; its data stay
	@$(BIN)/python -m scripts.stack stop $(NAMES)

stack-status: setup-python ## list the engines of make stack: whether they run, and the URL of each
	@$(BIN)/python -m scripts.stack status $(NAMES)

run-cluster: setup-python build ## serve Parlour by processes of each role behind NGINX on https://localhost:18443, on the engines of make stack (ARGS="--chat 3")
	@$(MAKE) --no-print-directory stack NAMES="postgresql redis kafka mongodb"
	@exec $(BIN)/python -m scripts.run_cluster $(ARGS)

dev: setup-python $(WEB_SETUP) ## serve; the server restarts and the page renews itself when their source changes
	@echo "dev: http://localhost:$(WEB_PORT) (Vite, in front of the server on $(PORT), which restarts on changes below src/)"
	@trap 'kill $$(jobs -p) 2>/dev/null' EXIT; \
	(cd web && PARLOUR_SERVER=http://localhost:$(PORT) exec npm run --silent dev -- --port $(WEB_PORT) --logLevel warn) & \
	$(BIN)/python scripts/reload.py src -- $(BIN)/parlour serve --port $(PORT) --data-dir data --log-format text --log-level debug $(ARGS)

check: check-python check-web ## lint, types, architecture, public surface, references, locks

check-python: setup-python
	@echo "check: ruff"; $(BIN)/ruff check . && $(BIN)/ruff format --check .
	@echo "check: mypy --strict"; $(BIN)/mypy
	@echo "check: import-linter"; $(BIN)/lint-imports
	@echo "check: public surface"; $(BIN)/pytest -q --no-header tests/unit/realtime/test_public_surface.py
	@echo "check: generated references"; $(BIN)/python scripts/generate_reference.py --check; $(BIN)/python scripts/generate_events_reference.py --check; $(BIN)/python scripts/generate_client_schema.py --check
	@echo "check: lock files"; $(BIN)/python scripts/check_locks.py

check-web: $(WEB_SETUP) ## the web client's part of check: types, lint, unused exports, format
	@echo "check: the web client (tsc, eslint, knip, prettier)"; cd web && npm run --silent check

test-web: test-web-unit test-web-server ## the web client's unit tests, and its data layer and pages against the server

test-web-unit: $(WEB_SETUP)
	@echo "test: the web client (vitest)"; cd web && npm run --silent test

test-web-server: $(WEB_SETUP) setup-python build
	@echo "test: the web client against the server, in browsers"; cd web && npm run --silent test:server

test-budget: build ## how much JavaScript the web client's first page takes, and whether that is within its budget
	@cd web && npm run --silent budget

test-python: setup ## the server's tests (ARGS=… for pytest)
	@echo "test: the server (pytest, two at a time)"
	@$(BIN)/python scripts/run_tests.py $(ARGS)

test: setup ## run all checks and tests (the long forms: make faults, make crash, make fuzz, make bench, make bench-web)
	@$(MAKE) --no-print-directory -j2 check-web check-python build
	@$(MAKE) --no-print-directory test-budget
	@echo "test: the server (pytest, two at a time) and the web client (vitest)"
	@$(BIN)/python scripts/run_tests.py --and "cd web && npm run --silent test"
	@$(MAKE) --no-print-directory test-web-server

faults: setup ## hurt a whole cluster in every way, five times each, under the checker (more than half an hour, see docs/load-report.md; Go builds Toxiproxy)
	@PARLOUR_FAULTS=long $(BIN)/pytest -s tests/faults $(ARGS)

bench: setup ## measure against peers and floors; prints JSON lines (NAMES=… for some)
	@$(BIN)/python -m bench $(NAMES) $(ARGS)

bench-cluster: setup setup-stack ## measure two nodes behind NGINX with TLS on the engines of make stack (ARGS="--users 2000 --seconds 15")
	@$(BIN)/python -m bench.cluster $(ARGS)

bench-web: setup build ## measure the web client in Chromium: loads, scroll, events, memory (ARGS="--check --write")
	@$(BIN)/python -m bench.web $(NAMES) $(ARGS)

fuzz: setup ## a million inputs to each parser of the realtime engine, and a hundred cases a kind to each HTTP operation
	@$(BIN)/python tests/fuzz/realtime_parsers.py $(ARGS)
	@PARLOUR_EXAMPLES=100 $(BIN)/pytest tests/integration/test_schemathesis.py

crash: setup ## kill the server a hundred times under load and check the log
	@PARLOUR_KILLS=100 $(BIN)/pytest tests/e2e/test_no_loss.py --timeout 1800 $(ARGS)

screenshots: setup-python setup-apt build ## take the pictures in docs/images anew (NAMES=… for some)
	@fc-list 2>/dev/null | grep -qi emoji || sh scripts/apt.sh font-of-emoji=fonts-noto-color-emoji
	@cd web && node scripts/screenshots.mjs $(NAMES)

lock: ## renew the lock files from pyproject.toml
	@$(BIN)/uv pip compile pyproject.toml --group dev --generate-hashes --no-emit-index-url --no-header --universal --quiet --output-file requirements-dev.txt
	@$(BIN)/uv pip compile pyproject.toml --generate-hashes --no-emit-index-url --no-header --universal --quiet --output-file requirements.txt

reference: setup-python ## write docs/reference anew from the code
	@$(BIN)/python scripts/generate_reference.py
	@$(BIN)/python scripts/generate_events_reference.py
	@$(BIN)/python scripts/generate_client_schema.py

clean: ## remove what the commands made, but no data
	@rm -rf .venv .make .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .bench dist web/dist $(NATIVE) $(NODE_PACKAGES:%=%/node_modules)
