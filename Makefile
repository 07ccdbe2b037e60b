# Every target installs what it lacks; nothing is installed outside this folder.
PYTHON ?= python3
STAGE ?= dev

.PHONY: run dev demo test test-fast test-dynamodb-local torture fuzz bench bench-cold bench-export mutation check format package \
  openapi setup lock console console-dev console-check client client-dev client-check miniprogram \
  source-check template-check deploy-console deploy-h5 node chromium

# The environment is made again when a requirements file or the Python changes.
WANTED := $(shell { $(PYTHON) --version; cat requirements*.txt; } | cksum | cut -d' ' -f1)
STAMP := .venv/installed-$(WANTED)
BIN := .venv/bin
PY := $(BIN)/python

setup: $(STAMP)

$(STAMP):
	@echo "Installing the Python packages …"
	@$(PYTHON) -c "import ensurepip, venv" 2> /dev/null || $(call debian,python3-venv)
	@$(PYTHON) -m venv .venv
	@$(PY) -m pip install -qq --require-hashes -r requirements-dev.txt
	@rm -f .venv/installed-* && touch $@

# Every package that is installed or packaged, with its version and hashes; what is locked stays
# unless it is named, as in `make lock UPGRADE="--upgrade-package requests"`.
lock: $(STAMP)  ## Every requirements*.txt from the .in file beside it
	@$(PY) -m infra.lock_requirements $(UPGRADE)

# The console's tools want Node.js 20.19 or newer. Where there is none, or Debian 12's, which is older,
# one from PyPI is put into .cache/node, before what the machine has.
export PATH := $(CURDIR)/.cache/node/bin:$(PATH)
NODE_LOCK := infra/local/requirements-node.txt
node_fits = command -v npm > /dev/null && \
  node -e 'const [a, b] = process.versions.node.split("."); process.exit(a > 20 || (a == 20 && b >= 19) ? 0 : 1)'

node: $(STAMP)
	@{ $(node_fits); } || { echo "Installing Node.js …" && $(PY) -m venv .cache/node/venv && \
	  .cache/node/venv/bin/pip install -qq --require-hashes -r $(NODE_LOCK) && mkdir -p .cache/node/bin && \
	  ln -sf ../venv/bin/node ../venv/bin/npm ../venv/bin/npx .cache/node/bin/; }

# What neither PyPI nor npm brings: installed from Debian's packages where we may, else asked for.
# The shell has no window to draw: the console's tests take it half the time that Chromium takes.
chromium:
	@command -v chromium-headless-shell > /dev/null || command -v chromium > /dev/null || \
	  $(call debian,chromium-headless-shell fonts-noto-cjk)

debian = { [ "$$(id -u)" = 0 ] && apt-get update -qq && apt-get install -y -qq $(1) > /dev/null; } || \
  { echo "Please install $(1), then try again." >&2; exit 1; }

# Without npm there is no console; all else runs, so that is only said.
run: $(STAMP)  ## The whole shop on this machine
	-@$(MAKE) --no-print-directory node
	@$(PY) -m infra.local.run

dev: $(STAMP)  ## The same, reloading when a source changes
	-@$(MAKE) --no-print-directory node
	@$(PY) -m infra.local.dev

demo: $(STAMP)  ## A group bought, formed, failed and refunded, told step by step; STORY=prices: coupons; STORY=tiers: the more, the cheaper; STORY=crowd: the same for everybody; STORY=combine; STORY=points; STORY=levels; STORY=rewards; STORY=invitations; STORY=all
	@$(PY) -m infra.local.demo $(STORY)

# Races, crashes and properties: what depends on how the engine decides.
ENGINE_SUITES := $(wildcard tests/laws/races/test_races*.py) tests/laws/faults tests/laws/properties

# Five processes keep two processors busy: tests of browsers wait more than they compute, and have three of
# the processes (tests/fixtures/distribution.py). Modules are taken in the order of their folders, so that
# the small ones of tests/unit come last, and no process waits long for the others.
SHARED := -m pytest -q --dist loadfile --no-loadscope-reorder

# What is compiled is kept: every process of a run imports the same modules.
unexport PYTHONDONTWRITEBYTECODE

test: $(STAMP) node chromium  ## In five processes, each with an engine of its own
	@$(PY) $(SHARED) -n 5

# Half a second of each process, for nothing: other tests use them.
UNUSED := -p no:schemathesis -p no:playwright

test-fast: $(STAMP)  ## The rules and the API, without what is slow; for the daily loop
	@$(PY) $(SHARED) -n 4 $(UNUSED) -m "not slow" --one-gateway tests/unit tests/api

