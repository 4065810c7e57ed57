#!/bin/sh
# Builds .venv from requirements.lock, where every file is pinned by its hash, and installs the package into it editable.
# `make setup` calls it when the lock, pyproject.toml or this file is newer than the last time.
set -eu

fail() { echo "setup: $1" >&2; exit 1; }

# The system's own Python before any other: it is what the gateway will run on, and gets its security updates.
python=$(command -v "${PYTHON:-/usr/bin/python3.11}" || command -v python3.11 || command -v python3) ||
    fail "needs Python 3.11: apt-get install python3"
"$python" -c 'import sys; sys.exit(sys.version_info[:2] < (3, 11))' || fail "needs Python 3.11 or newer, $python is older"

# Debian keeps ensurepip, without which a venv has no pip, in a package of its own.
if [ ! -x .venv/bin/pip ] && ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    [ "$(id -u)" = 0 ] || fail "this Python cannot make a venv: as root, apt-get install python3-venv"
    echo "setup: installing python3-venv"
    apt-get -qq update
    DEBIAN_FRONTEND=noninteractive apt-get -qq install --no-install-recommends python3-venv >/dev/null
fi

[ -x .venv/bin/pip ] || "$python" -m venv .venv
pip() { .venv/bin/pip -qq --disable-pip-version-check "$@"; }

echo "setup: installing what requirements.lock pins into .venv"
pip install --no-deps --require-hashes -r requirements.lock
# Built with the hatchling and babel of the lock, not with the newest of the day.
pip install --no-deps --no-build-isolation --editable .
