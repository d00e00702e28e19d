#!/bin/sh
# Unit tests and end-to-end tests of a build with a sanitizer; any report makes it fail. Takes an hour or so.
# Usage: sanitize.sh thread|address [ARGUMENTS-OF-PYTEST]
set -eu
cd "$(dirname "$0")/.."
kind="${1:-}"
case "$kind" in
thread | address) shift ;;
*)
  echo "usage: $0 thread|address [arguments of pytest]" >&2
  exit 64
  ;;
esac

scripts/setup.sh test
scratch=".build-$kind"
swift build --build-tests --sanitize="$kind" --scratch-path "$scratch"

reports="$PWD/$scratch/reports"
rm -rf "$reports"
mkdir -p "$reports"
# Reports go to files, because the tests hide what processes print: of threads all, of addresses the first of each process.
# What Swift keeps for good is no leak.
options="halt_on_error=0:detect_leaks=0:exitcode=0:log_path=$reports/report"
if [ "$kind" = thread ]; then
  clang -shared -fPIC -O1 -Wall -Werror -o "$scratch/thread-sanitizer.so" scripts/thread-sanitizer.c -ldl
  export TSAN_OPTIONS="$options" LD_PRELOAD="$PWD/$scratch/thread-sanitizer.so"
else
  export ASAN_OPTIONS="$options"
fi
export SWIFT_BACKTRACE=enable=no

status=0
"$scratch/debug/torhausPackageTests.xctest" --testing-library swift-testing || status=1
TORHAUS_BIN="$PWD/$scratch/debug" scripts/end-to-end.sh debug "$@" || status=1
if [ -n "$(ls "$reports")" ]; then
  grep -h SUMMARY "$reports"/* | sort | uniq -c | sort -rn
  echo "reports: $reports" >&2
  exit 1
fi
exit "$status"
