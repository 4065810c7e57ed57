#!/bin/sh
# Builds the wheel as it is shipped, compiled, and unpacks it into .venv/compiled, which PYTHONPATH puts before the source.
# `make compiled` calls it when a source is newer than the last time.
set -eu

# The compiler is no mail program: it may be installed, as python3-venv is by setup.sh.
missing=$(.venv/bin/python packaging/hatch_build.py)
if [ -n "$missing" ]; then
    if [ "$(id -u)" = 0 ]; then
        echo "compiled: installing gcc and python3-dev"
        apt-get -qq update
        DEBIAN_FRONTEND=noninteractive apt-get -qq install --no-install-recommends gcc libc6-dev python3-dev >/dev/null
    else
        echo "compiled: nothing is compiled, for there is no $missing: as root, apt-get install gcc python3-dev"
        export TIDEWAITER_UNCOMPILED=1
    fi
fi

rm -rf .venv/compiled .venv/wheel
echo "compiled: compiling what every message passes through, a minute"
.venv/bin/pip -q --disable-pip-version-check wheel --no-deps --no-build-isolation --wheel-dir .venv/wheel .
.venv/bin/pip -q --disable-pip-version-check install --no-deps --no-index --target .venv/compiled .venv/wheel/*.whl
