#!/usr/bin/env bash
# Takes all figures of docs/benchmarks.md again, in its order, into one report. It wants a machine
# that does nothing else, and some 20 minutes.  scripts/bench-docs.sh [REPORT]
set -uo pipefail
cd "$(dirname "$0")/.."
report=${1:-bench-docs.txt}
failed=0
take() { # a title, and the command whose figures belong to it
  local title=$1
  shift
  printf '\n== %s\n$ %s\n' "$title" "$*"
  "$@" || { failed=1; echo "FAILED: $*"; }
}
bench() { # package, names, more flags
  local package=$1 names=$2
  shift 2
  take "$names" go test -run '^$' -bench "$names" -benchmem "$@" "$package"
}
{
  echo "$(date -u +%F), $(nproc) cores, load $(cut -d' ' -f1-3 /proc/loadavg), $(git describe --always)"
  take build make build
  take "a three-broker cluster" bash scripts/measure.sh
  bench ./internal/store/zkstore . -benchtime 1x
  bench ./api/server 'ReadsWhile|SlowSockets' -benchtime 1x
  bench ./api/server LargePlan
  for n in 100 1000 10000; do
    take "$n simulated pods" env PODS="$n" AGENTS="$n" bash scripts/scale.sh
  done
  bench ./internal/localmesos Simulated -benchtime 1x
  bench ./internal/mesoshttp Decode
  bench ./servicespec 'LoadKafkaSpec|LoadLargeSpec'
  bench ./servicespec/placement Placement
  bench ./scheduler OfferCycle
  bench ./scheduler 'Deploy$' -benchtime 1x
  bench ./scheduler HeapPerTask -benchtime 1x
  bench ./internal/loop LoopDeploy -benchtime 1x
  bench ./internal/loop Restart -benchtime 3x
  bench ./scheduler/offer 'Evaluate|IndexReject|OnePod|Explain|Return'
  take "simulated lives" make sim SEEDS=1000
} 2>&1 | tee "$report"
exit "$failed"
