//! What the language itself gives a meaning: the words that may stand in each block, with a line of documentation each.
//!
//! `insert` is what completion writes, `$1` and `$0` marking where the cursor goes.

/// A word of the language.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Word {
    pub(crate) word: &'static str,
    pub(crate) insert: &'static str,
    pub(crate) doc: &'static str,
}

const fn word(word: &'static str, insert: &'static str, doc: &'static str) -> Word {
    Word { word, insert, doc }
}

/// What starts a declaration.
pub(crate) const DECLARATIONS: &[Word] = &[
    word(
        "mlp",
        "mlp 1",
        "The edition of the language, in the first line: the file keeps its meaning in later versions.",
    ),
    word("pipeline", "pipeline ${1:name} {\n  about = \"$0\"\n}", "What the file is called and what it is for."),
    word(
        "use",
        "use $0",
        "Brings a module's steps into the file: of the standard library, of a plugin, or of another file.",
    ),
    word(
        "param",
        "param ${1:name}: ${2:int} = $0",
        "A value that the command line can set: `mlp run FILE -p name=value`.",
    ),
    word(
        "secret",
        "secret ${1:name} = env(\"$0\")",
        "A secret by name: it is read when a step that was granted it starts.",
    ),
    word(
        "schema",
        "schema ${1:Name} {\n  $0\n}",
        "The columns of a table: their types, their bounds, and which is the label.",
    ),
    word(
        "data",
        "data ${1:name}: ${2:Schema} {\n  source = csv(\"$0\")\n}",
        "A table read from outside, and what it must satisfy.",
    ),
    word("step", "step ${1:name} = $0", "Work: a step of a module, with its inputs and settings."),
    word(
        "component",
        "component ${1:name}(${2:rows}: dataset<${3:Schema}>) {\n  $0\n}",
        "Declarations to use again, with parameters and outputs.",
    ),
    word("tune", "tune ${1:name} over ${2:step} {\n  $0\n}", "A search for the best settings of a step."),
    word("gate", "gate ${1:name} {\n  require $0\n}", "What must hold before a model may be registered."),
    word("model", "model ${1:name} = ${2:train.model} after ${3:gate}$0", "An entry of the registry."),
    word(
        "deploy",
        "deploy ${1:production} of ${2:model} {\n  serve = online(port: 8080)\n  $0\n}",
        "Takes a model live.",
    ),
    word(
        "monitor",
        "monitor ${1:health} of ${2:production} {\n  every 1h over 24h\n  on_no_data = wait\n  watch $0\n}",
        "Watches a deployment, and says what a breach brings about.",
    ),
    word("on", "on ${1:schedule \"0 3 * * 1\"}$0", "Runs the pipeline by itself: at times, on a change, on a webhook."),
    word("test", "test \"${1:what must hold}\" {\n  $0\n}", "A test of the pipeline on other data."),
];

/// Members of a block, by the word that the block belongs to.
pub(crate) fn members(owner: &str) -> &'static [Word] {
    match owner {
        "pipeline" => PIPELINE,
        "data" => DATA,
        "step" => STEP,
        "gate" => GATE,
        "model" => MODEL,
        "deploy" => DEPLOY,
        "canary" => CANARY,
        "replace" => REPLACE,
        "blue_green" => BLUE_GREEN,
        "shadow" => SHADOW,
        "ab" => AB,
        "check" => CHECK,
        "monitor" => MONITOR,
        "breach" => BREACH,
        "trigger" => TRIGGER,
        "tune" => TUNE,
        "test" => TEST,
        "card" => CARD,
        "component" => COMPONENT,
        _ => &[],
    }
}

