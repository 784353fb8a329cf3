# Two commands do everything from a bare checkout: `make demo` and `make test`. Needs Python >= 3.11 with venv, and make.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
SPARK_VENV := .venv-spark
SPARK_STAMP := $(SPARK_VENV)/.installed
MANIFEST := dbt_project/target/manifest.json
DBT_FILES := $(shell find dbt_project -name '*.sql' -o -name '*.yml' -o -name '*.csv' | grep -v '^dbt_project/target')

# Imports take two to three times as long without bytecode.
unexport PYTHONDONTWRITEBYTECODE
# An address of a package index must come from the user's own pip or uv settings, never from this file.
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export HF_HUB_DISABLE_TELEMETRY := 1
export DAGSTER_DISABLE_TELEMETRY := 1
export DBT_SEND_ANONYMOUS_USAGE_STATS := false
export DO_NOT_TRACK := 1

.DEFAULT_GOAL := help

help:  ## Show the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 22

setup: $(STAMP) $(MANIFEST)  ## Install the locked wheels and prepare dbt's manifest (the other commands do it)

demo: setup  ## Several days of the sandbox Hub, offline: prints the headline, the report and the database
	@$(BIN)/python -m orchestration demo

run: setup  ## The daily job for today against the live Hub (HF_TOKEN is optional; FORCE=yes fetches a landed day again)
	@$(BIN)/python -m orchestration run $(if $(FORCE),--force)

backfill: setup  ## Past days from the archives, in as few runs as fit into memory: make backfill FIRST=2026-10-01 LAST=2026-10-05
	@$(BIN)/python -m orchestration backfill --first "$(FIRST)" --last "$(LAST)" $(if $(FORCE),--force)

rebuild: setup  ## All landed days anew, after a change of a seed or a rule; nothing is fetched
	@$(BIN)/python -m orchestration rebuild

replicate: setup  ## Two reported figures and ours beside them, from the archive
	@$(BIN)/python -m orchestration replicate

thin: setup  ## Thin old landed days to what history needs
	@$(BIN)/python -m orchestration thin

prune: setup  ## Remove old runs from Dagster's storage, and give the room back to the disk
	@$(BIN)/python -m orchestration prune

check-organizations: $(STAMP)  ## Is the table of organisations in order? What is wrong, in which line, and what to do
	@$(BIN)/python -m orchestration.quality.organizations

show: setup  ## Print the headline table of the published version
	@$(BIN)/python -m orchestration show

versions: setup  ## List the published versions: when, up to which day, with which score, and which one analysts see
	@$(BIN)/python -m orchestration versions

rollback: setup  ## Take analysts back to an older version: make rollback VERSION=2026-10-12-1a2b3c4d REASON="why"
	@$(BIN)/python -m orchestration rollback "$(VERSION)" --reason "$(REASON)"

# What is given on make's command line reaches a recipe's shell as a variable: quotes and dollar signs in it stay as they are.
sql: setup  ## A prompt on the published version, read-only; or one query: make sql QUERY="select …"
	@$(BIN)/python -m orchestration sql $(if $(QUERY),"$$QUERY")

export: setup  ## A public table as CSV: make export TABLE=mart_daily_country_share (TO=file, WHERE="…", RAW=yes)
	@$(BIN)/python -m orchestration export "$(if $(TABLE),$$TABLE)" --to "$$TO" --where "$$WHERE" $(if $(RAW),--raw)

notebook: setup  ## A notebook that draws the headline chart from the published version, on 127.0.0.1
	@$(BIN)/python -m orchestration notebook

ui: setup  ## Dagster UI and daemon on http://127.0.0.1:3000 (READONLY=yes: on the next port, to look at only)
	@$(BIN)/python -m orchestration ui $(if $(READONLY),--read-only)

