#!/bin/sh
# Install Chromium for the browser tests where that needs no password. Elsewhere those tests are
# skipped and say how to get it.
set -eu

[ -z "${N9RAW_CHROMIUM:-}" ] || exit 0
for name in chromium chromium-browser google-chrome; do
    if command -v "$name" >/dev/null; then
        exit 0
    fi
done
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "Installing Chromium for the browser tests (apt-get install chromium)"
    export DEBIAN_FRONTEND=noninteractive
    if ! { apt-get update -qq && apt-get install -qq -y --no-install-recommends chromium; } >/dev/null; then
        echo "Chromium could not be installed; the browser tests will be skipped." >&2
    fi
fi
