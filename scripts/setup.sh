#!/bin/sh
# Installs the Debian packages that a build or the tests need and that are missing; says which. Usage: setup.sh build|test|bench
set -eu

build="libcurl4-openssl-dev libssl-dev libsqlite3-dev libre2-dev libmimalloc-dev libnghttp2-dev pkg-config curl"
case "${1:-build}" in
build) wanted="$build" ;;
test) wanted="$build python3 python3-venv python3-yaml openssl" ;;
bench) wanted="$build python3 python3-yaml nginx haproxy slowhttptest" ;;
*)
  echo "usage: $0 build|test|bench" >&2
  exit 64
  ;;
esac

if ! command -v swift >/dev/null 2>&1; then
  echo "error: swift is not on the PATH; install Swift 6.3 or later from swift.org" >&2
  exit 1
fi

missing=""
for package in $wanted; do
  dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q "install ok installed" || missing="$missing $package"
done
[ -z "$missing" ] && exit 0

echo "Installing what is missing:$missing"
sudo=""
if [ "$(id -u)" != 0 ]; then
  command -v sudo >/dev/null 2>&1 || {
    echo "error: run as root or install by hand: apt-get install$missing" >&2
    exit 1
  }
  sudo=sudo
fi
$sudo apt-get update -qq
DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends $missing >/dev/null
# nginx and HAProxy are for comparison only; their services are not wanted.
for service in nginx haproxy; do
  case "$missing" in *"$service"*) $sudo systemctl disable --now "$service" >/dev/null 2>&1 || true ;; esac
done
