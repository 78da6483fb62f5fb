#!/bin/bash
# Fuzzes each parser for FUZZ_SECONDS, or only those named: Tests/Fuzz/run.sh [target…].
# Seeds are in fixtures/seeds; the corpus grows in .build-fuzz; what breaks a parser is kept in fixtures/crashes,
# where FuzzRegressionTests replays it from then on.
set -euo pipefail
cd "$(dirname "$0")/../.."
seconds=${FUZZ_SECONDS:-60}
build=.build-fuzz

echo "Building the fuzzer"
SIGHTLINE_FUZZ=1 swift build -c release --scratch-path "$build" --product Fuzz --quiet
program=$(SIGHTLINE_FUZZ=1 swift build -c release --scratch-path "$build" --show-bin-path)/Fuzz

targets=("$@")
if [[ ${#targets[@]} -eq 0 ]]; then
  mapfile -t targets < <(cd fixtures/seeds && ls)
fi

# Leaks are not looked for: Swift's runtime and the C libraries keep what they set up once.
export ASAN_OPTIONS=detect_leaks=0:allocator_may_return_null=1
# Swift's own crash report would read memory that the sanitizer forbids, and hide the first cause.
export SWIFT_BACKTRACE=enable=no
failed=()
for target in "${targets[@]}"; do
  corpus=$build/corpus/$target
  mkdir -p "$corpus" "fixtures/crashes/$target"
  log=$build/$target.log
  echo "$target: $seconds s"
  if "$program" "$target" -max_total_time="$seconds" -max_len=4096 -timeout=10 -rss_limit_mb=4096 -close_fd_mask=1 \
    -print_final_stats=1 -artifact_prefix="fixtures/crashes/$target/" "$corpus" "fixtures/seeds/$target" \
    >"$log" 2>&1; then
    grep -E 'stat::(number_of_executed_units|average_exec_per_sec)|DONE' "$log" | sed 's/^/  /'
  else
    failed+=("$target")
    grep -E 'ERROR|SUMMARY|Fatal error|Test unit written' "$log" | sed 's/^/  /'
    echo "  the whole report: $log"
  fi
done
find fixtures/crashes -type d -empty -delete

if [[ ${#failed[@]} -gt 0 ]]; then
  echo "Findings in: ${failed[*]}" >&2
  exit 1
fi
echo "Fuzzed ${#targets[@]} targets for $seconds s each: no findings"
