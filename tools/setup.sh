#!/bin/sh
# Make .venv ready: `tools/setup.sh` for running the program, `tools/setup.sh bench` for measuring it,
# `tools/setup.sh test` for testing it.
# Does only what is missing, so that a second call is immediate and needs no network.
# PYTHON names the Python to use; without it the first suitable one on the path is taken.
set -eu
cd "$(dirname "$0")/.."

kind=${1:-run}
needed="N9raw needs Python 3.11 or newer"
how="install one (Debian, Ubuntu: apt install python3 python3-venv) or name one: make PYTHON=/path/to/python3.11"

fail() {
    echo "$1" >&2
    exit 1
}

# Print the version of a Python, or nothing if it can't run.
version_of() {
    "$1" -c 'import sys; print("%d.%d.%d" % sys.version_info[:3])' 2>/dev/null || true
}

is_new_enough() {
    "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null
}

# Set python to the first Python that will do.
find_python() {
    found=
    if [ -n "${PYTHON:-}" ]; then
        set -- "$PYTHON"
    else
        set -- python3.11 python3.12 python3.13 python3
    fi
    for name in "$@"; do
        version=$(version_of "$name")
        [ -n "$version" ] || continue
        if is_new_enough "$name"; then
            python=$name
            return
        fi
        found="$found${found:+, }$name is $version"
    done
    if [ -n "${PYTHON:-}" ] && [ -z "$found" ]; then
        found="$PYTHON doesn't run"
    fi
    fail "$needed, found ${found:-none}: $how"
}

make_venv() {
    find_python
    "$python" -c 'import ensurepip, venv' 2>/dev/null ||
        fail "$python ($(version_of "$python")) has no venv module: install it (Debian, Ubuntu: apt install python3-venv)"
    if [ -L .venv ]; then
        rm .venv # someone else's: clearing it would empty theirs
    fi
    echo "Making .venv with Python $(version_of "$python")"
    "$python" -m venv --clear .venv
}

# Where .venv really is; one that was moved doesn't work any more, one that is linked to does.
venv_folder() {
    echo "# in $(cd .venv 2>/dev/null && pwd -P)"
}

# What must be installed, in full, and where.
requirements() {
    venv_folder
    cat "$@"
}

# Install requirement files, unless exactly they were installed before. The stamp is written last,
# so an interrupted installation is repeated.
install() {
    stamp=.venv/installed-$kind
    if [ -x .venv/bin/python ] && requirements "$@" | cmp -s - "$stamp"; then
        return
    fi
    if [ -f "$stamp" ] && ! grep -qxF "$(venv_folder)" "$stamp"; then
        make_venv
    elif ! .venv/bin/python -m pip --version >/dev/null 2>&1; then
        make_venv
    fi
    echo "Installing $* into .venv (a few minutes the first time)"
    options=
    for file in "$@"; do
        options="$options -r $file"
    done
    # shellcheck disable=SC2086  # the options are words without spaces
    .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-input $options ||
        fail "Installing $* failed, see above; it goes on where it stopped when you try again."
    requirements "$@" >"$stamp.new"
    mv "$stamp.new" "$stamp"
}

# Print the catalogues whose compiled form is missing or older.
stale_catalogues() {
    [ -d app/translations ] || return 0
    find app/translations -name '*.po' | while read -r po; do
        mo=${po%.po}.mo
        if [ ! -f "$mo" ] || [ -n "$(find "$po" -newer "$mo")" ]; then
            echo "$po"
        fi
    done
}

if [ -n "${PYTHON:-}" ]; then
    find_python # even when .venv exists: someone who names a Python wants to hear about it
fi
case $kind in
    run) install requirements.txt ;;
    bench)
        install requirements.txt requirements-bench.txt
        requirements requirements.txt >.venv/installed-run # what it needs to run is among them
        ;;
    test)
        install requirements.txt requirements-dev.txt requirements-bench.txt # benchmarks are tested too
        requirements requirements.txt >.venv/installed-run
        requirements requirements.txt requirements-bench.txt >.venv/installed-bench
        ;;
    *) fail "usage: tools/setup.sh [run|bench|test]" ;;
esac
if [ -n "$(stale_catalogues)" ]; then
    echo "Compiling the translations"
    .venv/bin/python -m babel.messages.frontend --quiet compile --directory app/translations
fi
