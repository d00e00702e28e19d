# Everything from a bare Debian 12 with Swift 6.3 on the PATH: each target installs what it needs.
.PHONY: run build test lint bench profile clean

STATE ?= demo-state
# Debian's own, whose packages setup.sh installs, whatever else is on the PATH.
PYTHON ?= /usr/bin/python3

run: build
	.build/release/torhaus demo --state $(STATE)

build:
	@scripts/setup.sh build
	@scripts/build.sh -c release

test: lint
	@scripts/setup.sh test
	@scripts/build.sh --build-tests
	swift test --skip-build --parallel
	cd loadtest && $(PYTHON) -m unittest discover -s Tests/BenchmarkTests
	scripts/end-to-end.sh

lint:
	swift format lint --strict --recursive Package.swift Sources Tests loadtest

bench: build
	@scripts/setup.sh bench
	@status=0; $(PYTHON) loadtest/bench.py || status=$$?; $(PYTHON) loadtest/bench.py allocations || status=$$?; exit $$status

# What the compiler knows of the program's load; after large changes of the data plane.
profile: build
	@scripts/setup.sh bench
	@scripts/profile.sh

clean:
	rm -rf .build demo-state
