// The language `mlp`, as spec/01-lexical.md and spec/02-grammar.md give it.
//
// src/scanner.c says where a declaration starts and which newlines count; the rest is context-free. The grammar accepts
// a little more than the language does (a clause that is written twice, comparisons in a chain): an editor wants a tree
// of what is half written, and `mlp check` says what is wrong with it.

/// <reference types="tree-sitter-cli/dsl" />
// @ts-check

const PREC = {
  missing: 2,
  or: 3,
  and: 4,
  not: 5,
  compare: 6,
  range: 7,
  add: 8,
  multiply: 9,
  negate: 10,
  postfix: 11,
};

const DIGITS = /[0-9]+(_[0-9]+)*/.source;
const DECIMAL = `${DIGITS}(\\.${DIGITS})?`;
const EXPONENT = `[eE][+-]?${DIGITS}`;
const COMPARISONS = ['==', '!=', '<=', '>=', '<', '>'];

// The keywords that clauses of a block start with. Before `=` they name a setting, as any word does.
const CLAUSES = {
  data_block: ['expect', 'pii'],
  step_block: ['with', 'in', 'out'],
  tune_block: ['maximize', 'minimize'],
  model_block: ['card'],
  deploy_block: ['replace', 'canary', 'blue_green', 'shadow', 'ab', 'rollback'],
  strategy_block: ['check', 'maximize', 'minimize'],
  monitor_block: ['every', 'watch', 'on'],
  actions: ['alert'],
};

/** `{ ... }` with members that newlines, commas or both separate. */
function block($, member) {
  return seq('{', repeat($._separator), optional(members($, member)), '}');
}

function members($, member) {
  return seq(member, repeat(seq(repeat1($._separator), member)), repeat($._separator));
}

function commaSeparated(rule) {
  return seq(rule, repeat(seq(',', rule)));
}

function bracketed(open, rule, close) {
  return seq(open, optional(seq(commaSeparated(rule), optional(','))), close);
}

