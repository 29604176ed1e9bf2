-- nvim --headless -u NONE -l is not in 0.7: run with `nvim --headless -u NONE -S start.lua file.mlp`. Says what went wrong, ends with 1.
local problems = {}
local function expect(what, holds)
  if not holds then
    table.insert(problems, what)
  end
end

expect('the filetype is mlp, not ' .. vim.bo.filetype, vim.bo.filetype == 'mlp')
expect('comments start with #', vim.bo.commentstring == '# %s')
expect('two spaces', vim.bo.shiftwidth == 2 and vim.bo.expandtab)
expect('colours', vim.b.current_syntax == 'mlp')
local name = vim.fn.synIDattr(vim.fn.synID(1, 1, 1), 'name')
expect('`mlp` is a declaration, not ' .. name, name == 'mlpDeclaration')

-- The grammar is loaded by Neovim's own tree-sitter, and its queries are sound there.
local fine, parser = pcall(vim.treesitter.get_parser, 0, 'mlp')
expect('the parser: ' .. tostring(parser), fine)
if fine then
  local tree = parser:parse()[1]
  expect('a tree without errors', not tree:root():has_error())
  local get = (vim.treesitter.query or {}).get or vim.treesitter.get_query or require('vim.treesitter.query').get_query
  for _, query in ipairs({ 'highlights', 'folds', 'indents', 'locals', 'injections' }) do
    local sound, found = pcall(get, 'mlp', query)
    expect(query .. ': ' .. tostring(found), sound and found ~= nil)
  end
end

local function clients()
  return (vim.lsp.get_clients or vim.lsp.get_active_clients)()
end
if vim.g.expect_server == 1 then
  vim.wait(20000, function()
    return #clients() > 0
  end)
  expect('the server was started', #clients() == 1 and clients()[1].name == 'mlp')
else
  expect('no server, without the program', #clients() == 0)
end

for _, problem in ipairs(problems) do
  io.stderr:write('FAILED ' .. problem .. '\n')
end
vim.cmd(#problems == 0 and 'qall!' or 'cquit')
