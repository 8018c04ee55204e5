# Everything runs in .venv, which `make env` makes from requirements.lock. `make help` lists the targets.
# The interpreter may keep its bytecode: without it every process would compile the libraries anew.
unexport PYTHONDONTWRITEBYTECODE
unexport PYTHONHOME
unexport PYTHONPATH

bin := .venv/bin
jupyter := $(CURDIR)/model/mmiocost/execution/jupyter
notebooks := find notebooks -name '*.ipynb' -not -path '*/.*' -exec
ARGS :=
RUNS := 10000

.DEFAULT_GOAL := help
.PHONY: help env report test golden check format documents bench fuzz validate mutate lock lab wheel browser clean

help: ## list these targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/\1\t\2/p' $(firstword $(MAKEFILE_LIST)) | awk -F '\t' '{ printf "make %-10s %s\n", $$1, $$2 }'
	@echo 'ARGS="..." is passed on by report, test, bench, fuzz, validate, mutate and lock; PYTHON=... names the interpreter for .venv.'

env: ## make or update .venv; does nothing when it is up to date
	@.ci/env.sh

report: env ## fit the evidence, run the notebooks, write reports/latest/index.html
	@$(bin)/mmiocost report $(ARGS)

test: env browser ## run the tests
	@$(bin)/python -m pytest -rs -n auto --dist worksteal --benchmark-disable $(ARGS)

golden: env ## write the texts that the command line's tests expect anew; read the difference like code
	@MMIOCOST_UPDATE_GOLDEN=1 $(bin)/python -m pytest tests/cli/test_text.py $(ARGS)

check: env ## lint, formatting, types, notebooks without outputs, generated documents up to date
	$(bin)/ruff check
	$(bin)/ruff format --check
	$(bin)/mypy
	$(notebooks) $(bin)/python -m mmiocost.startup nbstripout --verify {} +
	$(bin)/pre-commit validate-config
	$(bin)/python -m mmiocost.vocabulary.tables --check

format: env ## repair what `make check` finds and a tool can repair
	$(bin)/ruff check --fix
	$(bin)/ruff format
	$(notebooks) $(bin)/python -m mmiocost.startup nbstripout {} +

documents: env ## write the generated tables of model/*.md anew
	@$(bin)/python -m mmiocost.vocabulary.tables

fuzz: env ## feed the importers mutated input (RUNS=... a format); installs atheris into .venv/fuzz if it is missing
	@[ -d .venv/fuzz/atheris ] || { echo 'installing atheris into .venv/fuzz' >&2; \
		$(bin)/uv pip install --quiet --python $(bin)/python --target .venv/fuzz atheris==3.0.0; }
	@PYTHONPATH=tests/support:.venv/fuzz $(bin)/python -m tests.fuzz --runs $(RUNS) $(ARGS)

bench: env ## run the benchmarks
	@$(bin)/python -m pytest tests/benchmarks --benchmark-only $(ARGS)

validate: env ## the long checks: coverage, rows left out, rival forms, plan; then mutate (ARGS=--renew: a sample)
	@$(bin)/python -m mmiocost.fitting.validation $(ARGS)
	@$(bin)/python -m mmiocost.fitting.selection $(filter --renew,$(ARGS))
	@$(bin)/python -m mmiocost.whatif.plan_validation $(filter --renew,$(ARGS))
	@$(if $(filter --renew,$(ARGS)),,PYTHONPATH=tests/support $(bin)/python -m tests.kills)
	@$(if $(filter --renew,$(ARGS)),,$(MAKE) --no-print-directory mutate ARGS=)

mutate: env ## put faults into the equations and the machine, one at a time: does the other side notice?
	@PYTHONPATH=tests/support $(bin)/python -m tests.mutation $(ARGS)

lock: env ## resolve the dependencies into requirements.lock (ARGS=--upgrade takes newer versions)
	@$(bin)/uv pip compile pyproject.toml --extra dev --universal --python-version 3.11 --generate-hashes \
		--no-annotate --no-header --no-emit-index-url --quiet $(ARGS) -o requirements.lock
	@echo uv | $(bin)/uv pip compile - --universal --generate-hashes \
		--no-annotate --no-header --no-emit-index-url --quiet $(ARGS) -o .ci/uv.txt

lab: env ## open JupyterLab with the notebooks, the warm kernel and a start page
	@JUPYTER_PATH="$(jupyter)" JUPYTER_CONFIG_PATH="$(jupyter)" $(bin)/python -m mmiocost.startup jupyterlab \
		--LabApp.default_url=/lab/tree/start.md $(if $(filter 0,$(shell id -u)),--allow-root) $(ARGS) notebooks

wheel: env ## build dist/*.whl
	@$(bin)/python -m build --wheel --no-isolation

browser: ## install Debian's chromium for the browser tests (as root; else say how)
	@.ci/browser.sh

clean: ## remove .venv, the last report and what tools left behind
	rm -rf .venv dist reports/latest .pytest_cache .mypy_cache .ruff_cache .hypothesis .benchmarks
	find model tests notebooks .ci -type d \( -name __pycache__ -o -name .ipynb_checkpoints \) -prune -exec rm -rf {} +
