#!/usr/bin/env bash
# Deploys PODS pods on AGENTS simulated agents through the real wire, kills the scheduler twice, and
# prints what it took.
# STATE=zk://… keeps the state there instead of in a file. Needs bin/kafka-sched (make build).
set -euo pipefail
cd "$(dirname "$0")/.."
pods=${PODS:-10000} agents=${AGENTS:-10000} limit=${LIMIT:-300}
ks=${KAFKA_SCHED:-$PWD/bin/kafka-sched}
[ -x "$ks" ] || make build
work=$(mktemp -d)
export KAFKA_SCHED_HOME=$work/home
state=()
[ -z "${STATE:-}" ] || state=(--state "$STATE")
mesos=
figure() { printf '%-52s %s\n' "$1" "$2"; }
finish() {
  local begun
  begun=$(now)
  if "$ks" uninstall --name many --yes --timeout "${limit}s" >"$work/uninstall.log" 2>&1; then
    figure "uninstalled again" "$(seconds "$begun" "$(now)") s"
  else
    tail -n 3 "$work/uninstall.log"
    pkill -f -- "keep --name many --home $KAFKA_SCHED_HOME" || true # this run's keeper alone
  fi
  [ -z "$mesos" ] || { kill "$mesos" && wait "$mesos"; } 2>/dev/null || true
  rm -rf "$work"
}
trap finish EXIT

cat >"$work/many.yml" <<SPEC
name: many
pods:
  web:
    count: $pods
    tasks:
      server:
        goal: RUNNING
        cmd: ./serve
        cpus: 0.5
        memory: 256
        readiness-check: {cmd: ./ready, interval: 5, timeout: 5}
plans:
  deploy:
    strategy: parallel
    phases:
      web: {strategy: parallel, pod: web}
SPEC
free_port() { python3 -c 'import socket
s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
master=127.0.0.1:$(free_port)
"$ks" localmesos --agents "$agents" --simulate --zones 3 --racks 40 --listen "$master" \
  >"$work/mesos.log" 2>&1 &
mesos=$!
until curl -sf -o /dev/null "http://$master/health"; do
  kill -0 "$mesos" || { cat "$work/mesos.log"; exit 1; }
  sleep 0.2
done

now() { date +%s%N; }
seconds() { awk -v a="$1" -v b="$2" 'BEGIN{printf "%.1f", (b-a)/1e9}'; }
cpu() { awk -v hz="$(getconf CLK_TCK)" '{printf "%.1f", ($14+$15)/hz}' "/proc/$1/stat"; }
mib() { awk -v key="$2:" '$1 == key {printf "%d", $2/1024}' "/proc/$1/status"; }
begun=$(now)
timeout "$((limit + 60))" "$ks" install --name many --master "http://$master" \
  -f "$work/many.yml" --timeout "${limit}s" --quiet "${state[@]}" >"$work/install.log" 2>&1 &
install=$!
announced=$work/home/many/scheduler/scheduler.json
pid() { sed 's/.*"pid":\([0-9]*\).*/\1/' "$announced"; }
until [ -s "$announced" ]; do
  kill -0 "$install" || { cat "$work/install.log"; exit 1; }
  sleep 0.05
done
ready=$(now) status=0
scheduler=$(pid)
wait "$install" || { status=$?; tail -n 3 "$work/install.log"; }
ended=$(now)
[ -z "${KEEP_LOG:-}" ] || cp "$work"/home/many/scheduler/scheduler.log "$work/mesos.log" "$KEEP_LOG"
figure "pods, agents" "$pods, $agents"
figure "until the scheduler answers" "$(seconds "$begun" "$ready") s"
figure "from then until all pods are ready" "$(seconds "$ready" "$ended") s"
figure "pods/s" "$(awk -v n="$pods" -v t="$(seconds "$ready" "$ended")" 'BEGIN{printf "%.0f", n/t}')"
for p in "scheduler $scheduler" "simulated-Mesos $mesos"; do
  figure "${p% *}: processor" "$(cpu "${p#* }") s"
  figure "${p% *}: resident memory, most and now" \
    "$(mib "${p#* }" VmHWM) MiB, $(mib "${p#* }" VmRSS) MiB"
done
sleep "${STEADY:-50}"
figure "scheduler: resident memory ${STEADY:-50} s later" "$(mib "$scheduler" VmRSS) MiB"
# A scheduler that is killed is started again by the cluster's keeper: as it has announced itself it
# is ready, and it logs when it has heard of all tasks.
log=$work/home/many/scheduler/scheduler.log
restarted() { again=$(pid) && [ "$again" != "$scheduler" ]; }
reconciled() { grep -c 'all tasks are reconciled' "$log" || true; }
all_found() { [ "$(reconciled)" -gt "$found" ]; }
await() {
  local end=$((SECONDS + limit))
  until "$1"; do
    [ "$SECONDS" -lt "$end" ] || { echo "$1: not within $limit s"; tail -n 3 "$log"; exit 1; }
    sleep 0.05
  done
}
for time in first second; do
  found=$(reconciled) begun=$(now)
  kill -KILL "$scheduler"
  await restarted
  ready=$(now) scheduler=$again
  await all_found
  figure "killed the $time time: ready, and all tasks found, after" \
    "$(seconds "$begun" "$ready") s, $(seconds "$begun" "$(now)") s"
done
exit "$status"
