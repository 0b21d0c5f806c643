# make run   the gallery in a browser, http://127.0.0.1:7860 (PORT=, HOST= to change)
# make test  everything that can be tested on this machine
# make bench the ratios in tests/benchmarks/RESULTS.md, measured anew (minutes; on a quiet machine)
# PYTHON=/path/to/python chooses the interpreter that .venv is made from.

HOST ?= 127.0.0.1
PORT ?= 7860
VENV ?= .venv
PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3.13 || command -v python3 || command -v python)
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed-$(firstword $(shell cksum requirements.txt))

.PHONY: run test bench install browser clean

run: install
	@exec $(BIN)/python -m gallery run --host $(HOST) --port $(PORT)

test: install browser
	$(BIN)/python -m pytest -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder $(ARGS)

bench: install browser
	$(BIN)/python -m pytest -q -p no:cacheprovider -o python_files='bench_*.py' tests/benchmarks $(ARGS)

install: $(STAMP)

# The stamp carries the checksum of requirements.txt: while that stands, nothing is asked of pip.
$(STAMP): requirements.txt
	@test -n "$(PYTHON)" || { echo "No Python was found: install Python 3.11 or newer, or name one with PYTHON=/path/to/python."; exit 1; }
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "$(PYTHON) is $$("$(PYTHON)" -V 2>&1); the gallery needs Python 3.11 or newer: install one, or name it with PYTHON=/path/to/python."; exit 1; }
	@test -x $(BIN)/python || "$(PYTHON)" -m venv $(VENV) || { \
		echo "$(VENV) could not be made: on Debian and Ubuntu install python3-venv, then try again."; exit 1; }
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@rm -f $(VENV)/.installed-*
	@touch $@

browser: install
	@$(BIN)/python -m tests.browser.chromium

clean:
	rm -rf $(VENV) .pytest_cache .hypothesis .benchmarks