const PIPELINE: &[Word] = &[
    word("about", "about = \"$0\"", "What the pipeline is for, in a sentence."),
    word("owner", "owner = \"$0\"", "Who to ask."),
    word("tags", "tags = { $0 }", "Texts by name, for those who sort pipelines."),
    word("allow", "allow = [\"process\"]", "Kinds of steps that must be allowed: `process` runs without a sandbox."),
    word(
        "resources",
        "resources = { cpu: $0 }",
        "What the machine has, so that a step that asks for more is found before the run.",
    ),
];
const DATA: &[Word] = &[
    word("source", "source = ", "Where the rows come from: `csv(\"path\")`, `parquet(\"path\")`."),
    word("expect", "expect ", "What the table must satisfy, or each of its rows: `rows >= 1_000`, `age >= 0`."),
    word("pii", "pii ${1|quarantine,deny,mask,allow|}", "What is done with columns that look like personal data."),
];
const STEP: &[Word] = &[
    word("timeout", "timeout = ", "How long one attempt may take, as in `30m`. No limit unless told."),
    word("memory", "memory = ", "How much memory it may use, as in `4GiB`."),
    word("retry", "retry = ", "How often it is started again after it failed for now, 0 to 10."),
    word("deadline", "deadline = ", "How long all attempts may take together, with the waits between them."),
    word("backoff", "backoff = ", "How long to wait before the first retry; each later one waits twice as long."),
    word("cpu", "cpu = ", "How many cores it needs."),
    word("gpu", "gpu = ", "How many GPUs it needs."),
    word("cache", "cache = false", "Whether its result may be used again; true unless told."),
    word("network", "network = [\"$0\"]", "Hosts it may reach; none unless told."),
    word("env", "env = { $0 }", "Environment variables it sees."),
    word("secrets", "secrets = { $0 }", "Secrets it is granted: name in the step, and the secret."),
    word("tags", "tags = { $0 }", "Texts by name."),
    word("platform", "platform = \"linux/amd64\"", "The platform of its image."),
    word("run", "run = [$0]", "The command of a container."),
    word("with", "with { $0 }", "Parameters, as it finds them in /mlp/params.json."),
    word("in", "in { $0 }", "Inputs by name: tables and models."),
    word("out", "out { $0 }", "Outputs by name, with their types."),
];
const GATE: &[Word] = &[
    word("require", "require ", "A condition on metrics that must hold: `require eval.auc >= 0.85`."),
    word("approve", "approve by ${1:1} of [\"$0\"]", "People who must agree."),
];
const MODEL: &[Word] = &[word("card", "card {\n  $0\n}", "The model card: what it is for and what its limits are.")];
const CARD: &[Word] =
    &[word("use", "use: \"$0\"", "What the model is for."), word("limits", "limits: \"$0\"", "What it is not for.")];
const DEPLOY: &[Word] = &[
    word("serve", "serve = ", "How it is reached: `online(port: 8080)`."),
    word("replace", "replace", "All traffic moves to the candidate at once."),
    word(
        "canary",
        "canary {\n  5%  for 10m\n  100%\n  check every 30s {\n    error_rate <= 1%\n    on_no_data = wait\n  }\n}",
        "The candidate's share rises step by step.",
    ),
    word(
        "blue_green",
        "blue_green {\n  preview for ${1:10m}\n  keep for ${2:1h}\n}",
        "The candidate sees copies of requests, then takes over at once; the old version is kept.",
    ),
    word("shadow", "shadow {\n  100% for ${1:1h}\n}", "The candidate sees copies of requests and never answers."),
    word(
        "ab",
        "ab {\n  50% for ${1:14d}\n  maximize $0\n  on_no_data = wait\n}",
        "Both versions answer, and a test decides which is better.",
    ),
    word(
        "rollback",
        "rollback within ${1:30s}",
        "How long requests under way may take at a version that lost its traffic.",
    ),
];
const CANARY: &[Word] = &[
    word("check", "check every ${1:30s} {\n  $0\n  on_no_data = wait\n}", "What is measured during the rollout."),
    word("100%", "100%", "All traffic: the last step."),
];
const REPLACE: &[Word] = &[
    word("watch", "watch for ${1:10m}", "How long it is watched after the switch."),
    word("check", "check every ${1:30s} {\n  $0\n  on_no_data = wait\n}", "What is measured meanwhile."),
];
const BLUE_GREEN: &[Word] = &[
    word("preview", "preview for ${1:10m}", "How long the candidate sees copies of requests."),
    word("keep", "keep for ${1:1h}", "How long the old version is kept after the switch."),
    word("check", "check every ${1:30s} {\n  $0\n  on_no_data = wait\n}", "What is measured in both."),
];
const SHADOW: &[Word] =
    &[word("check", "check every ${1:30s} {\n  $0\n  on_no_data = wait\n}", "What is measured meanwhile.")];
