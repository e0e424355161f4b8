# `make demo`, `make test`, `make bench`: each sets up .venv first, from locks with hashes.
# Needs Python 3.11 or newer and make; `make lock` alone needs uv as well.

.PHONY: demo test lint bench engines lock clean help

PYTHON ?=
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
# Bytecode is written for what is used (WARM), even where Python is told to write none: without it
# each start takes seconds longer, and compiling all modules would take longer than the install.
WARM := env -u PYTHONDONTWRITEBYTECODE $(BIN)/python
INSTALL := $(PIP) install --progress-bar on --no-compile --no-deps --no-build-isolation \
	--use-pep517

help:
	@echo "make demo    the main job in a local workspace, no Slack account needed"
	@echo "             (options: make demo ARGS=\"--list\", ARGS=\"--scenario NAME --seed N\")"
	@echo "make test    formatting, types, import contracts, tests"
	@echo "make bench   how fast it is on this machine"
	@echo "make engines drivers of PostgreSQL and Spark, for their tests (about 450 MB)"
	@echo "make lock    write the locks anew"
	@echo "make clean   remove what the commands above made (not your incidents)"

demo: .venv/stamp-app
	@$(BIN)/hawkeye demo $(ARGS)

test: lint
	$(BIN)/python -m pytest --numprocesses auto --maxprocesses 4 --dist loadfile $(ARGS)

lint: .venv/stamp-dev
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy --strict
	$(BIN)/lint-imports

engines: .venv/stamp-engines

bench: .venv/stamp-dev
	@$(BIN)/python -m benchmarks $(ARGS)

# A stamp is as old as the install that it stands for: an unchanged lock is not installed again.
.venv/stamp-app: .venv/stamp-libraries pyproject.toml
	@PYTHONWARNINGS=ignore $(INSTALL) --quiet --editable .
	@$(WARM) -c "import bot.app, bot.workers.preload"
	@touch $@

.venv/stamp-dev: requirements-dev.txt .venv/stamp-app
	@echo "Adding the tools for tests to .venv"
	@$(INSTALL) --require-hashes -r requirements-dev.txt
	@$(WARM) -m pytest --collect-only --quiet tests/state >/dev/null
	@touch $@

.venv/stamp-engines: requirements-engines.txt .venv/stamp-dev
	@echo "Adding drivers of PostgreSQL and Spark to .venv (once; about 450 MB)"
	@$(INSTALL) --require-hashes -r requirements-engines.txt
	@touch $@

.venv/stamp-libraries: requirements.txt .venv/stamp-build
	@echo "Installing the libraries into .venv (once; about 250 MB)"
	@$(INSTALL) --require-hashes -r requirements.txt
	@touch $@

# Build tools come from a lock as well, so that nothing unpinned is ever downloaded.
.venv/stamp-build: requirements-build.txt
	@.ci/venv .venv $(PYTHON)
	@$(INSTALL) --quiet --require-hashes -r requirements-build.txt
	@touch $@

UV := $(or $(wildcard $(BIN)/uv),uv)
COMPILE := $(UV) pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-emit-find-links --custom-compile-command "make lock"
REQUIRES := import tomllib; \
	print(*tomllib.load(open("pyproject.toml", "rb"))["build-system"]["requires"], sep="\n")

# Upgrades with ARGS="--upgrade" or ARGS="--upgrade-package NAME"; else only what changed.
lock: .venv/stamp-build
	@command -v $(UV) >/dev/null || { echo "make lock needs uv: pipx install uv" >&2; exit 1; }
	$(BIN)/python -c '$(REQUIRES)' | $(COMPILE) $(ARGS) --output-file requirements-build.txt -
	$(COMPILE) $(ARGS) --extra demo --output-file requirements.txt pyproject.toml
	$(COMPILE) $(ARGS) --extra demo --extra dev --constraint requirements.txt \
		--output-file requirements-dev.txt pyproject.toml
	$(COMPILE) $(ARGS) --extra demo --extra dev --extra engines --constraint requirements-dev.txt \
		--output-file requirements-engines.txt pyproject.toml

clean:
	rm -rf .venv build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis \
		.import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
