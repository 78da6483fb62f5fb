#!/bin/bash
# One caller with many viewers on this machine: the server on core 0, the load generator on core 1, first Sightline, then
# Janus when Debian's package is installed (`apt-get install janus`), both under the same load generator.
# Usage: Tests/Benchmarks/run.sh PROGRAM [options of `sightline load`]; 100 viewers for 60 s unless they say otherwise.
set -euo pipefail
program=$1
shift
here=$(cd "$(dirname "$0")" && pwd)

folder=$(mktemp --directory)
server=
finish() {
  if [[ -n $server ]]; then kill "$server" 2>/dev/null || true; fi
  rm -rf "$folder"
}
trap finish EXIT

# wait_for CONDITION…: until the command succeeds or the server has died, at most 10 s.
wait_for() {
  for _ in {1..100}; do
    if "$@" >/dev/null 2>&1; then return; fi
    kill -0 "$server" || { echo "the server did not start" >&2; exit 1; }
    sleep 0.1
  done
  echo "the server was not ready within 10 s" >&2
  exit 1
}

stop_server() {
  kill "$server"
  wait "$server" 2>/dev/null || true
  server=
}

mkdir -p artifacts
load=(taskset --cpu-list 1 "$program" load --callers 1 --viewers 100 --duration 60)

taskset --cpu-list 0 "$program" demo --no-caller --no-phone --json --port 0 --data "$folder/node" >"$folder/demo.json" &
server=$!
wait_for test -s "$folder/demo.json"
"${load[@]}" --demo-json "$folder/demo.json" --pid "$server" --report artifacts/benchmark.html "$@"
stop_server
echo "Plots: artifacts/benchmark.html"

if command -v janus >/dev/null; then
  # libnice gathers no loopback address, so Janus is measured on the machine's own.
  address=$(hostname --all-ip-addresses | tr ' ' '\n' | grep --max-count=1 '\.' || true)
  if [[ -z $address ]]; then echo "no IPv4 address for Janus: it is left out" >&2; exit; fi
  "$here/janus_config.sh" "$folder/janus" "$address"
  taskset --cpu-list 0 janus --configs-folder="$folder/janus" --disable-colors >"$folder/janus.log" 2>&1 &
  server=$!
  wait_for curl --silent --fail http://127.0.0.1:18088/janus/info
  "${load[@]}" --janus http://127.0.0.1:18088/janus --local-address "$address" --pid "$server" \
    --report artifacts/benchmark-janus.html "$@"
  echo "Plots: artifacts/benchmark-janus.html"
fi
