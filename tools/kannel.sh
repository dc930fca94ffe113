#!/bin/sh
# Install Kannel, with its fake SMSC, for the tests of faults where that needs no password.
# Elsewhere exactly those tests are skipped, and say how to get what they need.
set -eu

missing=
[ -x /usr/sbin/bearerbox ] && [ -x /usr/sbin/smsbox ] || missing="kannel"
[ -x /usr/lib/kannel/test/fakesmsc ] || missing="kannel kannel-extras"
[ -n "$missing" ] || exit 0
if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "Installing what the tests of faults need (apt-get install $missing)"
    export DEBIAN_FRONTEND=noninteractive
    # shellcheck disable=SC2086  # package names without spaces
    if ! { apt-get update -qq && apt-get install -qq -y --no-install-recommends $missing; } >/dev/null; then
        echo "$missing could not be installed; the tests that need it will be skipped." >&2
    fi
fi
