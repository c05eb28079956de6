#!/usr/bin/env bash
# Prints the path of an interpreter of a version: constraints/find_python.sh 3.10
# Looks in PATH, in pyenv's folder, and asks uv, if there is one, to find or to install it.
set -euo pipefail

version=$1
tuple="${version%.*}, ${version#*.}"

# `python3.10` may be a shim that is no interpreter: only one that runs counts.
runs() { "$1" -c "import sys; sys.exit(sys.version_info[:2] != ($tuple))" >/dev/null 2>&1; }

for candidate in "python$version" "$HOME"/.pyenv/versions/"$version".*/bin/python python3; do
    if runs "$candidate"; then echo "$candidate"; exit; fi
done
command -v uv >/dev/null || exit 1
uv python find "$version" 2>/dev/null || { uv python install "$version" >&2 && uv python find "$version"; }
