# Everything a fresh machine needs is Python 3.11 or newer and make; servers come out of wheels.
# `make help` lists the targets.
SHELL := /bin/sh
.DEFAULT_GOAL := help
# Demo and tests start many processes; each would compile the house anew.
unexport PYTHONDONTWRITEBYTECODE
.PHONY: help demo run bench test openapi browser interop storms chaos chaos-short lint check lock clean

VENV := .venv
BIN := $(VENV)/bin
HASH := $(shell cat requirements.lock requirements-dev.lock pyproject.toml 2>/dev/null | cksum | cut -d' ' -f1)
INSTALLED := $(VENV)/.installed-$(HASH)
DEVELOPED := $(VENV)/.developed-$(HASH)
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

help: ## this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 20

demo: $(INSTALLED) ## a scripted day on real sockets; exits 0 only if the law was kept
	@$(BIN)/jauap demo

run: $(INSTALLED) ## the sandbox: web, gateway, worker and an SMSC with handsets
	@$(BIN)/jauap up --sandbox

test: $(DEVELOPED) ## the whole test suite on real PostgreSQL and Valkey
	@$(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder --ignore tests/chaos

openapi: $(INSTALLED) ## the OpenAPI document against spectral's rules; needs node and npm
	@command -v npm >/dev/null || { echo "make openapi needs node and npm (on Debian: apt install npm)" >&2; exit 1; }
	@cd openapi && npm ci --silent --ignore-scripts
	@mkdir -p build && $(BIN)/python openapi/document.py > build/openapi.json
	@cd openapi && node_modules/.bin/spectral lint ../build/openapi.json --ruleset spectral.yaml --fail-severity=warn

browser: $(DEVELOPED) ## a browser follows events over restarts; needs node and npm, which fetches Chromium
	@command -v npm >/dev/null || { echo "make browser needs node and npm (on Debian: apt install npm)" >&2; exit 1; }
	@cd browser && npm ci --silent --ignore-scripts
	@$(BIN)/python -m pytest browser

interop: $(DEVELOPED) ## the gateway against SMPP of other hands: node's, and OsmoMSC where it is installed
	@command -v npm >/dev/null || { echo "make interop needs node and npm (on Debian: apt install npm)" >&2; exit 1; }
	@cd interop && npm ci --silent
	@$(BIN)/python -m pytest interop --ignore interop/osmo
	@if command -v osmo-msc >/dev/null && command -v cc >/dev/null; then $(BIN)/python -m pytest interop/osmo; \
	else echo "OsmoMSC is left out: it needs osmo-msc and a C compiler (on Debian: apt install osmo-msc gcc)"; fi

storms: $(DEVELOPED) ## ten lost connections in a row with 2 000 messages in flight
	@$(BIN)/python -m pytest tests/app/storms.py

chaos: $(DEVELOPED) ## 2 000 conversations while everything is killed, then the reckoning; SEED=n repeats one
	@$(BIN)/python -m tests.chaos.storm $(if $(SEED),--seed $(SEED))

chaos-short: $(DEVELOPED) ## the same with 60 people, everything struck at least once
	@$(BIN)/python -m pytest tests/chaos

bench: $(INSTALLED) ## what this machine does, in figures; about five minutes
	@$(BIN)/jauap bench machine
	@echo && $(BIN)/jauap bench understand
	@echo && $(BIN)/jauap bench mt --n 20000
	@echo && $(BIN)/jauap bench mt --n 7000 --segments 3
	@echo && $(BIN)/jauap bench turn --n 10000
	@echo && $(BIN)/jauap bench turn --n 2000 --rate 200
	@echo && $(BIN)/jauap bench api --n 3000
	@echo && $(BIN)/jauap bench stages
	@echo && $(BIN)/jauap bench sweep --n 5000 --open 100000

lint: $(DEVELOPED) ## formatting, lint, types, and every wording against its budget
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy --strict
	@$(BIN)/jauap wording lint

check: lint test ## lint and test: the gate before every commit

clean: ## removes the environment and the caches, never var/
	rm -rf $(VENV) .mypy_cache .ruff_cache .pytest_cache .hypothesis build *.egg-info

# The distribution's own Python first: it is built with what was measured of it (DECISIONS 46).
$(BIN)/python:
	@for python in $(PYTHON) /usr/bin/python3 python3 python3.14 python3.13 python3.12 python3.11; do \
	  if $$python -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then \
	    echo "Making $(VENV) with $$($$python --version) ($$(command -v $$python))"; \
	    exec $$python -m venv $(VENV); \
	  fi; \
	done; \
	echo "jauap needs Python 3.11 or newer with venv (on Debian: apt install python3-venv);" >&2; \
	echo "none of /usr/bin/python3, python3, python3.11 … python3.14 is. Say which: make PYTHON=/path/to/python" >&2; \
	exit 1

$(INSTALLED): | $(BIN)/python
	@echo "Installing from requirements.lock"
	@$(PIP) install --require-hashes -r requirements.lock
	@$(PIP) install --no-deps --no-build-isolation --editable .
	@rm -f $(VENV)/.installed-* && touch $@

$(DEVELOPED): $(INSTALLED)
	@echo "Installing from requirements-dev.lock"
	@$(PIP) install --require-hashes -r requirements-dev.lock
	@rm -f $(VENV)/.developed-* && touch $@

# redis needs async-timeout only on Python before 3.11.3, where it must be in the lock as well.
COMPILE = pip-compile --quiet --generate-hashes --allow-unsafe --strip-extras --no-header \
	--no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-emit-options \
	--no-annotate --resolver=backtracking

lock: ## both locks anew, with the newest releases; needs pip-compile (pip-tools) on the path
	$(COMPILE) --upgrade --build-deps-for editable -o requirements.lock pyproject.toml
	echo async-timeout | $(COMPILE) --upgrade -o - - | grep -v '^#' \
	  | sed 's/^\(async-timeout==[^ ]*\)/\1 ; python_full_version < "3.11.3"/' >> requirements.lock
	$(COMPILE) --upgrade --extra dev -c requirements.lock -o requirements-dev.lock pyproject.toml
