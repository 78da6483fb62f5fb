# Sightline: everything that people and CI run. `make help` lists it.
# Needs the Swift toolchain; `setup` installs the rest through apt (Debian 12 or later) and is cheap to repeat.

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

FUZZ_SECONDS ?= 60
FUZZ_EXAMPLES ?= 30
DEMO_ARGUMENTS ?=
BENCH_ARGUMENTS ?=
PYTEST_ARGUMENTS ?=
# Files of tests with browsers and clients that run side by side.
TEST_WORKERS ?= 2
SCREENSHOT_ARGUMENTS ?=

# One configuration serves program and tests: the package graph is built once. Tests use `package` access, so that
# nothing needs -enable-testing, which would build everything a second time and slower code.
SWIFT_BUILD := swift build -c release
SWIFT_TEST := swift test -c release --disable-testable-imports --disable-xctest
# Under a sanitizer everything is slow: tests that wait for real sockets must not starve among a thousand others.
SANITIZER_WIDTH := SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH=4
# The manifest leaves out everything that stands on other packages: floors 0 to 3 build in a minute.
CORES := SIGHTLINE_CORES=1

SIGHTLINE := .build/release/sightline
PYTHON := .venv/bin/python

BUILD_PACKAGES := libssl-dev libsrtp2-dev libusrsctp-dev libavformat-dev libavcodec-dev libavfilter-dev \
  libavutil-dev libswscale-dev libcurl4-openssl-dev libqrencode-dev zlib1g-dev pkg-config libjs-leaflet
ifeq ($(shell uname -m),x86_64)
BUILD_PACKAGES += libipsec-mb-dev
endif
TEST_PACKAGES := openssl chromium firefox-esr coturn ffmpeg iproute2 python3-venv python3-gi python3-gst-1.0 \
  gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-bad gstreamer1.0-plugins-ugly \
  gstreamer1.0-nice gir1.2-gst-plugins-base-1.0 gir1.2-gst-plugins-bad-1.0 fonts-dejavu-core \
  librsvg2-bin zbar-tools unzip

SWIFT_FILES := Package.swift Sources Tests

.PHONY: relay-goals help setup setup-build setup-tests build demo test unit-tests interop-tests story screenshots lint format fuzz fuzz-api fuzz-build \
  sanitize-address sanitize-thread bench bench-loss bench-metadata bench-replay bench-archive bench-recording clean

help: ## This list
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{ printf "  make %-18s %s\n", $$1, $$2 }'

setup: setup-tests ## Install what building and testing need; does nothing when all is there

setup-build:
	@deployment/install-packages.sh $(BUILD_PACKAGES)

# The interpreter is Debian's, because the GStreamer bindings are packaged for it.
setup-tests:
	@deployment/install-packages.sh $(BUILD_PACKAGES) $(TEST_PACKAGES)
	@if ! cmp -s Tests/Interop/requirements.txt .venv/requirements.txt; then \
	  echo "Preparing the Python environment in .venv"; \
	  /usr/bin/python3 -m venv --clear --system-site-packages .venv; \
	  $(PYTHON) -m pip install --quiet --disable-pip-version-check -r Tests/Interop/requirements.txt; \
	  cp Tests/Interop/requirements.txt .venv/requirements.txt; \
	fi

build: setup-build ## Build the program (release)
	@echo "Building release: minutes the first time, seconds after that"
	@$(SWIFT_BUILD) --quiet --product sightline
	@echo "Built $(SIGHTLINE)"

demo: build ## Build, start a server with a simulated caller, and say what to open
	@exec $(SIGHTLINE) demo $(DEMO_ARGUMENTS)

test: setup-tests lint unit-tests interop-tests ## All that CI runs

# All at once they would wait for each other longer than some wait for an answer.
unit-tests: export SWT_EXPERIMENTAL_MAXIMUM_PARALLELIZATION_WIDTH = 8
unit-tests:
	@echo "Building program and tests (release): minutes the first time"
	@$(SWIFT_BUILD) --quiet --build-tests
	@$(SWIFT_TEST) --skip-build 2>&1 | awk '/^✔ Test run/ || !/^(◇|✔)/ { print; fflush() }'

# Most of a test is waiting, so a few run side by side.
interop-tests:
	@SIGHTLINE_BIN=$(abspath $(SIGHTLINE)) $(PYTHON) -m pytest Tests/Interop -n $(TEST_WORKERS) --dist loadfile $(PYTEST_ARGUMENTS)

