#!/bin/sh
# Counts what the gateway does under load, for the compiler: builds it with counters in a folder of its own, runs the
# loads of loadtest/train.py, and writes profile/torhaus.profdata. Usage: profile.sh
set -eu
cd "$(dirname "$0")/.."
folder=.build-profile
tools="$(dirname "$(readlink -f "$(command -v swift)")")"
runtime="$(find "$tools/../lib/clang" -name libclang_rt.profile-x86_64.a -o -name libclang_rt.profile-aarch64.a | head -n 1)"

TORHAUS_PROFILE=generate scripts/build.sh -c release --scratch-path "$folder" --product torhaus \
  -Xlinker "$runtime" -Xlinker -u__llvm_profile_runtime
rm -rf "$folder/counts"
mkdir -p "$folder/counts" profile
LLVM_PROFILE_FILE="$PWD/$folder/counts/%p.profraw" python3 loadtest/train.py --torhaus "$folder/release/torhaus"
# Functions that never ran are left out: the compiler takes them as they are.
"$tools/llvm-profdata" merge -sparse -o profile/torhaus.profdata "$folder"/counts/*.profraw
# Objects are kept while the code is the same, whatever the profile says.
for name in $(ls Sources); do rm -f .build/*/release/"$name".build/*.o; done
"$tools/llvm-profdata" show profile/torhaus.profdata | tail -n 5
