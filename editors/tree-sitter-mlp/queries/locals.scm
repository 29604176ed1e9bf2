; A file is one scope; a component is a scope of its own. Names may be used above where they are declared.

(source_file) @local.scope
(component_block) @local.scope

(use alias: (identifier) @local.definition.import)
(param name: (identifier) @local.definition.constant)
(secret name: (identifier) @local.definition.constant)
(parameter name: (identifier) @local.definition.parameter)
(schema name: (identifier) @local.definition.type)
(component name: (identifier) @local.definition.function)
(data name: (identifier) @local.definition.var)
(step name: (identifier) @local.definition.var)
(tune name: (identifier) @local.definition.var)
(gate name: (identifier) @local.definition.var)
(model name: (identifier) @local.definition.var)
(deploy name: (identifier) @local.definition.var)
(monitor name: (identifier) @local.definition.var)
(output name: (identifier) @local.definition.var)

(member object: (identifier) @local.reference)
(argument value: (identifier) @local.reference)
(binary (identifier) @local.reference)
(list (identifier) @local.reference)
(after name: (identifier) @local.reference)
(named_type (identifier) @local.reference)
(data schema: (identifier) @local.reference)
(tune step: (identifier) @local.reference)
(deploy model: (identifier) @local.reference)
(monitor deployment: (identifier) @local.reference)
(change data: (identifier) @local.reference)
(expect condition: (identifier) @local.reference)
