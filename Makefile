# Everything a person types. `make demo` shows the whole of LLM-Net, `make test` runs all that needs no Rust.
PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3)
CACHE  ?= $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/llmnet
EXTRA  ?= cpu
VENV   := .venv
BIN    := $(VENV)/bin
LOCK   := requirements/$(EXTRA).txt
STAMP  := $(VENV)/.installed-$(EXTRA)
ARGS   ?=

export UV_PYTHON_DOWNLOADS = never
export CARGO_TARGET_DIR ?= $(CACHE)/target-host

.DEFAULT_GOAL := help
.PHONY: help setup model demo honest test test-fast test-e2e test-runtime artifact wasm lint types redteam calibration weights mutate-proof mutate-rust bench bench-engine bench-gpu gate bench-node differential e2e-on-polkadot soak crash subxt lock clean

help: ## this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-14s %s\n", $$1, $$2}'

setup: $(STAMP) ## the virtual environment, from hashed requirements

# uv comes from the PATH, or is installed into a folder of its own in the cache.
$(STAMP): $(LOCK) pyproject.toml
	@uv=$$(command -v uv || true); \
	if [ -z "$$uv" ]; then \
	  uv=$(CACHE)/uv/bin/uv; \
	  if [ ! -x "$$uv" ]; then \
	    $(PYTHON) -m venv $(CACHE)/uv || { echo "python's venv module is missing; run: apt-get install -y python3-venv" >&2; exit 1; }; \
	    $(CACHE)/uv/bin/pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt || exit 1; \
	  fi; \
	fi; \
	set -e; \
	"$$uv" venv --quiet --allow-existing --python $(PYTHON) $(VENV); \
	"$$uv" pip sync --quiet --python $(BIN)/python $(LOCK); \
	"$$uv" pip install --quiet --python $(BIN)/python --no-deps -e .
	@rm -f $(VENV)/.installed-*; touch $@

model: $(STAMP) ## fetch and convert the default model (93 MB, once)
	$(BIN)/llmnet model fetch

demo: model ## the main job: node, validators, workers honest and cheating, verdicts
	$(BIN)/llmnet demo $(ARGS)

honest: model ## 200 honest answers, every one audited: how often is an honest worker accused?
	$(BIN)/llmnet demo --honest-only --rounds 200 --max-tokens 12 --limit 900 $(ARGS)

# One process a core; a file's tests stay together, since they share daemons. The benchmark plugin cannot measure there.
test: model lint types ## everything that needs no Rust
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --maxprocesses 8 --dist loadfile -p no:benchmark $(ARGS)

test-fast: $(STAMP) ## the tests without the model, the daemons and the compilers
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest -m "not model and not e2e and not slow and not aot and not node_js" $(ARGS)

lint: $(STAMP) ## ruff, formatting, import rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: $(STAMP) ## mypy, strict
	$(BIN)/mypy

test-runtime: ## the Rust side: format, lints, tests
	cd runtime_spec && cargo fmt --all --check
	cd runtime_spec && cargo clippy --workspace --all-targets --locked -- -D warnings
	cd runtime_spec && cargo test --workspace --locked

wasm: $(STAMP) ## build the runtime's WASM artifact (needs Debian's Rust, see runtime_spec/build-wasm.sh)
	cd runtime_spec && PYTHON=$(CURDIR)/$(BIN)/python ./make-artifact.sh

artifact: $(STAMP) ## prove that the committed artifact belongs to the sources
	cd runtime_spec && PYTHON=$(CURDIR)/$(BIN)/python ./check-artifact.sh

redteam: model ## every attack on every class of arithmetic and on the protocol, the simulation, other methods; writes docs/verification.md (hours; ARGS="--answers 8" for less)
	OMP_NUM_THREADS=1 $(BIN)/llmnet redteam run all --write $(ARGS)
	OMP_NUM_THREADS=1 $(BIN)/llmnet redteam run protocol --write
	OMP_NUM_THREADS=1 $(BIN)/llmnet sim run --evidence docs/verification-data/evidence-bf16_fp32_residual.json --seeds 2 --closer 10 --out docs/verification-data/simulation.json
	OMP_NUM_THREADS=1 $(BIN)/python -m llmnet.redteam.rivals states
	OMP_NUM_THREADS=1 $(BIN)/python -m llmnet.redteam.rivals scores --out docs/verification-data
	$(BIN)/llmnet redteam report --write