const AB: &[Word] = &[
    word("maximize", "maximize ", "What is to be large."),
    word("minimize", "minimize ", "What is to be small."),
    word("significance", "significance = 5%", "How often chance may pass for a difference."),
    word("power", "power = 80%", "How surely a difference is found."),
    word("smallest", "smallest = 1%", "The smallest difference worth acting on."),
    word("on_no_data", "on_no_data = ${1|wait,pass,fail|}", "What it means when there is nothing to measure."),
];
const CHECK: &[Word] = &[
    word(
        "on_no_data",
        "on_no_data = ${1|wait,pass,fail|}",
        "What it means when there is nothing to measure: `wait`, `pass` or `fail`.",
    ),
    word("tolerate", "tolerate = ${1:2} failures", "How many failures are borne: one more ends the rollout."),
    word("error_rate", "error_rate <= ${1:1%}", "The share of requests that failed."),
    word("requests", "requests >= ${1:100}", "How many requests there were."),
    word("p95", "p95(latency) <= ${1:250ms}", "The time within which 95% of requests were answered."),
    word("p99", "p99(latency) <= ${1:500ms}", "The time within which 99% of requests were answered."),
    word("mean", "mean(latency) <= ${1:100ms}", "The mean time to an answer."),
];
const MONITOR: &[Word] = &[
    word("every", "every ${1:1h} over ${2:24h}", "How often it looks, and at how much of the past."),
    word("reference", "reference = ", "The table that drift is measured against."),
    word(
        "on_no_data",
        "on_no_data = ${1|wait,pass,fail|}",
        "What it means when there is nothing to measure: `wait`, `pass` or `fail`.",
    ),
    word("cooldown", "cooldown = ${1:7d}", "How long after a retraining until another may start."),
    word("watch", "watch ", "What is watched, and its limit: `watch drift(age) <= 0.1`."),
    word("on", "on breach for ${1:2} windows { ${0:retrain} }", "What a breach brings about."),
];
const BREACH: &[Word] = &[
    word(
        "alert",
        "alert ${1|webhook,slack|}($0)",
        "Tells somebody: a POST of JSON to an address or a secret that is one.",
    ),
    word("retrain", "retrain", "Runs the pipeline again."),
    word("rollback", "rollback", "Back to the version that was stable before."),
];
const TRIGGER: &[Word] = &[
    word("run", "run", "Runs the pipeline; parameters in parentheses."),
    word("secret", "secret = ", "The secret that a webhook's caller must know."),
];
const TUNE: &[Word] = &[
    word("maximize", "maximize ", "The metric that is to be large."),
    word("minimize", "minimize ", "The metric that is to be small."),
    word("trials", "trials = ${1:40}", "How many settings are tried."),
    word("parallel", "parallel = ${1:4}", "How many at once."),
    word("seed", "seed = ${1:7}", "The same seed tries the same settings."),
    word("prune", "prune = ${1|asha,median,none|}", "How hopeless trials are ended early."),
];
const TEST: &[Word] = &[
    word("with", "with ${1:name} = $0", "Another source of a data, or another value of a parameter."),
    word("expect", "expect ", "`NAME fails`, `NAME passes`, `NAME skipped`, or a condition."),
];
const COMPONENT: &[Word] = &[
    word("step", "step ${1:name} = $0", "Work: a step of a module."),
    word("gate", "gate ${1:name} {\n  require $0\n}", "What must hold."),
    word("output", "output ${1:name} = $0", "What the component gives."),
];

/// What may follow the header of a declaration.
pub(crate) fn after_header(keyword: &str) -> &'static [Word] {
    const STEP: &[Word] = &[
        word("when", "when ", "Runs only if the condition holds."),
        word("after", "after ", "Waits for gates or steps that it reads nothing from."),
        word("for", "for ${1:x} in [$0]", "Runs once for each value."),
    ];
    const AFTER: &[Word] = &[word("after", "after ", "Waits for gates.")];
    const AS: &[Word] = &[word("as", "as ", "The name it goes by in this file.")];
    match keyword {
        "step" => STEP,
        "gate" | "model" => AFTER,
        "use" => AS,
        _ => &[],
    }
}

