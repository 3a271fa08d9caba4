# What a user and a developer type. Everything is installed into .venv, once; setup.cfg says what.

PYTHON ?= python3
CONFIG ?= conf/dev.toml
SECONDS ?= 60
VENV := .venv
BIN := $(VENV)/bin
# Without build isolation, and so without the network when everything is there already. The compat
# mode because setuptools' default hides twisted/plugins from twistd.
INSTALL := $(BIN)/pip install -qq --disable-pip-version-check --no-build-isolation
EDITABLE := --config-settings editable_mode=compat --editable

.PHONY: help demo test lint run interop fuzz bench docs clean

help:
	@echo "make demo      talk with the assistant: a server, one call to it, its recording"
	@echo "make run       the server in the foreground (CONFIG=$(CONFIG))"
	@echo "make test      all tests but those with a real Asterisk"
	@echo "make interop   the tests with real peers"
	@echo "make lint      ruff and mypy"
	@echo "make fuzz      what comes from the network, for SECONDS=$(SECONDS) a target"
	@echo "make bench     calls a core, CPU and memory a call, pacing, latency"
	@echo "make docs      the documentation, into docs/_build/html"
	@echo "make clean     remove what was built, but not $(VENV) and not var"

demo: $(VENV)/.demo
	@sh tests/install_peers.sh libflite1 || echo "going on with another voice"
	@$(BIN)/rapida demo

run: $(VENV)/.demo
	$(BIN)/twistd --nodaemon --pidfile= rapida --config $(CONFIG)

test: $(VENV)/.test
	@sh tests/install_peers.sh
	$(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder --ignore=tests/interop

interop: $(VENV)/.test
	@sh tests/install_peers.sh
	@sh tests/install_peers.sh sip-tester baresip-core
	@sh tests/interop/install.sh || echo "make interop: going on without; tests that need it say so"
	$(BIN)/python -m pytest tests/interop

lint: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

fuzz: $(VENV)/.test
	@$(INSTALL) $(EDITABLE) '.[fuzz]'
	$(BIN)/python -m tests.fuzz --seconds $(SECONDS)

bench: $(VENV)/.demo
	$(BIN)/python -m benchmarks.run $(BENCH)

docs: $(VENV)/.docs
	$(BIN)/sphinx-build -W -q -b html docs docs/_build/html
	@echo "docs/_build/html/index.html"

clean:
	rm -rf build dist docs/_build .coverage .hypothesis .mypy_cache .pytest_cache .ruff_cache
	find . -path ./$(VENV) -prune -o -name __pycache__ -type d -exec rm -rf {} +
	rm -f twisted/plugins/dropin.cache

# A virtual environment. Debian has the module in a package of its own.
$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	    { echo "rapida_tw needs Python 3.11 or newer; choose one with make PYTHON=..."; exit 1; }
	@$(PYTHON) -m venv $(VENV) >/dev/null || { \
	    rm -rf $(VENV); \
	    test "$$(id -u)" = 0 || { echo "Install Debian's python3-venv first."; exit 1; }; \
	    sh tests/install_peers.sh python3-venv && $(PYTHON) -m venv $(VENV); }

# The server and all that an embedded assistant can use. Only the server itself must succeed: it
# goes on without a recogniser, a voice or a detector that has no wheel for this machine.
$(VENV)/.demo: setup.cfg pyproject.toml | $(BIN)/python
	@echo "installing into $(VENV) (once; about a minute)"
	@$(INSTALL) 'setuptools>=77'
	@$(INSTALL) $(EDITABLE) '.[local,espeak,picture,srtp]' || { \
	    $(INSTALL) $(EDITABLE) . && \
	    for extra in local espeak picture srtp; do \
	        $(INSTALL) $(EDITABLE) ".[$$extra]" || \
	            echo "rapida-tw[$$extra] cannot be installed here; going on without it"; \
	    done; }
	@$(INSTALL) --no-deps silero-vad==6.2.3 || \
	    echo "silero-vad cannot be installed here; another voice detector will do"
	@echo "espeak-ng (GPL-3) is in $(VENV) as a voice for machines without libflite1"
	@touch $@

$(VENV)/.test: $(VENV)/.demo
	@$(INSTALL) $(EDITABLE) '.[postgres,srtp,test,vendors,lint]'
	@touch $@

$(VENV)/.docs: $(VENV)/.demo
	@$(INSTALL) $(EDITABLE) '.[docs]'
	@touch $@
