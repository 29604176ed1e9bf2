" Neovim takes *.mlp for OCaml's old preprocessor. Told to `vim.filetype`, this comes before its own table (0.8 and newer).
lua if vim.filetype and vim.filetype.add then vim.filetype.add({ extension = { mlp = 'mlp' } }) end
autocmd BufRead,BufNewFile *.mlp if &filetype !=# 'mlp' | set filetype=mlp | endif