/// What may follow a clause of a block.
pub(crate) fn after_clause(owner: &str, head: &str) -> &'static [Word] {
    const REQUIRE: &[Word] = &[
        word("because", "because \"$0\"", "Why, in a sentence; reports show it."),
        word("min_support", "min_support ", "Groups with fewer rows are left out."),
        word("unless", "unless first", "Waived when there is nothing registered to compare with yet."),
    ];
    const VERDICT: &[Word] =
        &[word("fails", "fails when ", "From where on it is a failure; between the two it is inconclusive.")];
    const FIELD: &[Word] = &[
        word("unique", "unique", "No two rows share a value."),
        word("label", "label", "What a model learns to predict."),
        word("in", "in ", "The values allowed: a range or a list."),
    ];
    const RHYTHM: &[Word] = &[word("over", "over ", "How much of the past each look takes in.")];
    const WEIGHT: &[Word] = &[
        word("for", "for ", "How long the share stands."),
        word("until", "until promoted", "Until a person says `mlp deploy promote`."),
    ];
    match (owner, head) {
        ("gate", "require") => REQUIRE,
        ("gate", "approve") => &[Word { word: "within", insert: "within ", doc: "How long they have." }],
        ("schema", _) => FIELD,
        ("check", _) => VERDICT,
        ("monitor", "every") => RHYTHM,
        ("canary" | "shadow" | "ab", _) => WEIGHT,
        _ => &[],
    }
}

/// Types of values.
pub(crate) const SCALARS: &[Word] = &[
    word("bool", "bool", "`true` or `false`."),
    word("int", "int", "A whole number of 64 bits."),
    word("float", "float", "A number of 64 bits, always finite."),
    word("fraction", "fraction", "A share: `20%`."),
    word("duration", "duration", "A length of time: `90s`, `10m`, `1h30m`, `7d`."),
    word("size", "size", "An amount of bytes: `512MiB`, `4GiB`."),
    word("date", "date", "A day: `2011-04-01`."),
    word("time", "time", "An instant: `2011-04-01T12:00:00Z`."),
    word("string", "string", "Text."),
];
/// Types with a type inside.
pub(crate) const GENERICS: &[Word] = &[
    word("list", "list<$0>", "Several values of one type."),
    word("map", "map<$0>", "Values of one type by name."),
    word("range", "range<$0>", "From a value to another: `1..10`."),
    word("dataset", "dataset<$0>", "A table with the columns of a schema."),
    word("model", "model<$0>", "A model of a format."),
    word("metrics", "metrics { $0 }", "Named numbers."),
];

