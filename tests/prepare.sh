#!/bin/sh
# Installs what the tests use besides Python packages, and only what is missing: Debian packages (as root), and
# the npm parts that stand in for a TimescaleDB server. What cannot be had is reported by the tests that need it.
set -u
cd "$(dirname "$0")"

missing=""
has() { command -v "$1" >/dev/null 2>&1 || [ -x "/usr/sbin/$1" ]; }
has chromium || missing="$missing chromium"
has mosquitto || missing="$missing mosquitto"
has docker-compose || missing="$missing docker-compose"
fc-list 2>/dev/null | grep -qi 'cjk' || missing="$missing fonts-noto-cjk fontconfig"
if [ -n "$missing" ]; then
    if [ "$(id -u)" = 0 ] && has apt-get; then
        echo "Installing$missing ..."
        export DEBIAN_FRONTEND=noninteractive
        for attempt in 1 2 3; do
            # shellcheck disable=SC2086
            apt-get -o DPkg::Lock::Timeout=120 -qq update >/dev/null &&
                apt-get -o DPkg::Lock::Timeout=120 -qq install --no-install-recommends -y $missing >/dev/null && break
            [ "$attempt" = 3 ] && echo "Could not install$missing; the tests that need them will say so."
        done
    else
        echo "Not installed:$missing (needs root and apt-get); the tests that need them will say so."
    fi
fi

if [ -f package.json ] && [ ! -f node_modules/.installed ]; then
    if has npm; then
        for attempt in 1 2 3; do
            npm ci --silent --no-audit --no-fund && touch node_modules/.installed && break
            [ "$attempt" = 3 ] && echo "npm ci failed; the TimescaleDB tests will say so."
        done
    else
        echo "npm is not installed; the TimescaleDB tests will say so."
    fi
fi
exit 0
