# People and scripts rely on: make run, make test, make bench, make campaign. Python 3.11 or later and make are all that they need.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
DATA := $(if $(FRESH),var-fresh,var)

.PHONY: run test check bench campaign install clean

run: $(VENV)/run.stamp
	$(if $(FRESH),rm -rf $(DATA))
	$(BIN)/bodyworn serve --data-dir $(DATA) --port 8088 $(if $(FRESH),,--demonstration --demo-accounts)

test: $(VENV)/test.stamp check
	$(BIN)/python -m pytest -q -n 2 --dist loadfile --no-loadscope-reorder $(TESTS)

check: $(VENV)/test.stamp
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(VENV)/test.stamp
	$(BIN)/python bench/run.py $(BENCH)

campaign: $(VENV)/test.stamp
	$(BIN)/python campaign/run.py $(CAMPAIGN)

install: $(VENV)/run.stamp

$(VENV)/run.stamp: setup.cfg pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or later is needed; set PYTHON=")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check -e '.[media]'
	touch $@

$(VENV)/test.stamp: $(VENV)/run.stamp
	$(BIN)/pip install --quiet --disable-pip-version-check -e '.[media,postgresql,test]'
	touch $@

clean:
	rm -rf $(VENV) build *.egg-info
