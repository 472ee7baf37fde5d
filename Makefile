# `make help` lists the targets. All builds are release builds: a debug build computes 60 times slower.

SWIFT ?= swift
BIN := .build/release

# The demo; `make demo DEMO_STEPS=250` ends sooner and follows less well.
DEMO_FOLDER ?= demo
DEMO_STEPS ?= 1200
DEMO_BACKEND ?= auto
DEMO_MODEL := Sources/EspalierDemo/BaseModel

# A Python with PyTorch and Diffusers for `make bench-peers`; in `make bench` it adds the same columns.
BENCH_PYTHON ?=
# SDXL's folder; without it one with random weights is made in the user's cache folder.
BENCH_MODEL ?=
# More flags of `espalier bench`.
BENCH_FLAGS ?=
# ggml's test-backend-ops, built with Vulkan, for the same in `make bench-vulkan`.
BENCH_GGML ?=
BENCH_VULKAN_FLAGS ?=

.PHONY: help build test test-goldens test-swiftshader lint format shaders demo bench bench-peers bench-vulkan check size dependencies

help:
	@echo "make build            build the programs and all plugins"
	@echo "make test             run the whole test suite"
	@echo "make test-goldens     run the suites that read golden files (of ESPALIER_FIXTURES if set)"
	@echo "make test-swiftshader run it with the backend vulkan on SwiftShader, which is fetched"
	@echo "make lint             check format, sizes, forbidden words and the boundary header"
	@echo "make format           format all Swift sources in place"
	@echo "make shaders          compile and validate every variant of every Vulkan shader"
	@echo "make demo             draw pictures, train an adapter, measure what it learnt"
	@echo "make bench            measure speed and memory; BENCH_PYTHON=python adds PyTorch beside it"
	@echo "make bench-peers      SDXL at full size beside PyTorch of BENCH_PYTHON; writes Docs/Performance.md"
	@echo "make bench-vulkan     only its Vulkan part; BENCH_GGML=test-backend-ops adds ggml beside it"
	@echo "make check            lint, build and test: what a change must pass"
	@echo "make size             count lines"

dependencies:
	@.ci/install-dependencies

build: dependencies
	$(SWIFT) build -c release

test test-goldens test-swiftshader: export ESPALIER_VULKAN_VALIDATION = 1

# Without testable imports the tests are built upon what `make build` built; with them everything is compiled again.
TEST := $(SWIFT) test -c release --disable-xctest --disable-testable-imports

test: dependencies
	$(TEST)

test-goldens: dependencies
	$(TEST) --filter '$(shell .ci/golden-suites)'

test-swiftshader: build
	@SWIFT='$(SWIFT)' .ci/test-swiftshader

lint:
	$(SWIFT) format lint --strict --recursive --parallel Sources Plugins Tests Package.swift
	@.ci/check-sources

format:
	$(SWIFT) format format --in-place --recursive --parallel Sources Plugins Tests Package.swift

shaders: dependencies
	$(SWIFT) build -c release --product vulkan-shader-check
	@.ci/check-shaders

demo: build
	rm -rf $(DEMO_FOLDER)/adapter
	$(BIN)/espalier-demo make-data --output $(DEMO_FOLDER)/data --count 2000 --resolution 128 \
	  --seed 1 --held-out 32
	$(BIN)/espalier train --backend $(DEMO_BACKEND) \
	  --pretrained_model_name_or_path $(DEMO_MODEL) --train_data_dir $(DEMO_FOLDER)/data \
	  --output_dir $(DEMO_FOLDER)/adapter --resolution 128 --train_batch_size 8 \
	  --learning_rate 1e-3 --lr_scheduler cosine --lr_warmup_steps 50 --max_train_steps $(DEMO_STEPS) --seed 1 \
	  --report_to csv,html
	$(BIN)/espalier-demo evaluate --backend $(DEMO_BACKEND) --base $(DEMO_MODEL) \
	  --adapter $(DEMO_FOLDER)/adapter --data $(DEMO_FOLDER)/data/held_out \
	  --training-log $(DEMO_FOLDER)/adapter/training_summary.json \
	  --output $(DEMO_FOLDER)
	@echo "pictures: $(DEMO_FOLDER)/grid.png   numbers: $(DEMO_FOLDER)/report.json   training: $(DEMO_FOLDER)/adapter/logs/report.html"

bench: build
	BENCH_PYTHON='$(BENCH_PYTHON)' $(BIN)/espalier bench $(BENCH_FLAGS)
	@BENCH_GGML='$(BENCH_GGML)' $(BIN)/vulkan-bench $(BENCH_VULKAN_FLAGS)

bench-peers: build
	@test -n '$(BENCH_PYTHON)' || { echo 'bench-peers needs BENCH_PYTHON=a Python with PyTorch and Diffusers'; exit 2; }
	$(BIN)/espalier bench --goals --scale mini --parts --python '$(BENCH_PYTHON)' $(if $(BENCH_MODEL),--model '$(BENCH_MODEL)') \
	  --update Docs/Performance.md $(BENCH_FLAGS)

bench-vulkan: build
	BENCH_GGML='$(BENCH_GGML)' $(BIN)/vulkan-bench $(BENCH_VULKAN_FLAGS)

check: lint build shaders test

size:
	@.ci/size
