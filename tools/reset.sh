#!/bin/sh
# Forget the demo's data; the next `make run` starts over.
set -eu
cd "$(dirname "$0")/.."

if [ -f var/demo/demo.pid ] && kill -0 "$(cat var/demo/demo.pid)" 2>/dev/null; then
    echo "The demo is running (process $(cat var/demo/demo.pid)): end it with Ctrl-C first." >&2
    exit 1
fi
rm -rf var/demo
echo "The demo's data is gone; make run starts over."