test-dynamodb-local: $(STAMP)  ## The races once more, on Amazon's engine (Java 17, npm)
	@TUAN_TEST_ENGINE=dynamodb-local $(PY) $(SHARED) -n 2 $(ENGINE_SUITES)

torture: $(STAMP)  ## Every crash, fault, order and race at full size; TORTURE_SEED, TORTURE_PIECES
	@$(PY) -m tests.laws

fuzz: $(STAMP)  ## Requests made up from the OpenAPI document; FUZZ_SEED, FUZZ_EXAMPLES
	@export FUZZ_SEED=$${FUZZ_SEED:-$$(od -An -N4 -tu4 /dev/urandom | tr -d ' ')} \
	  FUZZ_EXAMPLES=$${FUZZ_EXAMPLES:-100} && \
	  echo "FUZZ_SEED=$$FUZZ_SEED FUZZ_EXAMPLES=$$FUZZ_EXAMPLES" && $(PY) -m pytest -q tests/fuzz

bench: $(STAMP)  ## Processor time of a request, beside one bare call of botocore; BASE=commit, ROUNDS=n
	@$(PY) -m infra.local.bench

bench-cold: $(STAMP)  ## The same of each function's start; BASE=commit, ROUNDS=n
	@$(PY) -m infra.local.bench_cold

bench-export: $(STAMP)  ## Large exports: invocations, seconds, memory; ORDERS=n
	@$(PY) -m infra.local.bench_export

mutation: $(STAMP)  ## The code changed in small ways: do the tests notice? ONLY, TESTS, SAMPLE, SEED
	@$(PY) -m tests.mutation

console: $(STAMP) node  ## console/dist/, ready for a host; says how big its first page is
	@$(PY) -m infra.local.console
	@cd console && npm run --silent sizes

console-dev: $(STAMP) node  ## The console, reloading; beside `make run` or `make dev`
	@$(PY) -m infra.local.console
	@cd console && npm run --silent dev

client: $(STAMP) node  ## The buyers' shop for browsers: miniprogram/dist/build/h5/
	@$(PY) -m infra.local.h5

client-dev: $(STAMP) node  ## The buyers' shop, reloading; beside `make run` or `make dev`
	@$(PY) -m infra.local.h5 packages
	@cd miniprogram && npm run --silent dev

# Its API, shop and appid come from miniprogram/.env.production.local, which is not committed.
miniprogram: $(STAMP) node  ## The buyers' mini-program for WeChat, checked, ready to be uploaded
	@$(PY) -m infra.local.h5 packages
	@cd miniprogram && node checks/configured.mjs && npm run --silent schemas && npm run --silent build:mp-weixin && npm run --silent check:mp-weixin
	@echo "miniprogram/dist/build/mp-weixin：请用微信开发者工具打开后上传，步骤见 docs/miniprogram.md"

client-check: $(STAMP) node
	@$(PY) -m infra.local.h5 packages
	@cd miniprogram && npm run --silent check

deploy-console: console  ## The console of STAGE, beside its backend; OPTIONS="--hosting website …"
	@$(PY) -m infra.deploy_website console --stage $(STAGE) $(OPTIONS)

deploy-h5: client  ## The buyers' shop, likewise; OPTIONS="--merchant-id … --domain … --certificate …"
	@$(PY) -m infra.deploy_website h5 --stage $(STAGE) $(OPTIONS)

console-check: $(STAMP) node
	@$(PY) -m infra.local.console
	@cd console && npm run --silent check && npm run --silent sizes > /dev/null

# Side by side: none of the four writes what another reads.
check: $(STAMP) node
	@$(MAKE) --no-print-directory -j3 -O console-check client-check source-check template-check

source-check: $(STAMP)
	@$(BIN)/ruff check -q .
	@$(BIN)/ruff format -q --check .
	@$(BIN)/mypy --no-error-summary
	@PYTHONPATH=. $(BIN)/lint-imports --no-cache > .venv/lint-imports.log || { cat .venv/lint-imports.log; exit 1; }

template-check: $(STAMP)
	@$(MAKE) --no-print-directory package STAGE=prod
	@$(BIN)/cfn-lint out/prod/sam.json infra/website.yaml

format: $(STAMP)
	@$(BIN)/ruff check -q --fix .
	@$(BIN)/ruff format -q .

package: $(STAMP)  ## out/$(STAGE)/: sam.json and deployment.zip, ready to deploy
	@$(PY) -m infra.package --stage $(STAGE)

openapi: $(STAMP) node  ## The committed description of the API, and the console's types from it
	@$(PY) -m infra.openapi
	@$(PY) -m infra.local.console packages
	@cd console && npm run --silent types