test: setup  ## Run the whole test suite
	@$(BIN)/ruff check --quiet . && $(BIN)/ruff format --check --quiet .
	@# Files in the order of tests/conftest.py: by themselves those with most tests go first, and the few long ones last.
	@$(BIN)/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder $(TESTS)

test-spark: java-is-there setup $(SPARK_STAMP)  ## The same tables from Spark as from DuckDB, and published; needs Java 17 or newer
	@$(BIN)/python -m pytest -m spark tests/spark

java-is-there:
	@command -v java >/dev/null || test -n "$$JAVA_HOME" || { \
	  echo "Found no Java. Expected 17 or newer on the path, or in JAVA_HOME, because Spark runs on it. Do this: install it."; exit 1; }

bench: setup  ## Benchmarks: 3 M made-up models landed and published, beside floors, peers, faults and kills
	@$(BIN)/python -m benchmarks

bench-full: setup  ## The long benchmarks: a year of history, backfilled, asked and grown
	@$(BIN)/python -m benchmarks --full

lint: setup  ## Format and lint
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix .

lock: $(STAMP)  ## Resolve requirements.in anew to requirements.lock, and Spark's beside it
	$(BIN)/uv pip compile --upgrade --universal --python-version 3.11 --generate-hashes --only-binary :all: \
	  --no-strip-extras --no-emit-index-url --no-header --no-annotate requirements.in -o requirements.lock
	$(BIN)/uv pip compile --upgrade --universal --python-version 3.11 --generate-hashes --only-binary :all: --no-binary pyspark \
	  --no-strip-extras --no-emit-index-url --no-header --no-annotate -c requirements.lock requirements-spark.in \
	  -o requirements-spark.lock

clean:  ## Forget dbt's build artefacts (data stays)
	rm -rf dbt_project/target dbt_project/logs

$(STAMP): requirements.lock
	@echo "Installing the locked wheels into $(VENV) …"
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed; this is " + sys.version.split()[0]) if sys.version_info < (3, 11) else None'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@# uv (its own wheel is in the lock, with hashes) installs in a quarter of pip's time; without it pip does.
	@awk '/^uv==/ {inside = 1} inside {print} inside && !/\\$$/ {exit}' requirements.lock > $(VENV)/uv.txt
	@if $(BIN)/python -m pip install --quiet --require-hashes --only-binary :all: -r $(VENV)/uv.txt \
	  && $(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes --only-binary :all: \
	       --compile-bytecode -r requirements.lock; \
	then :; else \
	  $(BIN)/python -m pip install --quiet --require-hashes --only-binary :all: -r requirements.lock; \
	fi
	@touch $(STAMP)

# pyspark is a source archive: what it is built with comes first, so that nothing is fetched without a hash.
$(SPARK_STAMP): requirements-spark.lock
	@echo "Installing Spark into $(SPARK_VENV) …"
	@test -x $(SPARK_VENV)/bin/python || $(PYTHON) -m venv $(SPARK_VENV)
	@awk '/^(packaging|setuptools|wheel)==/ {inside = 1} inside {print} inside && !/\\$$/ {inside = 0}' requirements-spark.lock \
	  > $(SPARK_VENV)/build.txt
	@install="$(SPARK_VENV)/bin/python -m pip install --quiet"; \
	test ! -x $(BIN)/uv || install="$(BIN)/uv pip install --quiet --compile-bytecode --python $(SPARK_VENV)/bin/python"; \
	$$install --require-hashes --only-binary :all: -r $(SPARK_VENV)/build.txt && \
	$$install --require-hashes --only-binary :all: --no-binary pyspark --no-build-isolation -r requirements-spark.lock
	@touch $(SPARK_STAMP)

$(MANIFEST): $(STAMP) $(DBT_FILES)
	@$(BIN)/python -m orchestration prepare
	@touch $(MANIFEST)

.PHONY: help setup demo run backfill rebuild replicate thin prune check-organizations show versions rollback sql export notebook ui test test-spark java-is-there bench bench-full lint lock clean
