# Doorward's commands. Each target's work stands in tools/ or bench/; each installs what it needs where it is missing.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help run test release bench conformance soak lint tidy format deb clean

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /  make \1	/p' Makefile | expand -t 22

run: ## build, start the gateway with a demo tenant on loopback, send it real mails, show the verdicts
	@tools/install-packages build
	@tools/demo

test: ## build everything with sanitizers and run all tests
	@tools/run-tests

release: ## the optimised program alone: build/release/src/doorward
	@tools/install-packages build
	@tools/build release doorward

bench: ## Doorward and its peers side by side: mails/s, CPU, latency, memory
	@tools/install-packages build bench
	@tools/build release doorward load_generator sign_mails centre_load
	@bench/run.py
	@bench/reputation.py
	@bench/centre.py

conformance: ## one line a conformance suite
	@tools/conformance

soak: ## the long runs: 1,000 kills, a million queued mails, each fuzz target ten minutes
	@tools/soak

lint: ## formatting, order of the rooms, scripts, clang-tidy
	@tools/lint

tidy: ## clang-tidy over all of src/, however long it takes (lint stops after some minutes)
	@tools/install-packages lint build test
	@tools/tidy

format: ## clang-format over all C++ sources
	@tools/install-packages lint
	@git ls-files '*.h' '*.cpp' | xargs clang-format-19 -i

deb: ## the Debian package: build/doorward_VERSION_ARCH.deb
	@tools/install-packages build deb
	@packaging/build-deb

clean: ## remove everything that was built
	rm -rf build
