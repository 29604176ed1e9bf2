[
  (settings)
  (columns)
  (data_block)
  (step_block)
  (out_block)
  (component_block)
  (tune_block)
  (gate_block)
  (model_block)
  (deploy_block)
  (strategy_block)
  (check_block)
  (monitor_block)
  (actions)
  (test_block)
  (map)
  (list)
  (arguments)
  (parameters)
] @indent.begin

["}" "]" ")"] @indent.branch @indent.end

; Text is left as it is.
(string) @indent.ignore
(ERROR) @indent.auto
