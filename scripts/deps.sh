#!/usr/bin/env bash
# Installs what building, running and testing need and is missing: where it may, by the
# system's own packages; where it may not, it says what to install.
set -euo pipefail

missing=()
java_major() {
  local java="${JAVA_HOME:+$JAVA_HOME/bin/}java"
  "$java" -version 2>&1 | sed -n 's/.*version "\([0-9]*\).*/\1/p' | head -n 1
}
command -v go >/dev/null || missing+=("golang-go")
{ command -v java >/dev/null || [ -n "${JAVA_HOME:-}" ]; } && [ "$(java_major)" -ge 17 ] 2>/dev/null ||
  missing+=("openjdk-17-jre-headless")
command -v mvn >/dev/null || missing+=("maven")
[ -e /usr/share/java/zookeeper.jar ] || missing+=("zookeeper")

[ ${#missing[@]} -eq 0 ] && exit 0
if ! command -v apt-get >/dev/null; then
  echo "please install (names as in Debian): ${missing[*]}" >&2
  exit 1
fi
as_root=()
if [ "$(id -u)" -ne 0 ]; then
  if ! sudo -n true 2>/dev/null; then
    echo "please run: sudo apt-get install -y --no-install-recommends ${missing[*]}" >&2
    exit 1
  fi
  as_root=(sudo -n)
fi
echo "installing ${missing[*]}"
export DEBIAN_FRONTEND=noninteractive
"${as_root[@]}" apt-get update -q
"${as_root[@]}" apt-get install -q -y --no-install-recommends "${missing[@]}"
