#!/usr/bin/env bash
# Installs this folder as a package of Neovim, with the tree-sitter grammar compiled by `cc`. The first argument is another
# folder to install it into.
set -euo pipefail
here="$(cd "$(dirname "$0")" && pwd)"
to="${1:-${XDG_DATA_HOME:-$HOME/.local/share}/nvim/site/pack/mlp/start/mlp}"
mkdir -p "$to/parser" "$to/queries/mlp"
cp -R "$here/ftdetect" "$here/ftplugin" "$here/lua" "$here/syntax" "$to/"
cp "$here/../tree-sitter-mlp/queries/"{highlights,folds,indents,locals,injections}.scm "$to/queries/mlp/"
cc -O2 -shared -fPIC -I "$here/../tree-sitter-mlp/src" "$here/../tree-sitter-mlp/src/"{parser,scanner}.c -o "$to/parser/mlp.so"
echo "installed in $to"
