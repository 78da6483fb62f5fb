#!/bin/bash
# Fuzzes the HTTP interface with schemathesis, out of /openapi.json, as an operator, an admin and an integration.
#
# The server runs on a free port of the loopback with a folder of its own, and ends with this script. Not looked at here:
# `ignored_auth`, since rights are enumerated by Tests/Interop/test_permissions.py and guessers get 429, and
# `positive_data_acceptance`, since a description that is right can be refused by the state that an incident is in; paths
# with bodies that are no JSON; and AML, whose reports are answered with 200 whatever is in them.
set -euo pipefail
cd "$(dirname "$0")/../.."

program=$1
examples=${2:-30}
data=$(mktemp --directory)
"$program" demo --json --port 0 --no-phone --no-caller --data "$data" > "$data/ready.json" 2> "$data/service.log" &
server=$!
trap 'kill "$server" 2>/dev/null || true; wait "$server" 2>/dev/null || true; rm -rf "$data"' EXIT
for _ in $(seq 100); do
  [[ -s $data/ready.json ]] && break
  sleep 0.1
done

read_json() { python3 -c 'import json, sys; v = json.load(open(sys.argv[1]))
for name in sys.argv[2:]: v = v[name]
print(v)' "$data/ready.json" "$@"; }

base=$(read_json base)
failures=0
for role in operator admin integration; do
  echo "As $role:"
  .venv-api/bin/st run "$base/openapi.json" --header "Authorization: Bearer $(read_json accounts "$role" token)" \
    --max-examples "$examples" --workers 1 --suppress-health-check all --exclude-path-regex '^/(assets|whip|whep)|/files$|^/api/v1/aml$' \
    --exclude-checks ignored_auth,positive_data_acceptance --warnings off || failures=$((failures + 1))
done
kill -0 "$server" || { echo "The server ended by itself: see $data/service.log" >&2; exit 1; }
grep --quiet '^ready$' <(curl --silent "$base/readyz") || { echo "The server is not ready any more" >&2; exit 1; }
exit "$failures"
