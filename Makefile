# `make demo` and `make test` do all their own set-up, in .venv.
PYTHON ?= python3
VENV ?= .venv
TORCH ?= torch==2.13.0
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed

# The demo's size: the defaults are the README's; CI shortens them.
SCENES ?= 240
VAL_SCENES ?= 48
PICTURES ?= 4
RUN_FLAGS ?=
EXPERIMENT := experiments/bev_ipm_tiny
WORLD := tmp_data/synthetic
PACK := tmp_data/nuscenes
VERSION := v1.0-trainval

.PHONY: install demo docs test lint format clean

install: $(INSTALLED)

# torch first and alone: where a CPU build is on offer it is taken, and nothing later pulls another one.
$(INSTALLED): pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check $(TORCH)
	$(BIN)/pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[dev]'
	touch $@

demo: $(INSTALLED)
	$(BIN)/specgen build specs/bev_ipm_tiny.yaml
	$(BIN)/specgen data synth --out $(WORLD) --version $(VERSION) --scenes $(SCENES) --val-scenes $(VAL_SCENES)
	$(BIN)/specgen data pack --src-data-dir $(WORLD) --target-data-dir $(PACK) --version $(VERSION) --split-name train --pack-type lmdb
	$(BIN)/specgen data pack --src-data-dir $(WORLD) --target-data-dir $(PACK) --version $(VERSION) --split-name val --pack-type lmdb
	$(BIN)/specgen calops $(EXPERIMENT)
	$(BIN)/specgen predict $(EXPERIMENT) --stage float --untrained --pictures 0 --num-samples 64
	$(BIN)/specgen run $(EXPERIMENT) --stage float $(RUN_FLAGS)
	$(BIN)/specgen predict $(EXPERIMENT) --stage float --pictures $(PICTURES)
	$(BIN)/specgen run $(EXPERIMENT) --stage calibration $(RUN_FLAGS)
	$(BIN)/specgen run $(EXPERIMENT) --stage export
	$(BIN)/specgen run $(EXPERIMENT) --stage int_infer
	$(BIN)/specgen run $(EXPERIMENT) --stage check
	$(BIN)/specgen run $(EXPERIMENT) --stage compile
	$(BIN)/specgen run $(EXPERIMENT) --stage align_bpu
	$(BIN)/specgen ladder $(EXPERIMENT)

# The generated pages: docs/reference/, docs/marches.md, docs/supported_ops.md, docs/hbir.md.
docs: $(INSTALLED)
	$(BIN)/python -m specgen.reference
	$(BIN)/python -m runtime.bpu.march_page > docs/marches.md
	$(BIN)/python -m runtime.bpu.checker.supported_ops_page > docs/supported_ops.md
	$(BIN)/python -m runtime.hbir.page > docs/hbir.md

test: $(INSTALLED)
	$(BIN)/python -m pytest -q

lint: $(INSTALLED)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

format: $(INSTALLED)
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache
