-- What Neovim's own client makes of `mlp lsp`; see tests/e2e/editor.rs. Works in Neovim 0.7 and newer:
--   MLP=mlp nvim --headless -u NONE -i NONE -n FILE.mlp -S server.lua
-- The file is examples/breast_cancer/breast_cancer.mlp or a copy of it; it is changed in memory only.

local function fail(what)
  io.stderr:write('FAILED ' .. what .. '\n')
  vim.cmd('cquit')
end

local function expect(what, holds)
  if not holds then
    fail(what)
  end
end

local buffer = vim.api.nvim_get_current_buf()
local published = 0
local client = vim.lsp.start_client({
  name = 'mlp',
  cmd = { vim.env.MLP or 'mlp', 'lsp' },
  root_dir = vim.fn.fnamemodify(vim.api.nvim_buf_get_name(buffer), ':p:h'),
  handlers = {
    ['textDocument/publishDiagnostics'] = function(...)
      published = published + 1
      return vim.lsp.handlers['textDocument/publishDiagnostics'](...)
    end,
  },
})
expect('the server starts', client)
vim.lsp.buf_attach_client(buffer, client)

local function wait(what, holds)
  expect(what, vim.wait(60000, holds, 20))
end

local function lines()
  return vim.api.nvim_buf_get_lines(buffer, 0, -1, false)
end

-- The first line with `what`, and the column behind `what`; both from 0.
local function at(what)
  for number, line in ipairs(lines()) do
    local _, stop = line:find(what, 1, true)
    if stop then
      return number - 1, stop
    end
  end
  fail('no ' .. what)
end

local function ask(method, what, back, params)
  local line, column = at(what)
  params = params or {}
  params.textDocument = { uri = vim.uri_from_bufnr(buffer) }
  params.position = { line = line, character = column - back }
  local answers = vim.lsp.buf_request_sync(buffer, method, params, 60000)
  local answer = answers and answers[client]
  expect(method .. ' is answered: ' .. vim.inspect(answer), answer and answer.result)
  return answer.result
end

local function encoding()
  return vim.lsp.get_client_by_id(client).offset_encoding or 'utf-16'
end

wait('findings come', function()
  return published > 0
end)
expect('the example is sound', #vim.diagnostic.get(buffer) == 0)

-- A column is completed.
local line, column = at('shuffle: false')
vim.api.nvim_buf_set_text(buffer, line, column, line, column, { ', stratify: diag' })
wait('the unknown column is found', function()
  return #vim.diagnostic.get(buffer) == 1
end)
local items = ask('textDocument/completion', 'stratify: diag', 0)
local column_item
for _, item in ipairs(items.items or items) do
  if item.label == 'diagnosis' then
    column_item = item
  end
end
expect('the column is offered', column_item)
vim.lsp.util.apply_text_edits({ column_item.textEdit }, buffer, encoding())
wait('the completed column is found sound', function()
  return #vim.diagnostic.get(buffer) == 0
end)

-- A step is renamed.
local renamed = ask('textDocument/rename', 'step eval', 1, { newName = 'judged' })
vim.lsp.util.apply_workspace_edit(renamed, encoding())
local text = table.concat(lines(), '\n')
expect('the step is renamed', text:find('require judged.auc', 1, true) and not text:find('eval.auc', 1, true))

-- A fix is applied.
line, column = at('split.test')
vim.api.nvim_buf_set_text(buffer, line, column, line, column, { 's' })
wait('the unknown output is found', function()
  return #vim.diagnostic.get(buffer) == 1
end)
local found = vim.diagnostic.get(buffer)[1]
local range = {
  start = { line = found.lnum, character = found.col },
  ['end'] = { line = found.end_lnum or found.lnum, character = found.end_col or found.col },
}
local actions = ask('textDocument/codeAction', 'split.tests', 1, { range = range, context = { diagnostics = {} } })
expect('a fix is offered', actions[1] and actions[1].edit)
vim.lsp.util.apply_workspace_edit(actions[1].edit, encoding())
wait('what was mended is sound', function()
  return #vim.diagnostic.get(buffer) == 0
end)

local hover = ask('textDocument/hover', 'judged.auc', 1)
expect('hover tells the metric', hover.contents.value:find('judged.auc: fraction', 1, true))

io.stdout:write('neovim: ok\n')
vim.cmd('qall!')
