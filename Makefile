# make setup | run [CONFIG=…] [PROFILE=profiles/slurm] | report [NAME=…] | test | test-browser | test-slurm | lint | lock | resolve | docs | site | lock-site |
# clean (removes all that was computed)
.DEFAULT_GOAL := run
PYTHON ?= python3
CONFIG ?= config.yaml
NAME ?= digits
BIN := .venv/bin

# Where the home is absent or read-only (compute nodes), caches of pip, uv and Snakemake lie in the checkout.
ifeq ($(shell cache="$${XDG_CACHE_HOME:-$${HOME:+$$HOME/.cache}}"; mkdir -p "$$cache" 2>/dev/null && test -w "$$cache" && echo usable),)
export XDG_CACHE_HOME := $(CURDIR)/.smearlab/cache
endif

# A .venv stays what it is: asking for another Python beside it would be passed over in silence.
ifneq ($(origin PYTHON),file)
VERSION := -c 'import sys; print("Python %d.%d" % sys.version_info[:2])'
OURS := $(shell $(BIN)/python $(VERSION) 2>/dev/null)
ifneq ($(OURS),)
ifneq ($(OURS),$(shell $(PYTHON) $(VERSION) 2>/dev/null))
$(error .venv is of $(OURS), and PYTHON=$(PYTHON) is not: remove .venv, and the same command makes it anew)
endif
endif
endif

.PHONY: setup run report test test-browser test-slurm lint lock resolve docs site lock-site clean

# The stamp holds the lock it was made from: an unchanged lock installs nothing.
setup: .venv/installed

.venv/installed: requirements.lock
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements.bootstrap.lock
	$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes --compile-bytecode -r requirements.lock
	touch $@

run: setup
	$(BIN)/python -m smearlab check $(CONFIG)
	$(BIN)/python -m smearlab clear-locks
	$(BIN)/python -m smearlab repair $(CONFIG) $(if $(PROFILE),--profile $(PROFILE))
	$(BIN)/snakemake $(if $(PROFILE),--workflow-profile $(PROFILE),--cores all) --configfile $(CONFIG)

report: setup
	$(BIN)/python -m smearlab report $(NAME)

test: setup
	$(BIN)/python -m pytest tests --ignore tests/slurm --ignore tests/browser -n 2 --dist worksteal

test-browser: setup
	tests/browser/run.sh

test-slurm: setup
	tests/slurm/run.sh $(ARGS)

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/snakefmt --check Snakefile workflow
	$(BIN)/mypy
	$(BIN)/codespell
	$(BIN)/snakemake --lint

lock: setup
	$(BIN)/uv pip compile --universal --generate-hashes --python-version 3.11 --no-header \
		requirements.in -o requirements.lock --quiet
	$(BIN)/python -m smearlab.cli.pins

# Needs the package index: a dry run of the installation on each supported Python.
resolve: setup
	for version in 3.11 3.12 3.13; do \
		$(BIN)/uv pip install --quiet --dry-run --python-version $$version --target .venv/resolve --require-hashes \
			--only-binary :all: --no-binary connection-pool -r requirements.lock || exit 1; \
		echo "requirements.lock resolves for Python $$version"; \
	done

docs: setup
	$(BIN)/python -m smearlab schema
	$(BIN)/python -m smearlab.cli.handbook
	$(BIN)/python -m smearlab.cli.published

# The docs and the published pages as a static site, .site/html; its generator has an environment of its own.
site: .venv-site/installed
	.venv-site/bin/python site/assemble.py .site
	cd .site && ../.venv-site/bin/zensical build --config-file mkdocs.yml --clean --strict
	.venv-site/bin/python site/assemble.py .site --check
	@echo "to look at it: python3 -m http.server --directory .site/html"

.venv-site/installed: requirements.site.lock
	$(PYTHON) -m venv --clear .venv-site
	.venv-site/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.site.lock
	touch $@

lock-site: setup
	$(BIN)/uv pip compile --universal --generate-hashes --python-version 3.11 --no-header --no-annotate \
		requirements.site.in -o requirements.site.lock --quiet

# Removes everything that was computed; what no config names any more: python -m smearlab clean.
clean:
	rm -rf results logs .snakemake .smearlab reports/*.html
