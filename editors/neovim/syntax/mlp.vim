" Colours for mlp where the tree-sitter grammar is not installed.
if exists('b:current_syntax')
  finish
endif

syntax keyword mlpConstant true false null exists first
syntax keyword mlpOperator and or not in
syntax keyword mlpClause expect require approve pii card watch every over within rollback check canary blue_green shadow replace
syntax keyword mlpClause ab breach alert because min_support unless after fails until promoted maximize minimize tolerate with out
syntax keyword mlpClause output when else for of by unique label as sql schedule change webhook commit
syntax keyword mlpType bool int float fraction duration size date time string list map range dataset metrics contained
syntax match mlpTyped /[:<]\s*\h\w*/ contains=mlpType
syntax match mlpDeclaration /^\(mlp\|pipeline\|use\|param\|secret\|schema\|data\|component\|step\|tune\|gate\|model\|deploy\|monitor\|on\|test\)\>/
syntax match mlpDeclaration /^\s\+\zs\(data\|step\|tune\|gate\|output\)\ze\s\+\h\w*\s*[=:{ ]/
syntax match mlpNumber /\<\d[0-9_]*\(\.\d[0-9_]*\)\?\([eE][+-]\?\d\+\)\?\(%\|[KMGT]\?i\?B\>\)\?/
syntax match mlpNumber /\<\(\d[0-9_]*\(\.\d\+\)\?\(ms\|us\|ns\|[wdhms]\)\)\+\>/
syntax match mlpNumber /\<\d\{4}-\d\d-\d\d\(T[0-9:.]\+\(Z\|[+-]\d\d:\d\d\)\?\)\?/
syntax match mlpCall /\h\w*\ze(/
syntax match mlpEscape /\\\([ntr"\\$]\|u{\x\{1,6}}\)/ contained
syntax region mlpHole matchgroup=mlpEscape start=/\${/ end=/}/ contained oneline contains=TOP
syntax region mlpString start=/"/ skip=/\\./ end=/"\|$/ oneline contains=mlpEscape,mlpHole
syntax region mlpString start=/"""/ end=/"""/ contains=mlpEscape,mlpHole
syntax match mlpComment /#.*/ contains=mlpTodo
syntax match mlpDoc /##.*/
syntax keyword mlpTodo TODO FIXME contained

highlight default link mlpDeclaration Keyword
highlight default link mlpClause Statement
highlight default link mlpConstant Constant
highlight default link mlpOperator Operator
highlight default link mlpType Type
highlight default link mlpNumber Number
highlight default link mlpCall Function
highlight default link mlpEscape SpecialChar
highlight default link mlpString String
highlight default link mlpComment Comment
highlight default link mlpDoc SpecialComment
highlight default link mlpTodo Todo

let b:current_syntax = 'mlp'
