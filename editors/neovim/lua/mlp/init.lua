-- Starts `mlp lsp` for .mlp files, and the tree-sitter grammar if it is installed. Needs no other plugin; Neovim 0.7 or newer.
--
-- Options go into `vim.g.mlp`, before the first file is opened:
--   vim.g.mlp = { cmd = { '/opt/mlp/bin/mlp', 'lsp' }, treesitter = true }

local M = {}

local function options()
  return vim.tbl_extend('keep', vim.g.mlp or {}, { cmd = { 'mlp', 'lsp' }, treesitter = true })
end

-- The folder that holds `.mlp/`, else the one that holds `.git`, else the file's own.
local function root(file)
  local folder = vim.fn.fnamemodify(file, ':p:h')
  for _, mark in ipairs({ '.mlp', '.git' }) do
    local found = vim.fn.finddir(mark, folder .. ';')
    if found ~= '' then
      return vim.fn.fnamemodify(found, ':p:h:h')
    end
  end
  return folder
end

-- One server for each root, for Neovim 0.7, which has no `vim.lsp.start`.
local clients = {}

local function start(config, buffer)
  if vim.lsp.start then
    return vim.lsp.start(config, { bufnr = buffer })
  end
  local id = clients[config.root_dir]
  if not id or not vim.lsp.get_client_by_id(id) then
    id = vim.lsp.start_client(config)
    clients[config.root_dir] = id
  end
  if id then
    vim.lsp.buf_attach_client(buffer, id)
  end
  return id
end

local told = false

--- Starts the server for a buffer. Says once, and not as an error, when the program is missing.
function M.attach(buffer)
  local chosen = options()
  if chosen.treesitter and vim.treesitter and vim.treesitter.start then
    pcall(vim.treesitter.start, buffer, 'mlp')
  end
  local file = vim.api.nvim_buf_get_name(buffer)
  if file == '' or file:match('^%w+://') then
    return nil
  end
  if vim.fn.executable(chosen.cmd[1]) == 0 then
    if not told then
      told = true
      vim.notify('mlp: `' .. chosen.cmd[1] .. '` was not found, so .mlp files are not checked; see vim.g.mlp', vim.log.levels.WARN)
    end
    return nil
  end
  return start({
    name = 'mlp',
    cmd = chosen.cmd,
    root_dir = root(file),
    on_attach = chosen.on_attach,
    capabilities = chosen.capabilities,
  }, buffer)
end

return M
