# `make demo` and `make test` are all that a fresh clone needs: each makes its environment first.
# Neither asks for anything but Python and the package index.

PYTHON ?= python3
PORT ?= 8000
# More arguments for pytest: make test ARGS="-k conf -x"
ARGS ?=

VERSION := $(shell $(PYTHON) -c 'import sys; print("%d%d" % sys.version_info[:2])')
ifeq ($(VERSION),)
$(error $(PYTHON) does not run. Install Python 3.10 or newer, or say which: make test PYTHON=/path/to/python)
endif

# The lock file of the newest Django that this Python runs. A Python without one gets what the
# package index offers today.
LOCK := $(lastword $(sort $(wildcard requirements/py$(VERSION)-django*.txt)))
INSTALL := .venv/bin/python -m pip install --quiet --quiet --disable-pip-version-check

# A stamp is touched last and names its Python, so that half an environment, or one of another
# Python, is made anew.
ENVIRONMENT := .venv/installed-$(VERSION)
TOOLS := .venv-tools/installed-$(VERSION)

# The local gateway, which the suite drives, is for Python 3.10 and newer.
TOO_OLD := $(filter 38 39,$(VERSION))
GATE := $(if $(TOO_OLD),,--cov-fail-under=97)

# Each process gets a row of files, whose tests share what they need, and helps the last one in the
# end.
PARALLEL := --numprocesses auto --maxprocesses 4 --dist worksteal

# A warning is an error of a test; a program that a test starts prints it. Python's development mode
# is left to .ci/run, as it takes a third more time. The programs would compile the package each
# time, were the bytecode not kept.
RUN_TESTS := PYTHONDEVMODE= PYTHONWARNINGS=default PYTHONDONTWRITEBYTECODE= \
	.venv/bin/python -m pytest $(PARALLEL)

.PHONY: demo test coverage client lint types docs plot screenshot clean python-for-demo

demo: python-for-demo $(ENVIRONMENT)
	@exec .venv/bin/python example/run.py --port $(PORT)

test: $(ENVIRONMENT)
	$(RUN_TESTS) $(ARGS)

# It doubles the time of what it watches, hence not of those that run once.
coverage: $(ENVIRONMENT)
	$(RUN_TESTS) --cov $(GATE) -m "not browser and not once" $(ARGS)

client: node_modules/.package-lock.json
	PATH="$(CURDIR)/.venv-tools/bin:$$PATH" npm test

lint: $(TOOLS)
	PATH="$(CURDIR)/.venv-tools/bin:$$PATH" pre-commit run --all-files

types: $(TOOLS)
	.venv-tools/bin/python -m mypy

docs: $(TOOLS)
	.venv-tools/bin/python -m sphinx -W --keep-going -b html docs docs/_build/html

# What the documentation shows, drawn anew: of the tables on the page of performance, of the demo.
plot: $(TOOLS)
	.venv-tools/bin/python -m benchmarks.plot

screenshot: $(TOOLS)
	.venv-tools/bin/python docs/screenshot.py

clean:
	rm -rf .venv .venv-tools node_modules docs/_build dist

python-for-demo:
	$(if $(TOO_OLD),$(error make demo needs Python 3.10 or newer, and $(PYTHON) is older: make demo PYTHON=python3.12))

$(ENVIRONMENT): pyproject.toml $(LOCK)
	@echo "Making .venv from $(or $(LOCK),pyproject.toml): once, and after a change of it"
	@$(PYTHON) -m venv --clear .venv
ifdef LOCK
	@$(INSTALL) --require-hashes --no-deps -r $(LOCK)
	@$(INSTALL) --no-deps -e .
else
	@$(INSTALL) -e '.[celery,local,tasks,test]'
endif
	@touch $@

$(TOOLS): pyproject.toml requirements/tools.txt
	@echo "Making .venv-tools from requirements/tools.txt: once, and after a change of it"
	@$(PYTHON) -m venv --clear .venv-tools
	@.venv-tools/bin/python -m pip install --quiet --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements/tools.txt
	@.venv-tools/bin/python -m pip install --quiet --quiet --disable-pip-version-check --no-deps -e .
	@touch $@

node_modules/.package-lock.json: package.json package-lock.json $(TOOLS)
	@PATH="$(CURDIR)/.venv-tools/bin:$$PATH" npm ci --ignore-scripts
