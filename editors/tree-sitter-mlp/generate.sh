#!/usr/bin/env bash
# Makes src/parser.c from grammar.js. Needs the tree-sitter command line: `cargo install tree-sitter-cli --locked`.
set -euo pipefail
cd "$(dirname "$0")"
# 14: what Neovim 0.7 to 0.10 read, and all newer editors.
tree-sitter generate --abi 14
sha256sum grammar.js | cut -d' ' -f1 >src/grammar.js.sha256
