#!/usr/bin/env bash
# Makes src/parser.c from grammar.js. Needs the tree-sitter command line: `cargo install tree-sitter-cli --locked`.
set -euo pipefail
cd "$(dirname "$0")"
tree-sitter generate
sha256sum grammar.js | cut -d' ' -f1 >src/grammar.js.sha256
