# Every task of the project; CI runs nothing else.
.DEFAULT_GOAL := help
SHELL := /bin/bash

VERSION := $(shell sed -n '/^version = /{s/.*"\(.*\)"/\1/p;q}' Cargo.toml)
REVISION = $(shell git rev-parse HEAD 2> /dev/null || echo unknown)
CONTAINER_ENGINE ?= $(firstword $(foreach engine,podman docker,$(if $(shell command -v $(engine)),$(engine))))

# The version is part of the path, so that a new one is installed by itself.
CARGO_DENY_VERSION := 0.20.2
CARGO_DENY := .tools/cargo-deny-$(CARGO_DENY_VERSION)/bin/cargo-deny

CARGO_FUZZ_VERSION := 0.13.2
CARGO_FUZZ := .tools/cargo-fuzz-$(CARGO_FUZZ_VERSION)/bin/cargo-fuzz
# How long each target runs.
FUZZ_SECONDS ?= 60

.PHONY: help
help: ## Show these targets
	@sed -n 's/^\([a-z-]*\):[^#]*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 17

.PHONY: demo
demo: build-tools ## Run silenced over this repository's silences/ with an Alertmanager in memory
	cargo run --locked -- demo

.PHONY: test
test: tools ## Run every test
	cargo test --locked

# A variable from the command line alone: VERSION is this file's too, and shells
# set USERNAME.
GIVEN = $(if $(filter command line,$(origin $(1))),$($(1)))

# For a server that other people use; see CONTRIBUTING.md.
.PHONY: contract
contract: build-tools ## Hold a live server to the contract suite: URL= KIND= TOKEN_FILE= ...
	@test -n "$(URL)" || { echo "make contract: which server? For example: make contract URL=http://localhost:9093 KIND=alertmanager" >&2; exit 2; }
	@CONTRACT_URL='$(URL)' CONTRACT_KIND='$(KIND)' CONTRACT_TOKEN_FILE='$(abspath $(TOKEN_FILE))' CONTRACT_USERNAME='$(call GIVEN,USERNAME)' \
		CONTRACT_PASSWORD_FILE='$(abspath $(PASSWORD_FILE))' CONTRACT_TENANT='$(TENANT)' CONTRACT_DATASOURCE_UID='$(DATASOURCE_UID)' \
		CONTRACT_CA_FILE='$(abspath $(CA_FILE))' CONTRACT_VERSION='$(call GIVEN,VERSION)' \
		cargo test --quiet --locked --test it -- contract::live::the_server_of_the_environment --exact --nocapture

.PHONY: bless
bless: tools ## Accept the tests' present output as the expected one
	UPDATE_EXPECT=1 cargo test --locked

SOAK_DAYS ?= 10000

.PHONY: soak
soak: build-tools ## Simulate SOAK_DAYS days of bad weather; SEED=n begins with that episode
	CARGO_PROFILE_TEST_OPT_LEVEL=2 SOAK_DAYS=$(SOAK_DAYS) cargo test --locked --test it \
		--target-dir target/soak -- simulation::days_in_any_weather --exact --nocapture

.PHONY: bench
bench: bench-schedules bench-passes bench-targets ## Measure everything beside other programs and print the tables

.PHONY: bench-schedules
bench-schedules: ## Measure schedules: time zones, expansion
	@tests/install-tools.sh benches
	cargo bench --manifest-path benches/Cargo.toml --bench time

.PHONY: bench-passes
bench-passes: ## Measure passes on real Alertmanagers; ARGUMENTS=memory for one table
	@tests/install-tools.sh benches
	cargo build --locked --release
	cargo bench --manifest-path benches/Cargo.toml --bench passes -- $(ARGUMENTS)

.PHONY: bench-targets
bench-targets: build-tools ## Measure 1,000 targets in memory; ARGUMENTS=tenants for one shape
	cargo build --locked --release --bin silenced --example fleet
	cargo bench --manifest-path benches/Cargo.toml --bench targets -- $(ARGUMENTS)

.PHONY: fuzz
fuzz: tools $(CARGO_FUZZ) ## Feed arbitrary input to the readers and to expansion, FUZZ_SECONDS=60 each
	@$(call FUZZ,cron)
	@$(call FUZZ,schedules)
	@$(call FUZZ,zones,.tools/zones-*/tzdata/zoneinfo)
	@$(call FUZZ,declarations,silences)

# Target, directories with inputs to begin from. Sanitizers are unstable, so the
# stable compiler has to be told that this is meant.
FUZZ = mkdir -p fuzz/corpus/$(1) && RUSTC_BOOTSTRAP=1 PATH=$(abspath $(dir $(CARGO_FUZZ))):$$PATH \
	cargo fuzz run $(1) fuzz/corpus/$(1) $(2) -- -max_total_time=$(FUZZ_SECONDS) -timeout=10 -max_len=4096 -len_control=0

.PHONY: check
check: build-tools $(CARGO_DENY) ## Format, lints, the core alone, documentation, dependencies
	cargo fmt --check
	cargo fmt --check --manifest-path benches/Cargo.toml
	cargo fmt --check --manifest-path fuzz/Cargo.toml
	cargo clippy --locked --all-targets -- -D warnings
	cargo clippy --locked --lib --no-default-features -- -D warnings
	$(CARGO_DENY) --log-level error check bans licenses sources
	$(CARGO_DENY) --log-level error --all-features check licenses sources
	$(MAKE) --no-print-directory doc

.PHONY: doc
doc: build-tools ## Build the library's documentation; a broken link is an error
	RUSTDOCFLAGS="-D warnings" cargo doc --locked --no-deps --document-private-items

.PHONY: image
image: ## Build the container image with podman or docker
	@test -n "$(CONTAINER_ENGINE)" || { echo "make image: neither podman nor docker is installed" >&2; exit 1; }
	$(CONTAINER_ENGINE) build $(IMAGE_OPTIONS) -f deploy/Dockerfile -t silenced:$(VERSION) \
		--label org.opencontainers.image.version=$(VERSION) \
		--label org.opencontainers.image.revision=$(REVISION) .

.PHONY: tools
tools: ## Install what the tests need (Debian packages, and .tools/)
	@tests/install-tools.sh

.PHONY: build-tools
build-tools:
	@tests/install-tools.sh build

$(CARGO_DENY):
	cargo install --quiet --locked --root $(@:/bin/cargo-deny=) --version $(CARGO_DENY_VERSION) cargo-deny

$(CARGO_FUZZ):
	cargo install --quiet --locked --root $(@:/bin/cargo-fuzz=) --version $(CARGO_FUZZ_VERSION) cargo-fuzz
