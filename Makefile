# The two commands of the README are `make run` and `make test`; the rest is for people who change the code.
.PHONY: run test release dev asan tsan fuzz layers docs docs-check model bench bench-expr format clean packages-run packages-test packages-bench soak bench-policies coverage differential robustness odd
.NOTPARALLEL:

run: packages-run release
	@tools/run_example.sh

test: packages-run packages-test
	@tools/test.sh

packages-run packages-test packages-bench: packages-%:
	@tools/packages.sh $*

release dev asan tsan fuzz ucontext:
	@[ build/$@/build.ninja -nt CMakePresets.json ] || cmake --preset $@ >build-$@.log 2>&1 || { cat build-$@.log; rm -f build-$@.log; exit 1; }
	@rm -f build-$@.log
	@cmake --build --preset $@ -- --quiet

layers:
	@tools/layers.sh

docs: release
	@build/release/headgate docs docs/reference

docs-check: release
	@tests/suite/docs.sh build/release

# Three nodes and a Redis against a model, for longer than in `make test`: make model MINUTES=10 SEED=7
model: packages-run packages-test release
	@tests/suite/model-redis.sh build/release $${SEED:-$$(date +%s)} $${MINUTES:-10}

# Random expressions against C#, MINUTES long, from SEED on.
MINUTES ?= 60
SEED ?= 1000
differential: packages-test release
	@tests/suite/differential.sh build/release --minutes $(MINUTES) --seed $(SEED)

# Programs that nobody would write, against an end of the process.
odd: packages-test release
	@tests/odd/odd.py build/release/headgate --seconds $$(($(MINUTES) * 60)) --seed $(SEED)

bench: packages-run packages-bench release
	@bench/run.sh

bench-expr: packages-run packages-bench release
	@bench/expr/run.sh

# Everything at once for MINUTES, with the memory at start, after the warm-up and at the end. No part of `make test`.
soak: packages-run packages-test release
	@tests/hostile/soak.py build/release $${MINUTES:-10}

# Targets for floods, slow clients, publishes and upgrades, measured on a quiet machine: PARTS="floods slow changes". No part of `make test`.
robustness: packages-run packages-test packages-bench release
	@cmake --build build/release --target bench_gen bench_backend bench_slow bench_ceil_epoll -- --quiet
	@tests/hostile/robustness.py build/release $(PARTS)

bench-policies: packages-run release
	@bench/policies/run.sh

coverage: packages-run packages-test
	@tools/coverage.sh

format:
	@git ls-files 'src/*.[ch]' 'tests/*.[ch]' 'bench/src/*.c' | xargs clang-format -i

clean:
	rm -rf build
