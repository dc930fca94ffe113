#!/bin/sh
# Write the requirements*.txt from their .in files. Versions already pinned are
# kept unless the .in file asks for others; `make pins UPGRADE=1` takes the newest of all.
set -eu
cd "$(dirname "$0")/.."

.venv/bin/python -c 'import piptools' 2>/dev/null || .venv/bin/python -m pip install --quiet pip-tools

compile() {
    # No index, find-links or trusted-host lines: they name the machine the pins were made on.
    .venv/bin/python -m piptools compile --quiet --strip-extras --annotation-style line \
        --no-header --no-emit-options --no-emit-index-url --no-emit-find-links \
        --no-emit-trusted-host ${UPGRADE:+--upgrade} --output-file "$1.txt" "$1.in" 2>/dev/null
    {
        echo "# Written by \`make pins\` from $1.in; \"via -r $1.in\" marks the direct ones."
        grep '==' "$1.txt"
    } >"$1.new"
    mv "$1.new" "$1.txt"
}

compile requirements
compile requirements-dev
compile requirements-bench
