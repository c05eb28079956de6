# Two commands: `make run` and `make test`. Both set everything up first.

SHELL := /bin/bash
BIN := .venv/bin
EXTRAS := --extra test --extra kubeflow --extra notebook

.PHONY: help setup run test quick lint lock notebooks peers stack-b flink flink-stop flink-test clean

help:
	@echo "make run    set up, run the reviews pipeline, serve the model and ask it three questions"
	@echo "make test   set up, lint, all tests"
	@echo "make quick  lint and the tests that take seconds"
	@echo "make lint   ruff, mypy, import contracts"
	@echo "make lock   resolve constraints/ anew"
	@echo "make notebooks  run the notebooks and write out/notebooks/*.html (half an hour)"
	@echo "make peers  .venv-bench with what benchmarks compare with: PyTorch, ONNX Runtime, OpenVINO"
	@echo "make stack-b  all tests on the newer stack, in a Debian 13 root (as root)"
	@echo "make flink  a Flink cluster with two Python workers on this machine; flink-stop, flink-test"
	@echo "make clean  remove .venv and out/"

setup:
	@constraints/install.sh

run: setup
	@$(BIN)/rawbert run recipes/reviews.yaml \
	    --ask "A delight from start to finish." \
	    --ask "Two hours of my life that I will never get back." \
	    --ask "Neither as clever as it thinks nor as dull as it looks."

lint: setup
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

test: lint
	@$(BIN)/python -m pytest -q --durations=25 -n 2 --dist loadfile

quick: lint
	@$(BIN)/python -m pytest -q -m "not slow"

lock: setup
	@$(BIN)/uv pip compile pyproject.toml $(EXTRAS) --generate-hashes --no-annotate --quiet \
	    --python-version 3.10 --python-platform x86_64-manylinux_2_28 \
	    --override constraints/overrides.txt -c constraints/tfx-1.16.in -o constraints/tfx-1.16.txt
	@$(BIN)/uv pip compile pyproject.toml $(EXTRAS) --generate-hashes --no-annotate --quiet \
	    --python-version 3.12 --universal \
	    --override constraints/overrides.txt -c constraints/tfx-1.21.in -o constraints/tfx-1.21.txt
	@$(BIN)/uv pip compile benchmarks/requirements.in --generate-hashes --no-annotate --quiet \
	    --python-version 3.12 --python-platform x86_64-manylinux_2_28 \
	    -o benchmarks/requirements.txt

notebooks: setup
	@$(BIN)/python -m pipeline.notebook.execute notebooks/*.ipynb --to out/notebooks

peers: setup
	@test -d .venv-bench || $(BIN)/uv venv --quiet \
	    --python "$$(PATH="$$PATH:$(BIN)" constraints/find_python.sh 3.12)" .venv-bench
	@$(BIN)/uv pip install --quiet --python .venv-bench/bin/python --require-hashes \
	    -r benchmarks/requirements.txt

stack-b:
	@constraints/stack-b.sh make test

flink: setup
	@$(BIN)/python -m pipeline.runners.flink start

flink-stop:
	@$(BIN)/python -m pipeline.runners.flink stop

flink-test: setup
	@RAWBERT_FLINK=1 $(BIN)/python -m pytest -q tests/pipeline/test_flink.py

clean:
	rm -rf .venv .venv-bench out