/// Statistics of a table, for `expect`.
pub(crate) const STATS: &[Word] = &[
    word("rows", "rows", "How many rows the table has."),
    word("missing", "missing($0)", "The share of a column's cells that are missing."),
    word("unique", "unique($0)", "Whether no two rows share a value of the column."),
    word("distinct", "distinct($0)", "How many different values a column has."),
    word("min", "min($0)", "The smallest value of a column."),
    word("max", "max($0)", "The largest value of a column."),
    word("mean", "mean($0)", "The mean of a column."),
    word("fresh", "fresh($0)", "How long ago the newest date or time in a column was."),
];
/// Functions of numbers.
pub(crate) const FUNCTIONS: &[Word] = &[
    word("min", "min($0)", "The smallest of its arguments."),
    word("max", "max($0)", "The largest of its arguments."),
    word("abs", "abs($0)", "Without its sign."),
    word("round", "round($0)", "The nearest whole number, half away from zero."),
    word("sqrt", "sqrt($0)", "The square root."),
    word("log", "log($0)", "The natural logarithm."),
    word("exp", "exp($0)", "e to the power."),
    word("mod", "mod($0)", "The remainder of a division of whole numbers."),
];
/// Functions of a metric over groups.
pub(crate) const REDUCTIONS: &[Word] = &[
    word("disparity", "disparity($0, by: )", "The largest minus the smallest value of a metric over groups."),
    word("lowest", "lowest($0, by: )", "The smallest value of a metric over groups."),
    word("highest", "highest($0, by: )", "The largest value of a metric over groups."),
];
/// Where rows come from.
pub(crate) const SOURCES: &[Word] = &[
    word("csv", "csv(\"$0\")", "A CSV file. Options: `delimiter`, `missing`."),
    word("parquet", "parquet(\"$0\")", "A Parquet file."),
    word("json_lines", "json_lines(\"$0\")", "A file with one JSON object a line."),
    word("sql", "sql(\"$1\", query: \"\"\"$0\"\"\")", "The result of a query."),
];
/// What runs a step beside modules.
pub(crate) const BODIES: &[Word] = &[
    word("sql", "sql \"\"\"\n  select $0\n\"\"\"", "A query over tables of the file."),
    word("docker", "docker(\"$1\") {\n  $0\n}", "A container."),
    word("process", "process([\"$0\"])", "A program, without a sandbox; the pipeline must allow it."),
];
/// How a model is served.
pub(crate) const SERVES: &[Word] = &[
    word("online", "online(port: ${1:8080})", "Answers requests, one by one or a few at a time."),
    word("batch", "batch($0)", "Scores a table."),
    word("stream", "stream($0)", "Scores a stream."),
];
/// Arguments of built-in calls that have a name.
pub(crate) fn arguments(callee: &str) -> &'static [Word] {
    match callee {
        "csv" => &[
            Word { word: "delimiter", insert: "delimiter: \"$0\"", doc: "What separates cells; `,` unless told." },
            Word {
                word: "missing",
                insert: "missing: [\"\", \"$0\"]",
                doc: "Cells with one of these texts are missing.",
            },
        ],
        "online" => ONLINE,
        "drift" => &[
            Word { word: "method", insert: "method: ", doc: "How drift is measured; by the column unless told." },
            Word { word: "alpha", insert: "alpha: 5%", doc: "Below it a p-value is a breach." },
        ],
        "disparity" | "lowest" | "highest" => {
            &[Word { word: "by", insert: "by: ", doc: "The column whose values are the groups." }]
        }
        "rmse" | "mae" | "bias" | "r2" | "accuracy" | "auc" | "log_loss" => &[
            Word { word: "label", insert: "label: ", doc: "The column it is measured against." },
            Word { word: "delay", insert: "delay: ", doc: "How long labels take to come." },
        ],
        _ => &[],
    }
}
const ONLINE: &[Word] = &[
    word("host", "host: \"$0\"", "Where to listen; `127.0.0.1` unless told."),
    word("port", "port: ${1:8080}", "8080 unless told."),
    word("replicas", "replicas: ", "Copies of the model that predict at once; 1 unless told."),
    word("timeout", "timeout: ", "A request that takes longer fails; 5s unless told."),
    word("batch", "batch: ", "Most rows in one call of the model; 256 unless told."),
    word("sticky", "sticky: ", "`header(\"x-user\")` or `column(customer)`: the same key goes to the same version."),
    word("log", "log: ", "Whether predictions are logged; true unless told."),
];
/// What a monitor can watch.
pub(crate) const WATCHED: &[Word] = &[
    word("drift", "drift($0) <= 0.1", "How far columns have moved from the reference."),
    word("drifted", "drifted($0) < 50%", "The share of the columns that drift."),
    word("error_rate", "error_rate <= ${1:1%}", "The share of requests that failed."),
    word("requests", "requests >= ${1:1}", "How many requests there were."),
    word("p95", "p95(latency) <= ${1:250ms}", "The time within which 95% of requests were answered."),
    word("mean", "mean(latency) <= ${1:100ms}", "The mean time to an answer."),
    word("rmse", "rmse(label: $1, delay: $2) <= $0", "Root of the mean squared error."),
    word("mae", "mae(label: $1, delay: $2) <= $0", "Mean absolute error."),
    word("bias", "bias(label: $1, delay: $2) <= $0", "Mean of prediction minus label."),
    word("r2", "r2(label: $1, delay: $2) >= $0", "Share of the variance explained."),
    word("accuracy", "accuracy(label: $1, delay: $2) >= $0", "Share of right classes."),
    word("auc", "auc(label: $1, delay: $2) >= $0", "Area under the ROC curve."),
    word("log_loss", "log_loss(label: $1, delay: $2) <= $0", "Mean negative log likelihood."),
];
/// Limits that speak of the past.
pub(crate) const PAST: &[Word] = &[
    word("baseline", "baseline(${1:7d})", "The mean of the same watch over the past."),
    word("sigma", "sigma(${1:7d})", "Its standard deviation over the past."),
];
/// Ways to measure drift.
pub(crate) const METHODS: &[Word] = &[
    word("auto", "auto", "As the column and the size of the reference demand."),
    word("ks", "ks", "Kolmogorov-Smirnov of two samples; a p-value."),
    word("chi_square", "chi_square", "Chi-square; a p-value."),
    word("z", "z", "Z-test of two proportions; a p-value."),
    word("wasserstein", "wasserstein", "Wasserstein distance in standard deviations of the reference."),
    word("jensen_shannon", "jensen_shannon", "Jensen-Shannon distance."),
    word("psi", "psi", "Population stability index."),
];
/// `on_no_data`.
pub(crate) const NO_DATA: &[Word] = &[
    word("wait", "wait", "Neither good nor bad: time does not pass."),
    word("pass", "pass", "As if it had held."),
    word("fail", "fail", "As if it had not."),
];
/// `prune`.
pub(crate) const PRUNE: &[Word] = &[
    word("none", "none", "Every trial runs to its end."),
    word("asha", "asha", "Successive halving, without waiting for others."),
    word("median", "median", "A trial below the median of the others ends."),
];
/// `pii`.
pub(crate) const PII: &[Word] = &[
    word("deny", "deny", "The run stops."),
    word("mask", "mask", "The cells are masked."),
    word("quarantine", "quarantine", "The rows are set aside."),
    word("allow", "allow", "They are let through."),
];
/// What starts a pipeline by itself.
pub(crate) const EVENTS: &[Word] = &[
    word("schedule", "schedule \"${1:0 3 * * 1}\"", "At times: minute, hour, day of month, month, day of week."),
    word("change", "change ", "When the file of a data has another content."),
    word("webhook", "webhook \"$0\"", "When it is called."),
    word("commit", "commit \"${1:main}\"", "When a branch has a new commit."),
    word("end", "end of \"$0\"", "When another pipeline has ended."),
];
/// Where a secret comes from.
pub(crate) const SECRETS: &[Word] = &[
    word("env", "env(\"$0\")", "An environment variable."),
    word("file", "file(\"$0\")", "A file."),
    word("command", "command([\"$0\"])", "What a program prints."),
];
/// Constants.
pub(crate) const CONSTANTS: &[Word] =
    &[word("true", "true", "Yes."), word("false", "false", "No."), word("null", "null", "Missing.")];
