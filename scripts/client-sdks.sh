#!/bin/sh
# Installs the client libraries of Tests/EndToEndTests/sdks/versions.txt, each line in its own folder below
# .build/end-to-end-sdks, unless it stands there as the line wants it. Usage: client-sdks.sh VENV, one that has uv.
set -eu
cd "$(dirname "$0")/.."
venv="$1"
folder=.build/end-to-end-sdks
grep -v '^#' Tests/EndToEndTests/sdks/versions.txt | while IFS=: read -r name wanted; do
  stamp="$folder/$name/.installed-$(echo "$wanted" | cksum | cut -d' ' -f1)"
  [ -f "$stamp" ] && continue
  echo "Installing $name:$wanted"
  rm -rf "${folder:?}/$name"
  # shellcheck disable=SC2086  # a line may name several packages
  "$venv/bin/uv" pip install --quiet --python "$venv/bin/python" --target "$folder/$name" $wanted
  touch "$stamp"
done