export default grammar({
  name: 'mlp',

  // `comment` stands here only so that the scanner is asked everywhere; it is lexed below.
  externals: $ => [
    $._declaration_start,
    $._newline,
    $._quoted_text,
    $._triple_text,
    $.comment,
    $._never,
  ],

  extras: $ => [/[ \t\r\n\uFEFF]/, $.comment, $.doc_comment],

  word: $ => $.identifier,

  supertypes: $ => [$.declaration, $.expression, $.type],

  conflicts: $ => [
    // `step a = x when y` goes on with `else`, or does not.
    [$.conditional, $.expression],
    // `tolerate = 2 failures, 1 error`: the next count, or the next member.
    [$.tolerate],
  ],

  rules: {
    source_file: $ => repeat(seq($._declaration_start, choice($.edition, $.declaration))),

    // ---- declarations ----

    edition: $ => seq('mlp', field('number', $.integer)),

    declaration: $ => choice(
      $.pipeline,
      $.use,
      $.param,
      $.secret,
      $.schema,
      $.data,
      $.step,
      $.component,
      $.tune,
      $.gate,
      $.model,
      $.deploy,
      $.monitor,
      $.trigger,
      $.test,
    ),

    pipeline: $ => seq('pipeline', field('name', $.identifier), field('body', $.settings)),

    use: $ => seq(
      'use',
      field('path', choice($.module, $.string)),
      optional(seq('as', field('alias', $.identifier))),
    ),
    module: _ => /[A-Za-z_][A-Za-z0-9_]*([\/-][A-Za-z_][A-Za-z0-9_]*)*/,

    param: $ => seq('param', $._typed),
    _typed: $ => seq(
      field('name', $.identifier),
      ':',
      field('type', $.type),
      optional(seq('=', field('default', $.expression))),
    ),

    secret: $ => seq('secret', field('name', $.identifier), '=', field('value', $.expression)),

    schema: $ => seq('schema', field('name', $.identifier), field('body', $.columns)),
    columns: $ => block($, $.column),
    column: $ => seq(
      field('name', choice($._word, $.string)),
      ':',
      field('type', $.type),
      repeat(field('attribute', $.attribute)),
    ),
    attribute: $ => choice(
      'unique',
      'label',
      seq('in', $._bound),
      seq(field('operator', choice(...COMPARISONS)), $._bound),
    ),
    // A bound has no comparison in it: `a: int >= 0 <= 9` are two attributes.
    _bound: $ => choice(
      $._operand,
      alias($.bound_binary, $.binary),
    ),
    bound_binary: $ => choice(
      ...[
        ['??', PREC.missing],
        ['..', PREC.range],
        ['..=', PREC.range],
        ['+', PREC.add],
        ['-', PREC.add],
        ['*', PREC.multiply],
        ['/', PREC.multiply],
      ].map(([operator, precedence]) => prec.left(precedence, seq(
        field('left', $._bound),
        field('operator', operator),
        field('right', $._bound),
      ))),
    ),

    data: $ => seq(
      'data',
      field('name', $.identifier),
      ':',
      field('schema', $._type_name),
      field('body', $.data_block),
    ),
    data_block: $ => block($, choice(alias($._data_block_setting, $.setting), $.expect, $.pii)),
    expect: $ => seq(
      'expect',
      field('condition', $.expression),
      optional(field('outcome', $.outcome)),
      optional($.because),
    ),
    pii: $ => seq('pii', field('rule', $.identifier)),

    step: $ => seq(
      'step',
      field('name', $.identifier),
      '=',
      field('body', choice($.sql, $.expression)),
      repeat(choice($.for, $.when, $.after)),
      optional(field('settings', $.step_block)),
    ),
    sql: $ => seq('sql', field('query', $.string)),
    for: $ => seq('for', field('name', $.identifier), 'in', field('values', $.expression)),
    when: $ => prec.right(seq('when', field('condition', $.expression))),
    after: $ => prec.right(seq('after', commaSeparated(field('name', $.identifier)))),
    // After a clause that ends with a brace, nothing has to separate the next one.
    step_block: $ => seq(
      '{',
      repeat($._separator),
      repeat(choice(
        seq(choice($.with_map, $.in_map, $.out_block), repeat($._separator)),
        seq(alias($._step_block_setting, $.setting), repeat1($._separator)),
      )),
      optional(alias($._step_block_setting, $.setting)),
      '}',
    ),
    with_map: $ => seq('with', $.map),
    in_map: $ => seq('in', $.map),
    out_block: $ => seq('out', '{', repeat($._separator), optional(members($, $.typed)), '}'),
    typed: $ => seq(field('name', choice($._word, $.string)), ':', field('type', $.type)),

    component: $ => seq(
      'component',
      field('name', $.identifier),
      field('parameters', $.parameters),
      field('body', $.component_block),
    ),
    parameters: $ => bracketed('(', alias($._typed, $.parameter), ')'),
    component_block: $ => block($, choice($.declaration, $.output)),
    output: $ => seq(
      'output',
      field('name', $.identifier),
      optional(seq(':', field('type', $.type))),
      '=',
      field('value', $.expression),
    ),

    tune: $ => seq(
      'tune',
      field('name', $.identifier),
      'over',
      field('step', $.identifier),
      field('body', $.tune_block),
    ),
    tune_block: $ => block($, choice(alias($._tune_block_setting, $.setting), $.axis, $.objective)),
    axis: $ => seq(field('name', $.identifier), 'in', field('values', $.expression)),
    objective: $ => seq(choice('maximize', 'minimize'), field('metric', $.expression)),

    gate: $ => seq('gate', field('name', $.identifier), optional($.after), field('body', $.gate_block)),
    gate_block: $ => block($, choice($.require, $.approve)),
    require: $ => seq(
      'require',
      field('condition', $.expression),
      repeat(choice($.because, $.min_support, $.unless)),
    ),
    because: $ => seq('because', field('reason', $.string)),
    min_support: $ => seq('min_support', field('rows', $.expression)),
    unless: $ => seq('unless', field('when', alias($.identifier, $.constant))),
    approve: $ => seq(
      'approve',
      'by',
      field('by', $.expression),
      repeat(choice(seq('of', field('of', $.expression)), seq('within', field('within', $.expression)))),
    ),

    model: $ => seq(
      'model',
      field('name', $.identifier),
      '=',
      field('value', $.expression),
      repeat($.after),
      optional(field('body', $.model_block)),
    ),
    model_block: $ => block($, choice(alias($._model_block_setting, $.setting), $.card)),
    card: $ => seq('card', $.map),

    // ---- what is live ----

    deploy: $ => seq(
      'deploy',
      field('name', $.identifier),
      'of',
      field('model', $.identifier),
      field('body', $.deploy_block),
    ),
    deploy_block: $ => block($, choice(alias($._deploy_block_setting, $.setting), $.strategy, $.rollback)),
    strategy: $ => choice(
      seq(field('kind', 'replace'), optional(field('body', $.strategy_block))),
      seq(field('kind', choice('canary', 'blue_green', 'shadow', 'ab')), field('body', $.strategy_block)),
    ),
    strategy_block: $ => block($, choice(alias($._strategy_block_setting, $.setting), $.stage, $.check, $.objective)),
    // `5% for 10m`, `25% until promoted`, `preview for 10m`
    stage: $ => seq(
      field('share', $.expression),
      optional(choice(
        seq('for', field('for', $.expression)),
        seq('until', 'promoted'),
      )),
    ),
    rollback: $ => seq('rollback', 'within', field('within', $.expression)),
    check: $ => seq('check', 'every', field('every', $.expression), field('body', $.check_block)),
    check_block: $ => block($, choice($.setting, $.tolerate, $.verdict)),
    verdict: $ => seq(
      field('success', $.expression),
      optional(seq('fails', 'when', field('failure', $.expression))),
    ),
    tolerate: $ => seq('tolerate', '=', commaSeparated($.count)),
    count: $ => seq(field('number', $._operand), field('of', $.identifier)),

    monitor: $ => seq(
      'monitor',
      field('name', $.identifier),
      'of',
      field('deployment', $.identifier),
      field('body', $.monitor_block),
    ),
    monitor_block: $ => block($, choice(alias($._monitor_block_setting, $.setting), $.rhythm, $.watch, $.breach)),
    rhythm: $ => seq('every', field('every', $.expression), optional(seq('over', field('over', $.expression)))),
    watch: $ => seq('watch', field('condition', $.expression)),
    breach: $ => seq(
      'on',
      'breach',
      optional(seq('for', field('windows', $.expression), choice('windows', 'window'))),
      field('body', $.actions),
    ),
    actions: $ => block($, choice(alias($._actions_setting, $.setting), $.alert, $.action)),
    alert: $ => seq('alert', field('to', $.expression)),
    action: $ => field('do', $.expression),

    trigger: $ => seq('on', field('event', $._event), optional(field('body', $.actions))),
    _event: $ => choice($.schedule, $.change, $.webhook, $.commit, $.end),
    schedule: $ => seq('schedule', field('cron', $.string), optional(seq('in', field('zone', $.string)))),
    change: $ => seq('change', field('data', $.identifier)),
    webhook: $ => seq('webhook', field('name', $.string)),
    commit: $ => seq('commit', field('branch', $.string)),
    end: $ => seq('end', 'of', field('pipeline', $.string)),

    test: $ => seq('test', field('name', $.string), field('body', $.test_block)),
    test_block: $ => block($, choice($.with, $.expect)),
    with: $ => seq('with', field('name', $.identifier), '=', field('value', $.expression)),
    outcome: _ => choice('fails', 'passes', 'skipped'),

    // ---- blocks ----

    settings: $ => block($, $.setting),
    setting: $ => seq(field('name', $.identifier), '=', field('value', $.expression)),

    ...Object.fromEntries(Object.entries(CLAUSES).map(([block, keywords]) => [
      `_${block}_setting`,
      $ => seq(
        field('name', choice($.identifier, alias(keywords.length > 1 ? choice(...keywords) : keywords[0], $.identifier))),
        '=',
        field('value', $.expression),
      ),
    ])),

    // ---- types ----

    type: $ => choice($.choice_type, $.generic_type, $.metrics_type, $.named_type, $.optional_type),
    optional_type: $ => seq(choice($.choice_type, $.generic_type, $.metrics_type, $.named_type), '?'),
    metrics_type: $ => prec(1, seq('metrics', '{', repeat($._separator), optional(members($, $.typed)), '}')),
    choice_type: $ => prec.left(seq($.string, repeat(seq('|', $.string)))),
    // After one of these words a `<` always takes a type, and never compares.
    generic_type: $ => prec(1, seq(
      field('name', alias($._generic, $.identifier)),
      '<',
      field('argument', $.type),
      '>',
    )),
    named_type: $ => $._type_name,
    _type_name: $ => choice(
      $.identifier,
      alias($._generic, $.identifier),
      seq($.identifier, '.', $.identifier),
    ),
    _generic: _ => choice('list', 'map', 'range', 'dataset', 'model', 'metrics'),

    // ---- expressions ----

    expression: $ => choice($.conditional, $.binary, $._operand),

    conditional: $ => seq(
      field('then', choice($.binary, $._operand)),
      'when',
      field('condition', choice($.binary, $._operand)),
      'else',
      field('else', $.expression),
    ),

    binary: $ => choice(
      ...[
        ['??', PREC.missing],
        ['or', PREC.or],
        ['and', PREC.and],
        ['in', PREC.compare],
        ...COMPARISONS.map(operator => [operator, PREC.compare]),
        ['..', PREC.range],
        ['..=', PREC.range],
        ['+', PREC.add],
        ['-', PREC.add],
        ['*', PREC.multiply],
        ['/', PREC.multiply],
      ].map(([operator, precedence]) => prec.left(precedence, seq(
        field('left', choice($.binary, $._operand)),
        field('operator', operator),
        field('right', choice($.binary, $._operand)),
      ))),
    ),

    _operand: $ => choice($.unary, $._primary),

    unary: $ => choice(
      prec(PREC.not, seq(field('operator', 'not'), field('operand', choice($.binary, $._operand)))),
      prec(PREC.negate, seq(field('operator', '-'), field('operand', $._operand))),
    ),

    _primary: $ => choice(
      $.identifier,
      $._literal,
      $.string,
      $.list,
      $.map,
      $.parenthesized,
      $.member,
      $.call,
    ),

    member: $ => prec(PREC.postfix, seq(field('object', $._primary), '.', field('name', $.identifier))),
    call: $ => prec(PREC.postfix, seq(field('function', $._primary), field('arguments', $.arguments))),
    arguments: $ => bracketed('(', $.argument, ')'),
    argument: $ => seq(optional(seq(field('name', $._word), ':')), field('value', $.expression)),

    parenthesized: $ => seq('(', $.expression, ')'),
    list: $ => bracketed('[', $.expression, ']'),
    map: $ => block($, $.entry),
    entry: $ => seq(field('key', choice($._word, $.string)), ':', field('value', $.expression)),

    // ---- literals ----

    _literal: $ => choice(
      $.integer,
      $.float,
      $.fraction,
      $.duration,
      $.size,
      $.date,
      $.time,
      $.boolean,
      $.null,
    ),

    integer: _ => token(new RegExp(DIGITS)),
    float: _ => token(choice(
      new RegExp(`${DIGITS}\\.${DIGITS}(${EXPONENT})?`),
      new RegExp(`${DIGITS}${EXPONENT}`),
    )),
    fraction: _ => token(new RegExp(`${DECIMAL}(${EXPONENT})?%`)),
    duration: _ => token(new RegExp(`(${DECIMAL}(w|d|h|ms|m|us|s|ns))+`)),
    size: _ => token(new RegExp(`${DECIMAL}([KMGT]i?)?B`)),
    date: _ => token(/[0-9]{4}-[0-9]{2}-[0-9]{2}/),
    time: _ => token(/[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?(Z|[+-][0-9]{2}:[0-9]{2})/),
    boolean: _ => choice('true', 'false'),
    null: _ => 'null',

    string: $ => choice(
      seq('"', repeat(choice(alias($._quoted_text, $.text), $.escape, $.hole)), token.immediate('"')),
      seq('"""', repeat(choice(alias($._triple_text, $.text), $.escape, $.hole)), token.immediate('"""')),
    ),
    escape: _ => token.immediate(/\\([ntr"\\$]|u\{[0-9A-Fa-f]{1,6}\})/),
    hole: $ => seq(token.immediate('${'), $.expression, '}'),

    // ---- names, comments, separators ----

    identifier: _ => /[A-Za-z_][A-Za-z0-9_]*/,

    // Where only a name can stand, keywords are names too.
    _word: $ => choice(
      $.identifier,
      alias(choice('true', 'false', 'null', 'not'), $.identifier),
    ),

    _separator: $ => choice(',', $._newline),
    doc_comment: _ => token(prec(1, /##[^\r\n]*/)),
    comment: _ => token(/#[^\r\n]*/),
  },
});
