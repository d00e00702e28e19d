#!/bin/sh
# The real binaries and the real client libraries: starts the demo, lets the official SDKs use it. Usage: end-to-end.sh
# [CONFIGURATION] (debug by default), further arguments go to pytest. TORHAUS_BIN: where the binaries are, if elsewhere.
set -eu
cd "$(dirname "$0")/.."
configuration="${1:-debug}"
[ $# -gt 0 ] && shift

venv=.build/end-to-end-venv
stamp="$venv/.installed-$(cksum <Tests/EndToEndTests/requirements.txt | cut -d' ' -f1)"
if [ ! -f "$stamp" ]; then
  echo "Installing the client libraries that the end-to-end tests use"
  python3 -m venv "$venv"
  "$venv/bin/pip" install --quiet --disable-pip-version-check -r Tests/EndToEndTests/requirements.txt
  touch "$stamp"
fi
scripts/client-sdks.sh "$venv"
export TORHAUS_BIN="${TORHAUS_BIN:-$PWD/.build/$configuration}"
export SWIFT_BACKTRACE=enable=no
exec "$venv/bin/python" -m pytest -q -p no:cacheprovider Tests/EndToEndTests "$@"
