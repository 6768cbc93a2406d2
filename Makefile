# Two commands: `make run` starts a fleet on this machine, `make test` checks
# everything. Both install what is missing, by name, after saying so.
# Needed beforehand: Rust (rustup or cargo) and make.

# One profile for both, so that nothing is built twice.
PROFILE ?= release

.PHONY: run test test-aws bench examples setup-run setup-test

run: setup-run
	@scripts/run $(PROFILE)

test: setup-test
	@cargo xtask check --profile $(PROFILE)

# Apart from the rest: the library for EC2 takes minutes and 8 GB to compile,
# and longer still when it is optimized.
test-aws:
	@scripts/test-aws

bench: setup-test
	@cargo xtask bench

examples: setup-run
	@$(MAKE) --no-print-directory -C examples

setup-run:
	@scripts/setup run

setup-test:
	@scripts/setup test
	@$(MAKE) --no-print-directory -C examples
