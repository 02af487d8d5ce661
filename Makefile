# make app    environment + dashboard at http://localhost:8501
# make test   environment + all tests: minutes
# make fast   those that need neither a browser nor training: less than a minute
# make check  linter and types
# make docs   environment + the documentation site in site/, strictly: a broken link or example fails
PYTHON ?= python3
VENV ?= .venv
# Two workers, a file never shared between them, begun in the order of tests/conftest.py: the longest first.
PYTEST = $(VENV)/bin/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

.PHONY: app test fast check docs
app: $(VENV)/.app
	$(VENV)/bin/python -m streamlit run app.py

test: $(VENV)/.dev
	$(PYTEST)

fast: $(VENV)/.dev
	$(PYTEST) -m "not browser and not slow and not training"

check: $(VENV)/.dev
	$(VENV)/bin/python -m ruff check .
	$(VENV)/bin/python -m mypy

docs: $(VENV)/.docs
	NO_MKDOCS_2_WARNING=1 $(VENV)/bin/python -m mkdocs build --strict --clean

$(VENV)/.app: requirements.txt
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "ecgkt needs Python 3.11 or later")'
	$(PYTHON) -m venv $(VENV)
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check -r requirements.txt
	touch $@

$(VENV)/.dev: $(VENV)/.app requirements-dev.txt requirements-extras.txt
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	touch $@

$(VENV)/.docs: $(VENV)/.app requirements-docs.txt
	$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check -r requirements-docs.txt
	touch $@
