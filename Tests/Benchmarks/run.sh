#!/bin/bash
# One caller with many viewers on this machine: the server on core 0, the load generator on core 1, over loopback.
# Usage: Tests/Benchmarks/run.sh PROGRAM [options of `sightline load`]; 100 viewers for 60 s unless they say otherwise.
set -euo pipefail
program=$1
shift

folder=$(mktemp --directory)
server=
finish() {
  if [[ -n $server ]]; then kill "$server" 2>/dev/null || true; fi
  rm -rf "$folder"
}
trap finish EXIT

taskset --cpu-list 0 "$program" demo --no-caller --no-phone --json --port 0 --data "$folder/node" >"$folder/demo.json" &
server=$!
for _ in {1..100}; do
  [[ ! -s $folder/demo.json ]] || break
  kill -0 "$server" || { echo "the server did not start" >&2; exit 1; }
  sleep 0.1
done

mkdir -p artifacts
taskset --cpu-list 1 "$program" load --demo-json "$folder/demo.json" --pid "$server" --callers 1 --viewers 100 \
  --duration 60 --report artifacts/benchmark.html "$@"
echo "Plots: artifacts/benchmark.html"
