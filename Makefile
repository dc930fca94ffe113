# `make` alone lists what there is. Everything works in .venv, which tools/setup.sh keeps ready.
PORT ?= 8000
ARGS ?=
export PYTHON UPGRADE

.DEFAULT_GOAL := help
.PHONY: help run reset test test-full faults lint bench picture messages pins clean

help:
	@echo "make run        start the demo on http://127.0.0.1:$(PORT) (PORT=... for another port)"
	@echo "make reset      forget the demo's data"
	@echo "make test       run the tests (ARGS='tests/matching -k pins' for some of them)"
	@echo "make test-full  run the slow tests too, with many more random examples"
	@echo "make faults     break every part while messages leave, in full size (up to 90 minutes)"
	@echo "make lint       check style, types, import direction"
	@echo "make bench      measure the matching engine against its goals (ARGS=--quick for three minutes)"
	@echo "make picture    take the README's picture of the demo that is running"
	@echo "make messages   collect the texts to translate into app/translations"
	@echo "make pins       write requirements*.txt again from requirements*.in (UPGRADE=1: newest)"
	@echo "make clean      remove .venv and caches, not the data"

# exec leaves the program alone with the terminal, so that Ctrl-C reaches it and nothing else.
run:
	@tools/setup.sh
	@exec .venv/bin/python -m app.demo --port $(PORT)

reset:
	@tools/reset.sh

test:
	@tools/setup.sh test
	@tools/browser.sh
	@tools/kannel.sh
	@exec .venv/bin/python -m pytest -n auto --dist loadfile --no-loadscope-reorder -m "not slow and not faults" $(ARGS)

test-full:
	@tools/setup.sh test
	@tools/browser.sh
	@tools/kannel.sh
	@HYPOTHESIS_PROFILE=full exec .venv/bin/python -m pytest -n auto --dist loadfile --no-loadscope-reorder -m "not faults" $(ARGS)

faults:
	@tools/setup.sh test
	@tools/kannel.sh
	@exec .venv/bin/python -m pytest tests/faults -m faults -s -q -o faulthandler_timeout=1200 $(ARGS)

lint:
	@tools/setup.sh test
	.venv/bin/python -m ruff check
	.venv/bin/python -m ruff format --check
	.venv/bin/python -m mypy
	.venv/bin/lint-imports

bench:
	@tools/setup.sh bench
	@exec .venv/bin/python -m benchmarks $(ARGS)

picture:
	@tools/setup.sh test
	@exec .venv/bin/python tools/picture.py http://127.0.0.1:$(PORT)

messages:
	@tools/setup.sh
	@tools/messages.sh

pins:
	@tools/setup.sh
	@tools/pins.sh

clean:
	rm -rf .venv .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache
	find app config.py gateway_settings.py matching migrations scheduler tests -name __pycache__ -exec rm -rf {} +
