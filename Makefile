# Two commands for a newcomer, each doing all its set-up on a fresh machine:
#   make run     the recorder with its page and a simulated camera; DATA=DIR for another archive,
#                LISTEN=8091 for another port
#   make test    everything that must hold: style, types, tests
# and for those who stay:
#   make check   style and types only            make bench   measured comparisons (bench/)
#   make fuzz    coverage-guided fuzzing          make format  put the code in shape
#   make audit   asks the public lists for known holes of what camkeep stands on
#   make torture kills, power cuts and failing disks, for a quarter of an hour
#   make soak    the service with all that comes and goes, for half an hour: does it stay flat?

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PAGE_TOOLS := tools/page
DATA ?= data
WORKERS ?= 2
FUZZ_SECONDS ?= 120
SOAK_MINUTES ?= 30

.PHONY: run test check format bench fuzz audit torture soak clean

run: $(VENV)/server
	$(BIN)/camkeep serve --demo --data $(DATA) $(if $(LISTEN),--listen $(LISTEN))

test: $(VENV)/dev system check
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile

check: $(VENV)/dev $(PAGE_TOOLS)/node_modules/.ready
	$(BIN)/ruff check src tests tools bench fuzz
	$(BIN)/ruff format --check src tests tools bench fuzz
	$(BIN)/mypy
	cd $(PAGE_TOOLS) && npm run --silent check

format: $(VENV)/dev
	$(BIN)/ruff check --fix src tests tools bench fuzz
	$(BIN)/ruff format src tests tools bench fuzz

bench: $(VENV)/dev system
	$(BIN)/python bench/run.py

fuzz: $(VENV)/dev
	$(BIN)/python -m pip install --quiet atheris
	$(BIN)/python fuzz/run.py --seconds $(FUZZ_SECONDS)

audit: $(VENV)/server
	$(BIN)/python -m pip install --quiet pip-audit
	$(BIN)/python -m pip_audit --progress-spinner off --skip-editable

torture: $(VENV)/dev system
	$(BIN)/python -m pytest -v -s tests/torture

soak: $(VENV)/dev system
	$(BIN)/python tools/soak.py --minutes $(SOAK_MINUTES)

.PHONY: system
system:
	tools/system-packages

# The service needs its extra; the tests need all of them.
$(VENV)/server: pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[server]'
	touch $@

$(VENV)/dev: pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	touch $@ $(VENV)/server

# What checks the page (types, habits, accessibility). Nothing of it is served.
$(PAGE_TOOLS)/node_modules/.ready: $(PAGE_TOOLS)/package-lock.json $(PAGE_TOOLS)/package.json
	@command -v npm >/dev/null || { echo "npm is missing: make system installs it"; exit 1; }
	cd $(PAGE_TOOLS) && npm ci --silent
	touch $@

clean:
	rm -rf $(VENV) $(PAGE_TOOLS)/node_modules .cache .mypy_cache .ruff_cache .pytest_cache .hypothesis
