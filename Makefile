# kafka-sched: what a developer or an operator runs. `make help` lists it.
VERSION := $(shell git describe --tags --always 2>/dev/null || echo dev)
LDFLAGS := -s -w -X main.version=$(VERSION)
GO      ?= go
FUZZTIME ?= 30s

# figures runs a test of a package with flags, and prints the figures that it leaves last.
define figures
summary=$$(mktemp); nice -n 5 $(GO) test -count=1 -timeout 60m $(1) -run '$(2)' $(if $(V),-v) \
	-args $(3) -summary "$$summary"; status=$$?; cat "$$summary"; rm -f "$$summary"; exit $$status
endef

.DEFAULT_GOAL := help
.PHONY: help deps build executors check unit test e2e e2e-long soak fuzz bench bench-docs scale cover api-conformance conformance roll-safety sim crashpoints faults mutants demo clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## /{printf "  %-15s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

deps: ## install Java, Maven and ZooKeeper from packages where they are missing
	@bash scripts/deps.sh

build: ## build bin/kafka-sched
	CGO_ENABLED=0 $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o bin/kafka-sched .

# PLATFORMS="linux/arm64 …": executors for agents on other machines, see kafka-sched install --executor.
PLATFORMS ?= linux/amd64 linux/arm64
executors: ## build bin/kafka-sched-OS-ARCH for each of PLATFORMS
	@for p in $(PLATFORMS); do echo "bin/kafka-sched-$${p%/*}-$${p#*/}"; \
		CGO_ENABLED=0 GOOS=$${p%/*} GOARCH=$${p#*/} $(GO) build -trimpath -ldflags '$(LDFLAGS)' \
		-o "bin/kafka-sched-$${p%/*}-$${p#*/}" . || exit 1; done

check: ## formatting, vet, house rules, linter
	@unformatted=$$(gofmt -l .); [ -z "$$unformatted" ] || { echo "gofmt: $$unformatted" >&2; exit 1; }
	$(GO) vet -tags 'e2e long soak' ./...
	$(GO) tool staticcheck ./...
	$(GO) test -count=1 ./internal/tidy

# Packages whose tests start nothing and do not mind what else runs. Most have no goroutine (internal/tidy
# sees to that), so that the race detector would find nothing there.
QUIET := ^[^/]*/[^/]*/[^/]*/(scheduler|servicespec|plans|executor$$|internal/(sim|apiconform|tidy|resource|mesos|flight|faults|mutants)$$)
RACES := /(executor|internal/(apiconform|flight))$$

unit: ## all tests that need no broker, with the race detector where there is anything to race
	$(GO) test $$($(GO) list ./... | grep -E '$(QUIET)' | grep -Ev '$(RACES)')
	$(GO) test -race $$($(GO) list ./... | grep -E '$(RACES)')
	$(GO) test -race -p 1 $$($(GO) list ./... | grep -Ev '$(QUIET)') # in turn, as many start processes
	$(GO) test -run BehindCuts ./internal/store/zkstore # where go-zookeeper races with itself

e2e: ## the end-to-end tests on real brokers
	$(GO) test -tags e2e -count=1 -timeout 30m -v ./internal/e2e
	$(GO) test -tags e2e -count=1 -timeout 10m ./internal/brokers ./internal/kafkadist

e2e-long: ## those of the end-to-end tests that continuous integration has no time for
	$(GO) test -tags 'e2e long' -count=1 -timeout 150m -v ./internal/e2e \
		-run '^(TestOlderKafka|TestKafkaZooKeeperExample|TestEnsembleGrows|TestSecureEnsemble|TestForeignEnsemble|TestCutOff|TestTakeoverOfMany|TestUpgrade|TestAnotherJava|TestSelfUpgradeInZooKeeper|TestRolled|TestMigrate|TestMigrateBack|TestMigrateThenUpgrade|TestChain|TestBrokerMoves|TestControllersGrow|TestDayByDay|TestRollTimes)$$'

test: deps unit e2e ## all tests; installs what they need where it may

soak: ## faults one after the other for FOR=30m, drawn by SEED=1, on brokers under load
	$(GO) test -tags 'e2e soak' -count=1 -timeout 6h -v ./internal/e2e -run '^TestSoak$$' \
		-for $(or $(FOR),30m) -seed $(or $(SEED),1) -report "$(abspath $(or $(REPORT),soak.md))"

fuzz: ## each fuzz target for FUZZTIME
	@bash scripts/fuzz.sh $(FUZZTIME)

bench: ## Go benchmarks, and the measurements of docs/benchmarks.md
	$(GO) test -run '^$$' -bench . -benchmem ./...
	@bash scripts/measure.sh

bench-docs: ## all figures of docs/benchmarks.md, in a quiet hour, into bench-docs.txt
	@bash scripts/bench-docs.sh

# STATE=zk://host:port/path keeps the scheduler's state there.
scale: build ## deploy PODS pods on AGENTS simulated agents, and print what it took
	@PODS=$(or $(PODS),10000) AGENTS=$(or $(AGENTS),10000) STATE=$(STATE) bash scripts/scale.sh

cover: ## test coverage into coverage.out
	$(GO) test -coverprofile coverage.out ./... && $(GO) tool cover -func coverage.out | tail -1

# FILES="a.jsonl b.jsonl" replays these instead of the copied recordings.
api-conformance: ## the predecessor's recorded answers against ours: FILES="a.jsonl …"
	@$(call figures,./internal/apiconform,TestConformance$$,-strict -files "$(abspath $(FILES))" \
		-filter "$(FILTER)" -show "$(SHOW)" -report "$(abspath $(REPORT))")

# FILES="a.jsonl b.jsonl" replays these instead, and leaves docs/mesos-conformance.md alone.
conformance: ## what a real Mesos did against what localmesos does: FILES="a.jsonl …"
	@$(call figures,./internal/mesosconform,TestConformance$$,-all -files "$(abspath $(FILES))" \
		-show "$(or $(SHOW),0)" -trace "$(abspath $(TRACE))")

# THOROUGH=n compares each n-th seed with a machine that looks at everything; 1 does so for all.
sim: ## SEEDS=n worlds from SEED=s on, each with faults at random
	@$(call figures,./internal/sim,TestSim$$,-seeds=$(or $(SEEDS),500) -first=$(or $(SEED),1) \
		$(addprefix -thorough=,$(THOROUGH)))

crashpoints: ## crash at each write and each call of the main courses
	@$(call figures,./internal/sim,TestCrashPoints$$,-every-point)

faults: ## the faults and the complaints that were thought of, each with its tests
	@$(call figures,./internal/faults,TestFaults$$,)

# CLUSTERS=N as many clusters, SEED=S from this one on.
roll-safety: ## roll random Kafka clusters while things fail: CLUSTERS=100000 SEED=1
	@$(call figures,./scheduler/rolling,TestRollSafety,-clusters=$(or $(CLUSTERS),100000) -seed=$(or $(SEED),1))

mutants: ## plant bugs one at a time: the tests have to find each
	@$(call figures,./internal/mutants,TestMutants$$,-apply -only "$(ONLY)")

demo: deps build ## a three-broker Kafka cluster on this machine
	bin/kafka-sched install
	bin/kafka-sched status
	bin/kafka-sched endpoints broker --json | $(GO) run ./examples/roundtrip
	@echo "try it yourself: bin/kafka-sched endpoints broker --json | go run ./examples/roundtrip -messages 10"

clean: ## remove what was built
	rm -rf bin coverage.out
