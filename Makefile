# Lectern's commands. `make run` needs git, make and python3-venv; everything else comes by itself.

PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet
COMPILE := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--custom-compile-command "make requirements"

.PHONY: run test timed lint bench bench-scale five-minutes screenshots words requirements format
.DELETE_ON_ERROR:

run: .venv/run.stamp
	@exec $(BIN)/python manage.py run

test: .venv/dev.stamp
	@exec tests/run

lint: .venv/dev.stamp
	@exec tests/lint

bench: .venv/dev.stamp
	$(BIN)/python -m benchmarks.fold
	$(BIN)/python -m benchmarks.latency

bench-scale: .venv/dev.stamp node_modules/.package-lock.json
	$(BIN)/python -m benchmarks.scale

timed: .venv/dev.stamp
	$(BIN)/python -m pytest tests/browser/test_timed.py -s

five-minutes: .venv/dev.stamp
	$(BIN)/python -m benchmarks.five_minutes

screenshots: .venv/dev.stamp
	$(BIN)/python -m benchmarks.screenshots

words: .venv/dev.stamp
	$(BIN)/python manage.py words

format: .venv/dev.stamp
	$(BIN)/ruff check --fix --quiet .
	$(BIN)/ruff format --quiet .
	-$(BIN)/djade --target-version 5.2 $$(git ls-files "templates/*.html")

requirements: .venv/dev.stamp
	$(COMPILE) requirements/base.in -o requirements.txt
	$(COMPILE) requirements/dev.in -o requirements/dev.txt

.venv/bin/python:
	@$(PYTHON) -m venv .venv || { rm -rf .venv; exit 1; }

.venv/run.stamp: requirements.txt | .venv/bin/python
	@echo "Installing Lectern's packages (once, about a minute) …"
	@$(PIP) install --require-hashes -r requirements.txt
	@touch $@

.venv/dev.stamp: requirements/dev.txt | .venv/bin/python
	@echo "Installing the developers' packages …"
	@$(PIP) install --require-hashes -r requirements/dev.txt
	@touch .venv/run.stamp $@

node_modules/.package-lock.json: package-lock.json
	@npm ci --loglevel=error
	@touch $@