calibration: $(STAMP) ## docs/calibration.md from the recorded honest answers
	$(BIN)/llmnet calibrate report --page docs/calibration.md docs/verification-data/honest-*.jsonl.xz

weights: $(STAMP) ## measure the pallets' weights in our executor and write them (then: make wasm)
	$(BIN)/python -m bench.weights $(ARGS)

mutate-proof: $(STAMP) ## mutants of llmnet/proof that no test notices
	$(BIN)/python -m tests.mutation.python_run --work $(CACHE)/mutants-proof $(ARGS)

# Its own build folder: at another optimisation, the dependencies of the usual one would be built anew.
mutate-rust: $(STAMP) ## mutants of the Rust rules that no test notices
	CARGO_TARGET_DIR=$(CACHE)/target-mutants $(BIN)/python -m tests.mutation.rust_run primitives --work $(CACHE)/mutants $(ARGS)
	CARGO_TARGET_DIR=$(CACHE)/target-mutants $(BIN)/python -m tests.mutation.rust_run spot_checks --work $(CACHE)/mutants-spot $(ARGS)

bench-engine: model ## decoding and prefill beside the peers, and how long a worker takes to start
	OMP_NUM_THREADS=1 $(BIN)/python -m bench.engine.speed --threads 1 $(ARGS)
	$(BIN)/python -m bench.engine.start

bench-gpu: $(STAMP) ## the gpu tests and the benches of all operators, one file of results (make EXTRA=gpu bench-gpu)
	OMP_NUM_THREADS=1 $(BIN)/python -m bench.gpu $(ARGS)

gate: $(STAMP) ## compile every GPU kernel and compare with the record
	$(BIN)/python -m llmnet.kernels.aot $(ARGS)

bench: $(STAMP) ## kernels side by side with their peers
	OMP_NUM_THREADS=1 $(BIN)/python -m pytest bench --benchmark-only --timeout=0 $(ARGS)

bench-node: $(STAMP) ## the embedded node beside polkadot-sdk's own (LLMNET_POLKADOT_NODE) and chopsticks (LLMNET_CHOPSTICKS)
	$(BIN)/python -m bench.devnode.compare $(ARGS)

differential: $(STAMP) ## 2000 random transactions: does our node do what polkadot-sdk's does? (LLMNET_POLKADOT_NODE)
	$(BIN)/python -m tests.devnode.differential --calls 2000 $(ARGS)

e2e-on-polkadot: model ## the end-to-end suite on polkadot-sdk's own node (LLMNET_POLKADOT_NODE) instead of ours
	LLMNET_E2E_NODE=polkadot OMP_NUM_THREADS=1 $(BIN)/python -m pytest --timeout=600 tests/e2e --ignore=tests/e2e/clients $(ARGS)

soak: $(STAMP) ## 5000 blocks of 20 transfers: memory and file size
	$(BIN)/python -m bench.devnode.soak $(ARGS)

crash: $(STAMP) ## 100 kills of the node at random moments: no finalised block is lost
	LLMNET_CRASH_KILLS=100 $(BIN)/python -m pytest tests/devnode/test_crash.py -s --timeout=0 $(ARGS)

subxt: ## build the client in Rust that the tests drive (LLMNET_SUBXT names it)
	cd tests/e2e/clients/subxt && CARGO_TARGET_DIR=$(CACHE)/target-subxt cargo build --locked --quiet

lock: ## renew the hashed requirements
	for extra in cpu gpu; do uv pip compile pyproject.toml --extra $$extra --extra dev --generate-hashes --no-header \
	  --python-version 3.11 --python-platform x86_64-unknown-linux-gnu -o requirements/$$extra.txt; done

clean: ## remove the virtual environment
	rm -rf $(VENV)
