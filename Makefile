# make app    environment + dashboard at http://localhost:8501
# make test   environment + all tests: minutes
# make fast   those that need neither a browser nor training: less than a minute
# make check  linter and types
# make lock   requirements.lock anew, after a change of requirements*.txt
# make audit  known vulnerabilities of what is locked, where their list can be reached
# make docs   environment + the documentation site in site/, strictly: a broken link or example fails
PYTHON ?= python3
VENV ?= .venv
# Two workers, a file never shared between them, begun in the order of tests/conftest.py: the longest first.
PYTEST = $(VENV)/bin/python -m pytest -n 2 --dist loadfile --no-loadscope-reorder

# Which of the locked packages are installed is up to the machine: torch's build for processors alone brings no CUDA.
INSTALL = $(VENV)/bin/python -m pip install --quiet --disable-pip-version-check -c requirements.lock

.PHONY: app test fast check docs lock audit
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

# Pins that stand in the file already are kept where they still fit. Nothing of where packages come from is written.
lock: $(VENV)/.dev
	$(VENV)/bin/uv pip compile --quiet --universal --python-version 3.11.5 --no-emit-index-url --no-emit-find-links \
		--no-header --no-annotate --no-emit-package pip requirements.txt requirements-extras.txt \
		requirements-dev.txt requirements-docs.txt -o requirements.lock
	$(VENV)/bin/python docs/licenses.py

audit: $(VENV)/.dev
	$(VENV)/bin/pip-audit --requirement requirements.lock --no-deps --disable-pip --strict \
		--progress-spinner off || { echo "Not clean, or not all of it could be looked up from here: see above."; exit 1; }

$(VENV)/.app: requirements.txt requirements.lock
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "ecgkt needs Python 3.11 or later")'
	$(PYTHON) -m venv $(VENV)
	$(INSTALL) -r requirements.txt
	touch $@

$(VENV)/.dev: $(VENV)/.app requirements-dev.txt requirements-extras.txt
	$(INSTALL) -r requirements-dev.txt
	touch $@

$(VENV)/.docs: $(VENV)/.app requirements-docs.txt
	$(INSTALL) -r requirements-docs.txt
	touch $@
