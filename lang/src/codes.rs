//! The codes of names, types, declarations and lints: one line each, and `spec/06-findings.md` lists the same.
//!
//! A code is never given to another mistake. Syntax (`E01xx`) keeps its own codes beside the parser.

use crate::finding::Code;

pub use crate::syntax::codes::{NOT_IN_THIS_VERSION, UNEXPECTED_SYNTAX};

macro_rules! codes {
    ($($constant:ident = $id:literal $name:literal $meaning:literal;)*) => {
        $(#[doc = $meaning] pub const $constant: Code = Code::new($id, $name);)*

        /// Every code of this page with its meaning, in order.
        pub const ALL: &[(Code, &str)] = &[$(($constant, $meaning)),*];
    };
}

codes! {
    UNKNOWN_NAME = "E0201" "unknown-name" "A name that nothing declares.";
    UNKNOWN_MODULE = "E0202" "unknown-module" "A module that is neither in the standard library nor on disk.";
    UNKNOWN_STEP = "E0203" "unknown-step" "A step that its module does not offer.";
    UNKNOWN_OUTPUT = "E0204" "unknown-output" "An output that a node does not give, or one of several left unsaid.";
    UNKNOWN_METRIC = "E0205" "unknown-metric" "A metric that a step does not give.";
    UNKNOWN_COLUMN = "E0206" "unknown-column" "A column that the table does not have.";
    UNKNOWN_SETTING = "E0207" "unknown-setting" "A setting that this kind of block does not have.";
    UNKNOWN_ARGUMENT = "E0208" "unknown-argument" "An argument that the call does not take.";
    UNKNOWN_TYPE = "E0209" "unknown-type" "A type that does not exist.";
    DUPLICATE_DECLARATION = "E0210" "duplicate-declaration" "A name declared twice; the first one counts.";
    RESERVED_NAME = "E0211" "reserved-name" "A declaration named like something built in.";
    UNKNOWN_FUNCTION = "E0212" "unknown-function" "A function that does not exist here.";
    UNKNOWN_PARAM = "E0213" "unknown-param" "`--param` names a parameter that the file does not have.";
    WRONG_KIND = "E0214" "wrong-kind" "A name of one kind where another kind is wanted.";
    NAMELESS_MODULE = "E0215" "nameless-module" "A plugin without `as name`.";
    UNUSABLE_MODULE = "E0216" "unusable-module" "A plugin that this version cannot use.";
    DUPLICATE_COLUMN = "E0217" "duplicate-column" "A column declared twice in one schema.";
    DUPLICATE_SETTING = "E0218" "duplicate-setting" "A setting given twice in one block or call.";
    REPEATED_COLUMN = "E0219" "repeated-column" "A column named twice in one list.";
    UNKNOWN_REGISTRATION = "E0220" "unknown-registration" "A model in `registry(...)` that this file never registers.";
    UNKNOWN_ALIAS = "E0221" "unknown-alias" "An alias in `registry(...)` that no version can have.";
    UNKNOWN_ZONE = "E0222" "unknown-zone" "A time zone that does not exist.";
    UNKNOWN_SEARCHED = "E0246" "unknown-searched-setting" "A search over a setting that the step does not have.";
    TYPE_MISMATCH = "E0301" "type-mismatch" "A value of one type where another is wanted.";
    MISSING_UNIT = "E0302" "missing-unit" "A bare number where a fraction, duration or size is wanted.";
    BAD_OPERANDS = "E0303" "bad-operands" "An operator between types that it does not join.";
    NOT_A_VALUE = "E0304" "not-a-value" "A table, a model or a block where a value is wanted.";
    NOT_KNOWN_YET = "E0305" "not-known-yet" "Something only the run can know, where a constant is wanted.";
    OUT_OF_RANGE = "E0306" "out-of-range" "A number outside what the setting allows.";
    NO_VALUE = "E0307" "no-value" "A constant that has no value: a division by zero, an overflow.";
    EMPTY_RANGE = "E0308" "empty-range" "A range with nothing in it.";
    BAD_OVERRIDE = "E0309" "bad-override" "A value of `--param` that is not of the declared type.";
    BAD_ARGUMENTS = "E0310" "bad-arguments" "Arguments that a function does not take.";
    NOT_ONE_OF = "E0311" "not-one-of" "A text that is none of those allowed.";
    SECRET_SEEN = "E0312" "secret-seen" "A secret where it would be seen: in a command, a setting, a log or a fingerprint.";
    NOT_A_SECRET = "E0313" "not-a-secret" "A plain value where a secret is wanted.";
    CYCLE = "E0401" "cycle" "Nodes that wait for each other.";
    MISSING_ARGUMENT = "E0402" "missing-argument" "A call without an argument that must be given.";
    TOO_MANY_ARGUMENTS = "E0403" "too-many-arguments" "Arguments without a name beyond the inputs of a step.";
    NO_LABEL = "E0404" "no-label" "A step that needs a label, and a table that declares none.";
    NO_FEATURES = "E0405" "no-features" "A step that needs features, and a table without a column to learn from.";
    NOT_A_CALL = "E0406" "not-a-call" "A step whose body is not a call of a module's step.";
    MISSING_SETTING = "E0407" "missing-setting" "A block without a setting that must be given.";
    EMPTY_GATE = "E0408" "empty-gate" "A gate that requires nothing.";
    NO_GROUPS = "E0409" "no-groups" "A metric over groups that the step was not asked for.";
    NEVER_HOLDS = "E0410" "never-holds" "A requirement or expectation that no run can satisfy.";
    PARAM_WITHOUT_VALUE = "E0411" "param-without-value" "A parameter without a default that nobody gave.";
    EMPTY_SCHEMA = "E0412" "empty-schema" "A schema without columns.";
    TWO_LABELS = "E0413" "two-labels" "A schema with more than one label.";
    TWO_PIPELINES = "E0414" "two-pipelines" "A file with more than one `pipeline`.";
    MISPLACED_SUPPORT = "E0415" "misplaced-support" "`min_support` on a condition without groups.";
    LEAKING_LABEL = "E0416" "leaking-label" "A label among the features of the same step.";
    MISPLACED_REGISTRY = "E0417" "misplaced-registry" "`registry(...)` where no step takes a model.";
    MISSING_EXISTS = "E0418" "missing-exists" "A step that reads what no first run can find, without `when exists`.";
    MISPLACED_EXISTS = "E0419" "misplaced-exists" "`exists` on a step that reads nothing from the registry, or beside another condition.";
    MISPLACED_FIRST = "E0420" "misplaced-first" "`unless first` on a requirement that every run can measure.";
    WRONG_STRATEGY = "E0421" "wrong-strategy" "A deployment without a strategy, or with several.";
    BAD_WEIGHTS = "E0422" "bad-weights" "Weights that do not rise to 100%, or one that never ends.";
    MISSING_NO_DATA = "E0423" "missing-no-data" "A check or a monitor that does not say what no data means.";
    NOTHING_CHECKED = "E0424" "nothing-checked" "A check without conditions, a monitor without watches, a breach without actions.";
    WRONG_DIRECTION = "E0425" "wrong-direction" "A watch that holds when things are bad.";
    UNFIT_COLUMN = "E0426" "unfit-column" "A column whose drift cannot be measured so.";
    UNFIT_METRIC = "E0427" "unfit-metric" "A metric that this kind of model does not have.";
    WRONG_LABEL = "E0428" "wrong-label" "A watch of another column than the model predicts.";
    NOT_LOGGED = "E0429" "not-logged" "A monitor of a deployment that logs nothing.";
    BAD_SCHEDULE = "E0430" "bad-schedule" "A schedule that cannot be read.";
    NEVER_FIRES = "E0431" "never-fires" "A schedule that no day fits.";
    BAD_SECRET = "E0440" "bad-secret" "A secret that does not say where it is found.";
    BAD_IMAGE = "E0441" "bad-image" "A name of a container image that cannot be read.";
    NOT_ALLOWED = "E0442" "not-allowed" "A step outside of a sandbox in a pipeline that does not allow it.";
    BEYOND_RESOURCES = "E0443" "beyond-resources" "A step that asks for more than the pipeline's machines have.";
    NOTHING_TO_RUN = "E0444" "nothing-to-run" "A program's step without a program.";
    BAD_ADDRESS = "E0445" "bad-address" "An address of a table or a host that cannot be read.";
    MISFIT_SOURCE = "E0448" "misfit-source" "A table of a step that is no table of the data's schema.";
    MISPLACED_SETTING = "E0449" "misplaced-setting" "A setting that this kind of step cannot use.";
    UNSEARCHABLE = "E0460" "unsearchable" "A setting that cannot be searched, or values that are no range and no list.";
    BAD_LOG_RANGE = "E0461" "bad-log-range" "`log` of something else than a range of numbers above 0.";
    WRONG_GOAL = "E0462" "wrong-goal" "A search or an experiment without a goal, or with several.";
    UNRELATED_GOAL = "E0463" "unrelated-goal" "A goal on which the searched step has no influence.";
    EMPTY_SEARCH = "E0464" "empty-search" "A search that searches no setting.";
    EMPTY_TEST = "E0466" "empty-test" "A test that expects nothing.";
    TWO_ENDS = "E0467" "two-ends" "A test that expects two ends of one node.";
    NEVER_SKIPPED = "E0468" "never-skipped" "A test that expects data to be skipped.";
    BAD_APPROVAL = "E0469" "bad-approval" "An approval that nobody can give, or that needs nobody.";
    REPEATED_PERSON = "E0470" "repeated-person" "A person named twice in one approval.";
    MISPLACED_POLICY = "E0471" "misplaced-policy" "`policy(...)` as a part of a condition, or outside of a gate.";
    NOT_A_POLICY = "E0472" "not-a-policy" "A policy that is not the path of a `.rego` file.";
    CONTRADICTION = "E0473" "contradiction" "Conditions of one block that cannot hold together.";
    MISSING_FEATURE = "E0474" "missing-feature" "Data to be predicted without a column that the model needs.";
    FEEDS_ITSELF = "E0475" "feeds-itself" "A deployment that writes to where it reads from.";
    UNFIT_STRATEGY = "E0476" "unfit-strategy" "A strategy that a deployment which is served so cannot follow.";
    NOT_AN_ADDRESS = "E0477" "not-an-address" "An address of a stream, of a webhook or of a branch that cannot be one.";
    RUNS_ITSELF = "E0479" "runs-itself" "A pipeline that starts itself whenever it ends.";
    PORT_TAKEN = "E0480" "port-taken" "Two deployments that cannot listen at one port.";
    UNFIT_WATCH = "E0481" "unfit-watch" "A watch of requests where there are none.";
    MISSING_CAPABILITY = "E0902" "missing-capability" "A node that asks for what this version cannot do.";
    UNUSED_PARAM = "W0201" "unused-param" "A parameter that nothing reads.";
    UNUSED_SCHEMA = "W0202" "unused-schema" "A schema that no data has.";
    UNUSED_MODULE = "W0203" "unused-module" "A `use` that no step calls.";
    UNGATED_MODEL = "W0401" "ungated-model" "A model that is registered whatever it measures.";
    IDLE_GATE = "W0402" "idle-gate" "A gate that no model and no step waits for.";
    ALWAYS_HOLDS = "W0403" "always-holds" "A requirement or expectation that cannot fail.";
    FIRST_RUN_FAILS = "W0404" "first-run-fails" "A requirement on what the first run cannot measure.";
    IDLE_REFERENCE = "W0405" "idle-reference" "A reference that no watch is measured against.";
    UNUSED_SECRET = "W0410" "unused-secret" "A secret that nothing is given.";
    WRITTEN_SECRET = "W0411" "written-secret" "A text that looks like a credential.";
    FLOATING_IMAGE = "W0412" "floating-image" "An image whose name may mean other bytes tomorrow.";
    CACHED_NETWORK = "W0413" "cached-network" "A step with a network whose outcome is taken from the cache.";
    IDLE_SETTING = "W0414" "idle-setting" "A setting that changes nothing.";
    ONE_POINT = "W0430" "one-point" "A search in which there is nothing to choose.";
    SPARE_TRIALS = "W0431" "spare-trials" "More trials than there are choices.";
    IDLE_SEARCH = "W0432" "idle-search" "A search whose best nobody uses.";
    UNTUNED_MODEL = "W0433" "untuned-model" "A model from the step itself, beside a search over it.";
    IDLE_WORKERS = "W0434" "idle-workers" "More trials at once than there are trials.";
    REPEATED_VALUE = "W0435" "repeated-value" "A value that stands twice among those to be tried.";
    IDLE_TEST = "W0436" "idle-test" "A test that replaces nothing.";
    IDLE_REPLACEMENT = "W0437" "idle-replacement" "Data replaced in a test that expects nothing of what reads them.";
    SAME_VALUE = "W0438" "same-value" "A parameter replaced by the value it has.";
    OPEN_WEBHOOK = "W0441" "open-webhook" "A webhook that anybody may post to.";
    UNGATED_DEPLOYMENT = "W0442" "ungated-deployment" "A model that goes live whatever it measures.";
    UNATTENDED_RUN = "W0443" "unattended-run" "A run that starts by itself, of a parameter without a value.";
    WAITS_FOREVER = "W0444" "waits-forever" "A run that starts by itself and waits for people without end.";
    EVERY_MINUTE = "W0445" "every-minute" "A schedule that fires in each minute of an hour.";
    UNUSED_SILENCER = "W0901" "unused-silencer" "A silencer without anything to silence.";
    UNKNOWN_LINT = "W0902" "unknown-lint" "A silencer of a lint that does not exist.";
    BAD_SILENCER = "W0903" "bad-silencer" "A comment that begins with `mlp:` and is no silencer.";
    NOT_A_LINT = "W0904" "not-a-lint" "A silencer of an error: only lints can be silenced.";
}
