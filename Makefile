# make report    from nothing to report/index.html (PRESET=name lays presets/name.yaml over params.yaml)
# make test      lint, types and tests; make test-all adds the tests that take minutes
# make publish   the report to the branch gh-pages of origin (REMOTE=, BRANCH=), or into FOLDER=
# make report.zip    the report as one file
# make times     how long each stage took when it last ran, and DVC between them
# make compare REV=name    compare/index.html: what differs from another revision's run
# make clean     take away what these made; DVC's cache stays
#
# The same steps without make stand in README.md.

SHELL := /bin/sh
VENV := .venv
BIN := $(VENV)/bin
NEWER_THAN_3_10 := import sys; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for p in python3 python3.11 python3.12 python3.13 python3.14; do \
	$$p -c '$(NEWER_THAN_3_10)' 2>/dev/null && echo $$p && break; done)
JOBS ?= 2

# Stages are run by DVC through a shell, and must find this environment's python first.
export PATH := $(CURDIR)/$(BIN):$(PATH)

.PHONY: report publish report.zip times compare pictures test test-all checks preset clean

report: preset $(VENV)/.installed
	$(BIN)/dvc repro
	@echo "The report: $(CURDIR)/report/index.html"

# An edit of params.yaml that neither git nor a preset holds is not written over.
preset: $(if $(PRESET),$(VENV)/.installed)
ifdef PRESET
	$(BIN)/python -m pipeline.presets "$(PRESET)"
endif

REMOTE ?= origin
BRANCH ?= gh-pages
publish: $(VENV)/.installed
ifdef FOLDER
	$(BIN)/python -m pipeline.publish folder "$(FOLDER)"
else
	$(BIN)/python -m pipeline.publish branch --remote "$(REMOTE)" --branch "$(BRANCH)"
endif

report.zip: $(VENV)/.installed
	$(BIN)/python -m pipeline.publish zip $@

times: $(VENV)/.installed
	@$(BIN)/python -m stages.times

REV ?= HEAD
compare: $(VENV)/.installed
	$(BIN)/python -m pipeline.comparison "$(REV)"

# README.md's, of the default run.
pictures: $(VENV)/.installed-test
	$(BIN)/python -m tests.pictures

# Tests of a file share what it makes; the files stand in the order of their names, the long ones first.
SPREAD := --dist loadfile --no-loadscope-reorder

test: checks
	OMP_NUM_THREADS=1 $(BIN)/pytest -n $(JOBS) $(SPREAD)

test-all: checks
	OMP_NUM_THREADS=1 $(BIN)/pytest -n $(JOBS) $(SPREAD) -m "slow or not slow"

checks: $(VENV)/.installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# The stamps make a second call skip pip; a change of pins or of pyproject.toml makes them stale.
$(VENV)/.installed: pyproject.toml constraints.txt
	@test -n "$(PYTHON)" || { echo "Python 3.11 or newer is needed: make PYTHON=/path/to/python" >&2; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --constraint constraints.txt --editable .
	touch $@

$(VENV)/.installed-test: $(VENV)/.installed
	$(BIN)/python -m pip install --constraint constraints.txt --editable ".[test]"
	touch $@

clean:
	rm -rf artifacts data report report.zip compare .shards .locks .times .cache $(VENV) *.egg-info \
		.hypothesis .mypy_cache .pytest_cache .ruff_cache
	find pipeline stages tests -name __pycache__ -type d -prune -exec rm -rf {} +
