#!/usr/bin/env bash
# Takes the measurements of docs/benchmarks.md on a cluster of its own: three brokers with the
# default options, on the embedded Mesos. Needs bin/kafka-sched (make build).
set -euo pipefail
cd "$(dirname "$0")/.."
[ -x bin/kafka-sched ] || make build
export KAFKA_SCHED_HOME
KAFKA_SCHED_HOME=$(mktemp -d)
ks() { bin/kafka-sched "$@" --name measure; }
trap 'ks uninstall --yes >/dev/null 2>&1 || true; rm -rf "$KAFKA_SCHED_HOME"' EXIT
now() { date +%s%N; }
seconds() { awk -v a="$1" -v b="$2" 'BEGIN{printf "%.1f", (b-a)/1e9}'; }

ks install --quiet >/dev/null # warms the cache
ks uninstall --yes >/dev/null
for run in 1 2 3; do
  [ "$run" = 1 ] || ks uninstall --yes >/dev/null
  t0=$(now); ks install --quiet >/dev/null; t1=$(now)
  echo "install, warm cache, run $run: $(seconds "$t0" "$t1") s"
done

pids() { # processes of this cluster whose command line has the word
  local p line where
  for p in /proc/[0-9]*; do
    line=$({ tr '\0' ' ' <"$p/cmdline"; } 2>/dev/null) || continue
    where=$(readlink "$p/cwd" 2>/dev/null) || continue
    case "$line" in *"$1"*) ;; *) continue ;; esac
    case "$line $where" in *"$KAFKA_SCHED_HOME"*) echo "${p#/proc/}" ;; esac
  done
}
daemons() { for word in "kafka-sched scheduler" "kafka-sched localmesos" "kafka-sched executor"; do
  pids "$word"; done; }
rss() { awk '/VmRSS/{print $2}' "/proc/$1/status"; }
ticks() { local sum=0 p; for p in $(daemons); do
  sum=$((sum + $(awk '{print $14+$15}' "/proc/$p/stat"))); done; echo "$sum"; }

sleep 30
for word in scheduler localmesos executor keep; do
  for p in $(pids "kafka-sched $word"); do
    echo "resident memory of a $word: $(awk -v k="$(rss "$p")" 'BEGIN{printf "%.1f", k/1024}') MiB"
  done
done
a=$(ticks); sleep 60; b=$(ticks)
echo "CPU of scheduler, localmesos and executors, idle, over 60 s:" \
  "$(awk -v a="$a" -v b="$b" -v hz="$(getconf CLK_TCK)" 'BEGIN{printf "%.2f", (b-a)/hz/60*100}') %"

whole() { ks status --json | python3 -c '
import json, sys
s = json.load(sys.stdin)
ok = all(p["status"] == "COMPLETE" for p in s["plans"]) and len(s["kafka"]["brokers"]) == 3
ok = ok and all(p.get("broker") and not p["broker"].get("fenced") and
  not p["broker"].get("not_in_sync") for p in s["pods"])
ids = [t["id"] for p in s["pods"] for t in p["tasks"] if p["name"] == "kafka-1"]
sys.exit(0 if ok and ids[0] != (sys.argv[1] if len(sys.argv) > 1 else "") else 1)' "$@"; }
for run in 1 2 3; do
  id=$(ks status --json | python3 -c '
import json, sys
print([t["id"] for p in json.load(sys.stdin)["pods"] for t in p["tasks"] if p["name"] == "kafka-1"][0])')
  executor=$(ks status --json | python3 -c '
import json, sys
print([t["executor_id"] for p in json.load(sys.stdin)["pods"] for t in p["tasks"]
  if p["name"] == "kafka-1"][0])')
  for p in $(pids kafka.Kafka); do
    case "$(readlink "/proc/$p/cwd")" in *"$executor"*) broker=$p ;; esac
  done
  t0=$(now); kill -9 "$broker"
  until whole "$id"; do sleep 0.1; done
  echo "SIGKILL of a broker to full ISR, run $run: $(seconds "$t0" "$(now)") s"
done
t0=$(now); ks stop >/dev/null; t1=$(now); ks start >/dev/null; t2=$(now)
echo "stop: $(seconds "$t0" "$t1") s, start: $(seconds "$t1" "$t2") s"
t0=$(now); ks uninstall --yes >/dev/null
echo "uninstall: $(seconds "$t0" "$(now)") s"
