#!/usr/bin/env bash
# Tests the tree-sitter grammar with a C compiler and the PyPI package `tree_sitter`. The environment of it is kept in the
# cache folder that the first argument names, or in a temporary one.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
python="${1:-$(mktemp -d)}/tree-sitter-python"
# 0.26.1 crashes on queries of this size.
version=0.25.2
if [ "$("$python/bin/python" -c 'from importlib.metadata import version; print(version("tree_sitter"))' 2>/dev/null)" != "$version" ]; then
    rm -rf "$python"
    python3 -m venv "$python" || { apt-get update -q && apt-get install -y -q python3-venv && python3 -m venv "$python"; }
    "$python/bin/pip" install --quiet --disable-pip-version-check "tree_sitter==$version"
fi
exec "$python/bin/python" "$here/test/run.py"
