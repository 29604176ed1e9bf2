; For editors that list what a file declares (Zed).

(pipeline "pipeline" @context name: (_) @name) @item
(schema "schema" @context name: (_) @name) @item
(param "param" @context name: (_) @name) @item
(secret "secret" @context name: (_) @name) @item
(data "data" @context name: (_) @name) @item
(component "component" @context name: (_) @name) @item
(step "step" @context name: (_) @name) @item
(tune "tune" @context name: (_) @name) @item
(gate "gate" @context name: (_) @name) @item
(model "model" @context name: (_) @name) @item
(deploy "deploy" @context name: (_) @name) @item
(monitor "monitor" @context name: (_) @name) @item
(trigger "on" @context event: (_) @name) @item
(test "test" @context name: (_) @name) @item
