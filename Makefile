# What a fresh machine with Python 3.11+ and make needs, and nothing by hand.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: demo test check bench long clean

# The bot alone, as a user would install it.
.venv/run: pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable .
	touch $@

# The bot and what its tests and checks need.
.venv/dev: pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade 'pip>=25.1'
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[oauth,postgres]' --group dev
	touch .venv/run $@

demo: .venv/run
	$(BIN)/python -m bot demo

test: .venv/dev
	$(BIN)/python -m pytest -n 2 --dist loadfile -m "not long"

long: .venv/dev
	$(BIN)/python -m pytest -m long

check: .venv/dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -n 2 --dist loadfile -m "not long" --cov --cov-report=term

bench: .venv/dev
	$(BIN)/python -m tests.bench

clean:
	rm -rf .venv build dist artifacts
