# Everything from a bare Debian 12 with Swift 6.3 on the PATH: each target installs what it needs.
.PHONY: run build test lint bench clean

STATE ?= demo-state

run: build
	.build/release/torhaus demo --state $(STATE)

build:
	@scripts/setup.sh build
	@scripts/build.sh -c release

test: lint
	@scripts/setup.sh test
	@scripts/build.sh --build-tests
	swift test --skip-build --parallel
	cd loadtest && python3 -m unittest discover -s Tests/BenchmarkTests
	scripts/end-to-end.sh

lint:
	swift format lint --strict --recursive Package.swift Sources Tests loadtest

bench: build
	@scripts/setup.sh bench
	python3 loadtest/bench.py

clean:
	rm -rf .build demo-state
