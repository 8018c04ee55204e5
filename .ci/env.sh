#!/bin/sh
# Make .venv: the packages of requirements.lock, each checked by its hash, and this project installed editable.
# Does nothing when that is done already. The hash of what went in is written last, so that a set-up that was
# cut off is made again from the start.
set -eu
cd "$(dirname "$0")/.."
. .ci/system.sh
unset PYTHONHOME PYTHONPATH VIRTUAL_ENV PIP_TARGET PIP_PREFIX
export PIP_USER=0 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_INPUT=1

# base_python NAME: the interpreter that a shim or an active environment leads to, if it is new enough
base_python() {
    "$1" -c 'import sys; sys.version_info < (3, 11) and sys.exit(1); print(sys._base_executable)' 2>/dev/null
}

find_python() {
    if [ -n "${PYTHON:-}" ]; then
        base_python "$PYTHON" || fail "PYTHON=$PYTHON is not a working Python of version 3.11 or later"
        return
    fi
    for name in python3 python3.14 python3.13 python3.12 python3.11; do
        if base_python "$name"; then return; fi
    done
    if can_install && apt_install python3-venv && base_python python3; then return; fi
    fail "no Python of version 3.11 or later was found; install one (sudo apt-get install python3-venv)" \
        "or name one (make env PYTHON=/usr/local/bin/python3.12)"
}

# key FILE...: hash of the interpreter, of this folder (an environment can't be moved) and of the files
key() {
    "$python" -c '
import hashlib, os, pathlib, sys
parts = [os.fsencode(part) for part in (sys.executable, sys.version, os.getcwd())]
parts += [pathlib.Path(name).read_bytes() for name in sys.argv[1:]]
print(hashlib.sha256(b"\0".join(parts)).hexdigest())' "$@"
}

installed() { [ -x .venv/bin/python ] && [ "$(cat ".venv/$1" 2>/dev/null)" = "$2" ]; }

# Debian leaves venv out of its python3
need_venv() {
    if "$python" -c 'import ensurepip, venv' 2>/dev/null; then return; fi
    case $python in
        /usr/bin/python3.*) package=${python##*/}-venv ;;
        *) package=python3-venv ;;
    esac
    can_install || fail "this Python lacks venv; install Debian's $package: sudo apt-get install $package"
    apt_install "$package" || fail "this Python lacks venv, and Debian's $package could not be installed"
}

# uv keeps its downloads in the user's cache folder, or only for this run where that can't be written
choose_cache() {
    cache=${UV_CACHE_DIR:-${XDG_CACHE_HOME:-${HOME:-/nonexistent}/.cache}/uv}
    if ! { mkdir -p "$cache" && [ -w "$cache" ]; } 2>/dev/null; then
        export UV_NO_CACHE=1 PIP_NO_CACHE_DIR=1
    fi
}

uv_install() { .venv/bin/uv pip install --quiet --python .venv/bin/python "$@"; }
pip_install() { .venv/bin/python -m pip install --quiet "$@"; }

install_packages() {
    need_venv
    say "setting up .venv: the packages of requirements.lock (1.3 GB, some 10 s on a fast network)"
    rm -rf .venv
    "$python" -m venv .venv
    if ! { pip_install --require-hashes -r .ci/uv.txt && uv_install --require-hashes -r requirements.lock; } \
        2>.venv/uv.log; then
        say "uv can't be used here ($(grep . .venv/uv.log | tail -n 1)); pip installs instead, in about a minute"
        pip_install --no-deps --require-hashes -r requirements.lock
    fi
    printf '%s\n' "$packages" >.venv/packages.key
}

install_project() {
    say "setting up .venv: mmiocost, editable"
    if ! uv_install --offline --reinstall --no-deps --no-build-isolation --editable . 2>/dev/null; then
        pip_install --no-index --no-deps --no-build-isolation --editable .
    fi
    printf '%s\n' "$project" >.venv/project.key
}

python=$(find_python)
packages=$(key requirements.lock .ci/uv.txt)
project=$(key requirements.lock .ci/uv.txt pyproject.toml)
if installed packages.key "$packages" && installed project.key "$project"; then exit 0; fi

# two set-ups of one checkout at once would delete each other's files
exec 9<requirements.lock
if command -v flock >/dev/null 2>&1; then flock 9; fi
choose_cache
installed packages.key "$packages" || install_packages
installed project.key "$project" || install_project