story: build setup-tests ## The whole story and its refusals in several real browsers at once
	@SIGHTLINE_BIN=$(abspath $(SIGHTLINE)) $(PYTHON) -m pytest Tests/Interop/test_story.py Tests/Interop/test_story_refusals.py $(PYTEST_ARGUMENTS)

relay-goals: build setup-tests ## How far the relay is from its goals over narrow links, for crowds and on a full node
	@SIGHTLINE_GOALS=1 SIGHTLINE_BIN=$(abspath $(SIGHTLINE)) $(PYTHON) -m pytest -s --reruns 0 Tests/Interop/test_relay_links.py Tests/Interop/test_relay_joins.py Tests/Interop/test_relay_overload.py $(PYTEST_ARGUMENTS)

screenshots: build setup-tests ## Pictures of every page and state, in all sizes and themes, into artifacts/screenshots
	@SIGHTLINE_BIN=$(abspath $(SIGHTLINE)) $(PYTHON) Tests/Interop/gallery.py artifacts/screenshots $(SCREENSHOT_ARGUMENTS)

lint: ## Check formatting and style
	@swift format lint --strict --parallel --recursive $(SWIFT_FILES)
	@echo "Lint: no findings"

format: ## Format all Swift files in place
	@swift format --in-place --parallel --recursive $(SWIFT_FILES)

fuzz: setup-build ## Fuzz each parser for FUZZ_SECONDS (60) seconds; findings go to fixtures/crashes
	@FUZZ_SECONDS=$(FUZZ_SECONDS) Tests/Fuzz/run.sh

fuzz-api: build ## Fuzz the HTTP interface with schemathesis, out of its own OpenAPI document
	@if ! cmp -s Tests/Fuzz/requirements.txt .venv-api/requirements.txt; then \
	  /usr/bin/python3 -m venv --clear .venv-api; \
	  .venv-api/bin/python -m pip install --quiet --disable-pip-version-check -r Tests/Fuzz/requirements.txt; \
	  cp Tests/Fuzz/requirements.txt .venv-api/requirements.txt; \
	fi
	@Tests/Fuzz/api.sh $(SIGHTLINE) $(FUZZ_EXAMPLES)

sanitize-address: setup-build ## Run the unit tests of floors 0 to 3 with AddressSanitizer
	@LSAN_OPTIONS=suppressions=$(CURDIR)/Tests/leak-suppressions.txt:print_suppressions=0 \
	  $(CORES) $(SANITIZER_WIDTH) swift test --sanitize=address --scratch-path .build-asan --disable-xctest --skip ArchitectureTests

sanitize-thread: setup-build ## Run the unit tests of floors 0 to 3 with ThreadSanitizer
	@$(CORES) $(SANITIZER_WIDTH) swift test --sanitize=thread --scratch-path .build-tsan --disable-xctest --skip ArchitectureTests

bench: build setup-tests ## Measure what forwarding a packet costs, beside a bare C loop and Janus where that is installed
	@$(PYTHON) Tests/Benchmarks/forwarding.py $(SIGHTLINE) $(BENCH_ARGUMENTS)

bench-loss: build setup-tests ## Measure what a bad link leaves of a call in Chromium, beside Janus where that is installed
	@$(PYTHON) Tests/Benchmarks/loss.py $(SIGHTLINE) $(BENCH_ARGUMENTS)

bench-metadata: build setup-tests ## Measure 1,000 clients of the metadata channel, and durable events beside the bare disk
	@$(PYTHON) Tests/Benchmarks/metadata.py $(SIGHTLINE) $(BENCH_ARGUMENTS)

bench-recording: build setup-tests ## Measure 100 calls recorded, not recorded, and with a disk that stands still
	@$(PYTHON) Tests/Benchmarks/recording.py $(SIGHTLINE) $(BENCH_ARGUMENTS)

bench-replay: build setup-tests ## Measure how soon a replay of an hour starts and seeks, over HTTP and in Chromium
	@$(PYTHON) Tests/Benchmarks/replay.py $(SIGHTLINE) $(BENCH_ARGUMENTS)

bench-archive: build setup-tests ## Measure search over 100,000 incidents, beside a plain scan with SQLite's LIKE
	@$(PYTHON) Tests/Benchmarks/archive.py $(SIGHTLINE) $(BENCH_ARGUMENTS)

clean: ## Remove all that was built
	@rm -rf .build .build-* .venv
