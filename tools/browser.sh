#!/bin/sh
# Install Chromium for the browser tests where that needs no password. Elsewhere those tests are
# skipped and say how to get it.
set -eu

[ -z "${N9RAW_CHROMIUM:-}" ] || exit 0
for name in chromium-headless-shell chromium chromium-browser google-chrome; do
    if command -v "$name" >/dev/null; then
        exit 0
    fi
done
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "Installing Chromium for the browser tests (apt-get install chromium-headless-shell, or else chromium)"
    export DEBIAN_FRONTEND=noninteractive
    get() { apt-get install -qq -y --no-install-recommends "$1" >/dev/null; }
    apt-get update -qq >/dev/null || true
    # Where there is no package of the part without windows, such as on Ubuntu, the whole will do.
    if ! { get chromium-headless-shell 2>/dev/null || get chromium; }; then
        echo "Chromium could not be installed; the browser tests will be skipped." >&2
    fi
fi
