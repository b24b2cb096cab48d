# Everything runs from a checkout with Python 3.11+, make and a C library. `make help` lists the targets.
.DEFAULT_GOAL := help
.PHONY: up test stop reset help venv venv-dev assets

# The first Python here that is new enough (3.12 and 3.11 first: the embedded Redis has wheels for them); `make up PYTHON=/path/to/python` chooses another.
PYTHON ?= $(shell for python in python3.12 python3.11 python3 python3.14 python3.13 python; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)
VENV_PYTHON := .venv/bin/python

# Both roots: the apps lie here, the product's roof in platform/ (which must never be a package itself).
export PYTHONPATH := $(CURDIR):$(CURDIR)/platform

up: venv assets ## Start everything on this machine and stay until Ctrl-C (PORT=8000, V=1 shows all logs)
	@exec $(VENV_PYTHON) -m panal.embedded up

test: venv-dev ## Install what the tests need, then run every check and test (ARGS="-k name" picks some)
	@exec $(VENV_PYTHON) scripts/test.py $(ARGS)

stop: venv ## Stop what an interrupted `make up` left behind
	@exec $(VENV_PYTHON) -m panal.embedded stop

reset: venv ## Erase all data under $PANAL_HOME (asks first; YES=1 does not)
	@exec $(VENV_PYTHON) -m panal.embedded reset $(if $(filter 1,$(YES)),--yes)

help: ## List the targets
	@sed -n 's/^\([a-z][a-z-]*\):[^#]*## /  make \1\t/p' Makefile | expand -t 16

venv:
	@$(if $(PYTHON),,echo "Panal needs Python 3.11 or newer on PATH." >&2; exit 1;) exec $(PYTHON) scripts/bootstrap.py

venv-dev:
	@$(if $(PYTHON),,echo "Panal needs Python 3.11 or newer on PATH." >&2; exit 1;) exec $(PYTHON) scripts/bootstrap.py --dev

assets: venv ## Build static/dist alone (`make up` and `make test` do it by themselves)
	@exec $(VENV_PYTHON) scripts/assets.py
