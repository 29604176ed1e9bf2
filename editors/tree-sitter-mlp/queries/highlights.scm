; What stands later wins.

(identifier) @variable

; ---- keywords ----

[
  "mlp" "pipeline" "use" "param" "secret" "schema" "data" "component" "step" "tune" "gate" "model" "deploy"
  "monitor" "test" "on"
] @keyword

[
  "as" "of" "over" "by" "with" "out" "output" "pii" "expect" "require" "approve" "card" "because" "min_support"
  "within" "maximize" "minimize" "canary" "blue_green" "shadow" "ab" "replace" "rollback" "check" "every" "until"
  "promoted" "tolerate" "watch" "breach" "window" "windows" "alert" "schedule" "change" "webhook" "commit" "end"
  "sql" "unique" "label"
] @keyword

["when" "else" "unless" "after" "fails"] @keyword.conditional
"for" @keyword.repeat
(use "use" @keyword.import)
(use "as" @keyword.import)
(outcome) @keyword
["and" "or" "not" "in"] @keyword.operator

; ---- literals ----

(integer) @number
[(float) (fraction)] @number.float
[(duration) (size) (date) (time)] @number
(boolean) @boolean
(null) @constant.builtin
(string) @string
(escape) @string.escape
(use path: (string) @string.special.path)
(module) @module

; ---- comments ----

(comment) @comment
(doc_comment) @comment.documentation

; ---- marks ----

["==" "!=" "<=" ">=" "<" ">" "??" ".." "..=" "+" "-" "*" "/" "="] @operator
(choice_type "|" @operator)
(optional_type "?" @operator)
["." "," ":"] @punctuation.delimiter
["(" ")" "[" "]" "{" "}"] @punctuation.bracket
(generic_type ["<" ">"] @punctuation.bracket)
(hole ["${" "}"] @punctuation.special)

; ---- declared names ----

(pipeline name: (identifier) @module)
(use alias: (identifier) @module)
(schema name: (identifier) @type.definition)
(param name: (identifier) @constant)
(secret name: (identifier) @constant)
(parameter name: (identifier) @variable.parameter)
(component name: (identifier) @function)
[
  (data name: (identifier) @variable)
  (step name: (identifier) @variable)
  (tune name: (identifier) @variable)
  (gate name: (identifier) @variable)
  (model name: (identifier) @variable)
  (deploy name: (identifier) @variable)
  (monitor name: (identifier) @variable)
  (output name: (identifier) @variable)
]
(test name: (string) @string.special)

; ---- types ----

(named_type (identifier) @type)
(generic_type name: (identifier) @type.builtin)
(metrics_type "metrics" @type.builtin)
(data schema: (identifier) @type)
((named_type (identifier) @type.builtin)
  (#any-of? @type.builtin
    "bool" "int" "float" "fraction" "duration" "size" "date" "time" "string" "model" "metrics" "file"))

; ---- uses of names ----

(member name: (identifier) @property)
(call function: (identifier) @function.call)
(call function: (member name: (identifier) @function.call))
(call function: (member object: (identifier) @module))
(argument name: (identifier) @variable.parameter)
(setting name: (identifier) @property)
(entry key: (identifier) @property)
(column name: (identifier) @property)
(column name: (string) @property)
(typed name: (identifier) @property)
(axis name: (identifier) @property)
(count of: (identifier) @property)
(pii rule: (identifier) @constant.builtin)
(unless when: (constant) @constant.builtin)
((when condition: (identifier) @constant.builtin)
  (#eq? @constant.builtin "exists"))
(setting
  name: (identifier) @property
  value: (identifier) @constant.builtin
  (#any-of? @property "on_no_data" "prune")
  (#any-of? @constant.builtin "wait" "pass" "fail" "none" "asha" "median"))