/// Units that may follow a number.
pub(crate) const UNITS: &[Word] = &[
    word("%", "%", "Per hundred: a fraction."),
    word("ms", "ms", "Milliseconds."),
    word("s", "s", "Seconds."),
    word("m", "m", "Minutes."),
    word("h", "h", "Hours."),
    word("d", "d", "Days."),
    word("KiB", "KiB", "1,024 bytes."),
    word("MiB", "MiB", "1,024 KiB."),
    word("GiB", "GiB", "1,024 MiB."),
    word("TiB", "TiB", "1,024 GiB."),
];

/// Words that are part of the grammar wherever they stand.
pub(crate) const RESERVED: &[&str] = &["true", "false", "null", "and", "or", "not", "in", "when", "else"];

/// The documentation of a word of the language, looked up where it can mean something.
pub(crate) fn documented(word: &str, owner: &str, head: &str) -> Option<&'static Word> {
    let tables: [&'static [Word]; 21] = [
        members(owner),
        after_clause(owner, head),
        after_header(head),
        if owner.is_empty() { DECLARATIONS } else { &[] },
        if head == "expect" { STATS } else { &[] },
        if head == "watch" { WATCHED } else { &[] },
        if head == "prune" { PRUNE } else { &[] },
        if head == "pii" { PII } else { &[] },
        if head == "on" { EVENTS } else { &[] },
        if head == "secret" { SECRETS } else { &[] },
        if head == "serve" { SERVES } else { &[] },
        if head == "source" || head == "with" { SOURCES } else { &[] },
        if head == "step" { BODIES } else { &[] },
        if head == "on_no_data" { NO_DATA } else { &[] },
        FUNCTIONS,
        REDUCTIONS,
        METHODS,
        PAST,
        SCALARS,
        GENERICS,
        CONSTANTS,
    ];
    tables.into_iter().flatten().find(|known| known.word == word)
}
