#!/bin/sh
# The browser tests need Debian's chromium. As root on Debian it is installed; else one line says how, and the
# tests that need it are skipped.
set -eu
cd "$(dirname "$0")/.."
. .ci/system.sh

if command -v chromium >/dev/null 2>&1; then exit 0; fi
if can_install && apt_install chromium fonts-dejavu-core; then exit 0; fi
say "browser tests are skipped: chromium is missing; install it with: sudo apt-get install chromium"
