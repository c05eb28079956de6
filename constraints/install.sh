#!/usr/bin/env bash
# Builds .venv from the lock file of the stack that fits this system. Says in one line what is
# missing if it cannot. Done once: a stamp in .venv names the lock file it was built from.
set -euo pipefail
cd "$(dirname "$0")/.."

fail() { echo "setup: $*" >&2; exit 1; }

glibc=$(getconf GNU_LIBC_VERSION 2>/dev/null | cut -d' ' -f2) ||
    fail "needs a Linux with glibc; in a container: debian:12 or ubuntu:24.04."
if [ "$(printf '2.39\n%s\n' "$glibc" | sort -V | head -1)" = 2.39 ]; then
    stack=tfx-1.21 versions="3.12 3.13 3.11 3.10"
    command -v g++ >/dev/null || fail "stack $stack compiles one package: install g++ and python3-dev."
else
    stack=tfx-1.16 versions="3.10"
fi

lock=constraints/$stack.txt
stamp="$(sha256sum "$lock" | cut -d' ' -f1) $PWD"
if [ "$(cat .venv/.stamp 2>/dev/null || true)" = "$stamp" ]; then exit 0; fi

python=""
for version in $versions; do
    if python=$(constraints/find_python.sh "$version"); then break; fi
done
[ -n "$python" ] || fail "no Python ${versions// / or } found: install one (pyenv install ${versions%% *}, or uv)."

echo "setup    stack $stack, $("$python" --version), glibc $glibc"
rm -rf .venv
"$python" -m venv .venv || fail "$python has no venv module: install python${version}-venv."
.venv/bin/python -m pip install --quiet --disable-pip-version-check "uv>=0.5,<1" ||
    fail "cannot install uv from the package index: check network, pip configuration and disk."
.venv/bin/uv pip install --quiet --python .venv/bin/python --no-deps --require-hashes -r "$lock" ||
    fail "cannot install $lock: check network and disk (3.5 GB)."
.venv/bin/uv pip install --quiet --python .venv/bin/python --no-deps --no-build-isolation -e .
echo "$stamp" >.venv/.stamp
