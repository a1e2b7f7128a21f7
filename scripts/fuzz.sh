#!/usr/bin/env bash
# Runs each fuzz target of the module for the time given (default 30s), in turn and out of the way
# of other work. What a target finds is kept in testdata/fuzz of its package.
set -euo pipefail
for package in $(go list ./...); do
  for target in $(go test -list '^Fuzz' "$package" | grep '^Fuzz' || true); do
    echo "== $package $target"
    nice -n 15 go test -run '^$' -fuzz "^$target\$" -fuzztime "${1:-30s}" -fuzzminimizetime 5s \
      "$package"
  done
done
