; A step's query, and the query of a source: `sql("postgres://...", query: """...""")`.

((sql query: (string (text) @injection.content))
  (#set! injection.language "sql")
  (#set! injection.combined))

((call
   function: (identifier) @_source
   arguments: (arguments
     (argument
       name: (identifier) @_name
       value: (string (text) @injection.content))))
  (#eq? @_source "sql")
  (#eq? @_name "query")
  (#set! injection.language "sql")
  (#set! injection.combined))

((comment) @injection.content
  (#set! injection.language "comment"))
