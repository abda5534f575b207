# make demo and make test alone do all on a fresh machine: environment, install, run.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
BENCH_READY := $(VENV)/.bench-ready
ASSETS ?= $(abspath ../shared/assets)
export HF_HUB_OFFLINE ?= 1
export TOKENIZERS_PARALLELISM ?= false
export WARMSTART_ASSETS ?= $(ASSETS)

.PHONY: setup demo test test-all soak gpu check bench docs clean

setup: $(READY)

# The constraints keep torch at the version whose CPU wheel is small; an open range would fetch gigabytes of CUDA.
$(READY): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt torch
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	@touch $@

demo: setup  # its networks are so small that a second thread only waits
	OMP_NUM_THREADS=1 $(BIN)/warmstart demo

test: setup
	$(BIN)/python -m pytest -n 2

test-all: setup
	$(BIN)/python -m pytest -n 2 -m 'slow or not slow'

gpu: setup  # where torch sees a graphics processor
	WARMSTART_GPU=1 $(BIN)/python -m pytest tests/gpu

soak: setup  # ten times as many faults as `make test` plants
	WARMSTART_SOAK=10 $(BIN)/python -m pytest tests/faults

check: setup
	$(BIN)/ruff format --check src tests benchmarks scripts
	$(BIN)/ruff check src tests benchmarks scripts
	$(BIN)/mypy

bench: $(BENCH_READY)  # ARGS='P1 --quick' for a part of it
	$(BIN)/python -m benchmarks $(ARGS)

$(BENCH_READY): $(READY)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev,bench]'
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt --no-deps fastai
	@touch $@

docs: setup
	$(BIN)/python scripts/write_reference.py docs/reference.md

clean:
	rm -rf $(VENV) runs build dist .mypy_cache .ruff_cache .pytest_cache
