//! The engine as a whole, on steps that run in this process.

mod disk;
mod fans;
mod faults;
mod folding;
mod lifecycle;
mod limits;
mod runs;
mod state;
mod transfer;
mod upkeep;

use crate::aliases::Aliases;
use crate::clock::Clock;
use crate::engine::{Engine, Options};
use crate::error::EngineError;
use crate::executor::{ArtifactMeta, Cancel, Executor, Imported, Job, Produced, StepError, TableInfo, Tables, Task};
use crate::observer::{Observer, Unobserved};
use crate::project::Project;
use crate::record::{Millis, Record};
use crate::request::{Parts, RunReport, RunRequest};
use crate::view::NodeState;
use indexmap::IndexMap;
use mlp_lang::finding::{Code, Finding, Place};
use mlp_lang::live::{DeployNode, Pick, RegistryNode, Serve, Strategy};
use mlp_lang::pipeline::*;
use mlp_lang::span::{Source, Span};
use mlp_lang::types::{Column, Comparison, MetricField, Schema, Type};
use mlp_lang::value::Value;
use mlp_lang::work::{FanNode, Work};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use tempfile::TempDir;

/// Steps of one module, each named for what it does. Tables are text files here: a header and rows.
#[derive(Default)]
struct Steps {
    /// Names of the nodes that ran, in order of their start.
    ran: Mutex<Vec<String>>,
    /// How many steps that want to be alone are under way.
    at_work: AtomicI64,
    /// Told apart from an upgrade of the component.
    version: Mutex<String>,
}

#[async_trait::async_trait]
impl Executor for Steps {
    fn name(&self) -> &'static str {
        "test"
    }

    fn identity(&self, task: &Task) -> BTreeMap<String, String> {
        let Task::Step(step) = task else { return BTreeMap::new() };
        let version = self.version.lock().unwrap().clone();
        BTreeMap::from([("component".to_owned(), format!("{}{version}", step.digest))])
    }

    async fn run(&self, job: Job) -> Result<BTreeMap<String, Produced>, StepError> {
        self.ran.lock().unwrap().push(job.node.clone());
        let Task::Step(step) = &job.task else { return Err(StepError::Failed("only steps of modules".to_owned())) };
        let setting = |name: &str| match step.params.get(name) {
            Some(Value::Int(value)) => *value,
            _ => 0,
        };
        let out = |name: &str, bytes: &[u8], meta: ArtifactMeta| {
            let path = job.out.join(name);
            std::fs::write(&path, bytes).unwrap();
            BTreeMap::from([(name.to_owned(), Produced { path, meta })])
        };
        let model = ArtifactMeta { flavor: Some("classifier".to_owned()), ..Default::default() };
        let inputs: Vec<u8> = job.inputs.values().flat_map(|given| std::fs::read(&given.path).unwrap()).collect();
        match step.step.as_str() {
            // A model that depends on everything it is given; `size` makes it large.
            "train" => {
                let mut bytes = format!("c={};", setting("c")).into_bytes();
                bytes.extend_from_slice(&inputs);
                bytes.resize(bytes.len() + setting("size") as usize, b'.');
                Ok(out("model", &bytes, model))
            }
            // Keeps the first rows of a table: often the same for different tables.
            "head" => {
                let text = String::from_utf8(inputs).unwrap();
                let rows: Vec<&str> = text.lines().take(1 + setting("rows") as usize).collect();
                Ok(out("rows", rows.join("\n").as_bytes(), ArtifactMeta::default()))
            }
            "score" => {
                let auc = setting("auc") as f64 / 100.0;
                let json = format!(
                    r#"{{"metrics":{{"auc":{auc},"none":null}},"groups":[
                        {{"by":"plan","value":"free","rows":500,"metrics":{{"auc":{auc}}}}},
                        {{"by":"plan","value":"pro","rows":300,"metrics":{{"auc":{}}}}},
                        {{"by":"plan","value":"team","rows":3,"metrics":{{"auc":0.0}}}}]}}"#,
                    auc - 0.1
                );
                Ok(out("metrics", json.as_bytes(), ArtifactMeta::default()))
            }
            "talk" => {
                job.log.line("info", "first\nsecond");
                job.log.progress(0.5);
                Ok(out("model", b"talk", model))
            }
            "fail" => Err(StepError::Failed("the step says no".to_owned())),
            "flaky" if i64::from(job.attempt) <= setting("times") => Err(StepError::Transient("not yet".to_owned())),
            "flaky" => Ok(out("model", b"at last", model)),
            "panic" => panic!("a defect in an executor"),
            // Hears nothing but the end.
            "stubborn" => {
                job.began.say();
                while !job.cancel.is_killed() {
                    tokio::time::sleep(std::time::Duration::from_millis(1)).await;
                }
                Err(StepError::Cancelled)
            }
            // Takes its time, with nobody of its like beside it.
            "alone" => {
                let beside = self.at_work.fetch_add(1, Ordering::SeqCst);
                tokio::time::sleep(std::time::Duration::from_millis(3)).await;
                self.at_work.fetch_sub(1, Ordering::SeqCst);
                match beside {
                    0 => Ok(out("model", b"alone", model)),
                    _ => Err(StepError::Failed("somebody is there".to_owned())),
                }
            }
            "wait" => {
                job.began.say();
                while !job.cancel.is_set() {
                    tokio::time::sleep(std::time::Duration::from_millis(1)).await;
                }
                Err(StepError::Cancelled)
            }
            "litter" => {
                use std::os::unix::fs::PermissionsExt;
                let deep = job.work.join("deep/er");
                std::fs::create_dir_all(&deep).unwrap();
                std::fs::write(deep.join("file"), "x").unwrap();
                std::fs::set_permissions(&deep, std::fs::Permissions::from_mode(0o000)).unwrap();
                Ok(out("model", b"litter", model))
            }
            "nothing" => Ok(BTreeMap::new()),
            "elsewhere" => {
                let path = job.work.join("model");
                std::fs::write(&path, "model").unwrap();
                Ok(BTreeMap::from([("model".to_owned(), Produced { path, meta: model })]))
            }
            "link" => {
                let path = job.out.join("model");
                std::os::unix::fs::symlink("/etc/hostname", &path).unwrap();
                Ok(BTreeMap::from([("model".to_owned(), Produced { path, meta: model })]))
            }
            "infinite" => Ok(out("metrics", br#"{"metrics":{"auc":1e999}}"#, ArtifactMeta::default())),
            "mute" => Ok(out("metrics", br#"{"metrics":{}}"#, ArtifactMeta::default())),
            "regressor" => {
                let meta = ArtifactMeta { flavor: Some("regressor".to_owned()), ..Default::default() };
                Ok(out("model", b"x", meta))
            }
            other => Err(StepError::Operational(format!("no step `{other}`"))),
        }
    }
}

/// Text files: the first line names the columns, every cell is a whole number.
struct TextTables;

impl Tables for TextTables {
    fn identity(&self, _data: &DataNode) -> BTreeMap<String, String> {
        BTreeMap::from([("reader".to_owned(), "text 1".to_owned())])
    }

    fn import(&self, data: &DataNode, path: &Path, shown: &str, out: &Path) -> Result<Imported, Vec<Finding>> {
        let finding = |message: String| {
            let place = Place::Data { path: shown.into(), row: None, line: None, column: None };
            vec![Finding::error(Code::new("D0001", "unreadable"), place, message)]
        };
        let text = std::fs::read_to_string(path).map_err(|error| finding(format!("cannot read {shown}: {error}")))?;
        let mut cells = text.lines().skip(1).flat_map(|line| line.split(','));
        if let Some(bad) = cells.find(|cell| cell.parse::<i64>().is_err()) {
            return Err(finding(format!("`{bad}` is not a whole number")));
        }
        std::fs::write(out, &text).unwrap();
        let rows = text.lines().count() as u64 - 1;
        let newest = text.lines().nth(1).map(|line| Value::Time(format!("2026-11-21T00:00:0{line}Z")));
        let stat = |stat: Stat| match stat {
            Stat::Fresh(_) => (stat, newest.clone()),
            _ => (stat, None),
        };
        Ok(Imported { rows, stats: data.stats().into_iter().map(stat).collect() })
    }

    fn concat(&self, _: &Schema, parts: &[PathBuf], out: &Path) -> Result<u64, String> {
        let texts: Vec<String> = parts.iter().map(|part| std::fs::read_to_string(part).unwrap()).collect();
        let mut lines: Vec<&str> = texts.iter().flat_map(|text| text.lines().skip(1)).collect();
        let rows = lines.len() as u64;
        lines.insert(0, texts[0].lines().next().unwrap());
        std::fs::write(out, lines.join("\n")).unwrap();
        Ok(rows)
    }

    fn inspect(&self, path: &Path) -> Result<TableInfo, String> {
        let text = std::fs::read_to_string(path).map_err(|error| error.to_string())?;
        let columns = text.lines().next().unwrap_or_default().split(',').map(column).collect();
        Ok(TableInfo { columns, rows: text.lines().count() as u64 - 1 })
    }
}

/// Stands still unless told; every look moves it on by one, so that no two records have one time.
struct TestClock(AtomicI64);

/// 2026-11-21T00:00:00Z.
const MIDNIGHT: Millis = 1_795_219_200_000;

impl Clock for TestClock {
    fn now(&self) -> Millis {
        self.0.fetch_add(1, Ordering::SeqCst)
    }
}

/// A project in a scratch folder, with a pipeline and what runs it.
struct Scratch {
    folder: TempDir,
    steps: Arc<Steps>,
    clock: Arc<TestClock>,
    /// What is deployed, as whoever asks is told.
    aliases: Mutex<Aliases>,
}

impl Scratch {
    fn new() -> Scratch {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("x.csv"), "a\n1\n2\n3\n").unwrap();
        Scratch {
            folder,
            steps: Arc::default(),
            clock: Arc::new(TestClock(AtomicI64::new(MIDNIGHT))),
            aliases: Mutex::default(),
        }
    }

    fn project(&self) -> Project {
        Project::at(self.folder.path().join(".mlp"))
    }

    fn aliases(&self) -> Aliases {
        self.aliases.lock().unwrap().clone()
    }

    fn parts(&self) -> Parts {
        Parts { executor: self.steps.clone(), tables: Arc::new(TextTables) }
    }

    fn engine(&self) -> Result<Engine, EngineError> {
        let options = Options { clock: self.clock.clone(), command: "mlp test".to_owned(), ..Options::default() };
        Engine::open_with(self.project(), self.parts(), options)
    }

    fn request(&self, pipeline: &Pipeline) -> RunRequest {
        RunRequest {
            pipeline: Arc::new(pipeline.clone()),
            source: Source::new("x.mlp", "mlp 1"),
            base: self.folder.path().to_owned(),
            jobs: 2,
            force: Vec::new(),
            only: Vec::new(),
            keep_going: true,
            aliases: self.aliases(),
            trigger: None,
        }
    }

    fn run(&self, pipeline: &Pipeline) -> RunReport {
        self.run_with(self.request(pipeline), Arc::new(Unobserved), Cancel::default()).unwrap()
    }

    fn run_with(
        &self,
        request: RunRequest,
        observer: Arc<dyn Observer>,
        cancel: Cancel,
    ) -> Result<RunReport, EngineError> {
        let mut engine = self.engine()?;
        runtime().block_on(engine.run(request, observer, cancel))
    }

    /// What ran since this was last asked.
    fn ran(&self) -> Vec<String> {
        std::mem::take(&mut self.steps.ran.lock().unwrap())
    }

    /// What would run and why, a line each; what would be reused is left out.
    fn why(&self, pipeline: &Pipeline) -> Vec<String> {
        let plan = self.engine().unwrap().plan(pipeline, self.folder.path(), &[], &self.aliases()).unwrap();
        let looking = crate::history::History::open(&self.project());
        let seen = looking.plan(&self.parts(), pipeline, self.folder.path(), &[], &self.aliases()).unwrap();
        assert_eq!(plan, seen, "history plans as the engine does");
        reasons(&plan)
    }

    /// What a look from outside, with neither the engine nor its store, says would run and why.
    fn looks(&self, pipeline: &Pipeline) -> Vec<String> {
        let looking = crate::history::History::open(&self.project());
        reasons(&looking.plan(&self.parts(), pipeline, self.folder.path(), &[], &self.aliases()).unwrap())
    }

    /// Every file below the state folder that is neither a journal nor the store.
    fn litter(&self) -> Vec<String> {
        let mut left = crate::disk::names(&self.project().work()).unwrap();
        for run in self.project().run_numbers().unwrap() {
            let names = crate::disk::names(&self.project().run(run)).unwrap();
            left.extend(names.into_iter().filter(|name| name != "journal" && name != "logs"));
        }
        left
    }
}

fn reasons(plan: &crate::plan::Plan) -> Vec<String> {
    let lines = plan.nodes.iter().filter_map(|node| match &node.decision {
        crate::plan::Decision::Run { reasons, .. } => {
            let reasons: Vec<String> = reasons.iter().map(ToString::to_string).collect();
            Some(format!("{}: {}", node.name, reasons.join("; ")))
        }
        crate::plan::Decision::Skip { reason } => Some(format!("{}: skip: {reason}", node.name)),
        _ => None,
    });
    lines.collect()
}

fn runtime() -> tokio::runtime::Runtime {
    tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap()
}

/// Remembers every record.
#[derive(Default)]
struct Watching(Mutex<Vec<Record>>, Mutex<Vec<String>>);

impl Observer for Watching {
    fn record(&self, record: &Record) {
        self.0.lock().unwrap().push(record.clone());
    }

    fn log(&self, node: &str, level: &str, line: &str) {
        self.1.lock().unwrap().push(format!("{node} {level} {line}"));
    }
}

/// `name state` for each node of a report.
fn states(report: &RunReport) -> Vec<(String, NodeState)> {
    report.view.nodes.iter().map(|node| (node.name.clone(), node.state)).collect()
}

fn column(name: &str) -> Column {
    Column { name: name.to_owned(), ty: Type::Int, nullable: false, unique: false, label: false, bounds: Vec::new() }
}

fn schema() -> Schema {
    Schema { name: Some("X".to_owned()), columns: vec![column("a")] }
}

/// Builds a pipeline, node by node, in order.
#[derive(Clone)]
struct Build(Pipeline);

impl Build {
    fn new() -> Build {
        Build(Pipeline {
            name: "p".to_owned(),
            about: None,
            owner: None,
            tags: IndexMap::new(),
            params: IndexMap::new(),
            tests: Vec::new(),
            nodes: Vec::new(),
        })
    }

    fn id(&self, name: &str) -> NodeId {
        self.0.nodes.iter().find(|node| node.name == name).unwrap().id
    }

    fn node(mut self, name: &str, needs: &[NodeId], kind: NodeKind) -> Build {
        let mut needs = needs.to_vec();
        needs.sort();
        needs.dedup();
        let id = NodeId(self.0.nodes.len() as u32);
        let span = Span::default();
        self.0.nodes.push(Node { id, name: name.to_owned(), doc: None, span, needs, when: None, kind });
        self
    }

    fn data(self, name: &str, expectations: Vec<(&str, Expr)>) -> Build {
        let source = DataSource::Csv { path: "x.csv".to_owned(), delimiter: b',', missing: vec![String::new()] };
        let expectation =
            |(text, condition): (&str, Expr)| Expectation { condition, text: text.to_owned(), span: Span::default() };
        let expectations = expectations.into_iter().map(expectation).collect();
        self.node(name, &[], NodeKind::Data(DataNode { schema: schema(), source, expectations, pii: None }))
    }

    /// A step `name` that does `does`, reading outputs `node.output`, with whole-number settings.
    fn step(self, name: &str, does: &str, reads: &[&str], settings: &[(&str, i64)]) -> Build {
        let mut inputs = IndexMap::new();
        for from in reads {
            let (node, output) = from.split_once('.').unwrap();
            let input = if reads.len() == 1 { "from".to_owned() } else { node.to_owned() };
            inputs.insert(input, OutputRef { node: self.id(node), output: output.to_owned() });
        }
        let field = |name: &str| MetricField { name: name.to_owned(), ty: Type::Fraction, doc: String::new() };
        let output = match does {
            "head" => ("rows", Type::Dataset(schema())),
            "score" => ("metrics", Type::Metrics(vec![field("auc"), field("none")])),
            "infinite" | "mute" => ("metrics", Type::Metrics(vec![field("auc")])),
            _ => ("model", Type::Model("classifier".to_owned())),
        };
        let needs: Vec<NodeId> = inputs.values().map(|from: &OutputRef| from.node).collect();
        let step = StepNode {
            module: "std/test".to_owned(),
            version: "0.1.0".to_owned(),
            digest: "d".to_owned(),
            step: does.to_owned(),
            params: settings.iter().map(|(name, value)| ((*name).to_owned(), Value::Int(*value))).collect(),
            inputs,
            outputs: IndexMap::from([(output.0.to_owned(), output.1)]),
            limits: Limits { retry: 1, ..Limits::default() },
            conduct: Conduct::default(),
        };
        self.node(name, &needs, NodeKind::Step(Arc::new(step)))
    }

    /// Two gates in one: the last requirement is waived unless what it reads exists.
    fn gate_unless_first(self, name: &str, text: &str, always: Expr, unless_first: Expr) -> Build {
        let mut build = self.gate(name, "always", always);
        let Some(Node { needs, kind: NodeKind::Gate(gate), .. }) = build.0.nodes.last_mut() else { return build };
        needs.extend(crate::verdict::metrics_asked(&unless_first).iter().map(|metric| metric.node));
        needs.sort();
        needs.dedup();
        let like = gate.requirements[0].clone();
        gate.requirements.push(Requirement {
            text: text.to_owned(),
            condition: unless_first,
            because: None,
            unless_first: true,
            ..like
        });
        build
    }

    fn registry(self, name: &str, model: &str, pick: Pick, required: bool) -> Build {
        let flavor = "classifier".to_owned();
        self.node(name, &[], NodeKind::Registry(RegistryNode { model: model.to_owned(), pick, flavor, required }))
    }

    fn deploy(self, name: &str, model: &str) -> Build {
        let id = self.id(model);
        let serve = Serve {
            host: "127.0.0.1".to_owned(),
            port: 8080,
            replicas: 1,
            timeout: 5_000_000_000,
            batch: 256,
            sticky: None,
            log: true,
        };
        let deploy = DeployNode {
            model: id,
            model_name: model.to_owned(),
            flavor: "classifier".to_owned(),
            row: schema(),
            label: None,
            serve,
            form: Default::default(),
            strategy: Strategy::Replace { watch: 0, check: None },
            rollback_within: 30_000_000_000,
        };
        self.node(name, &[id], NodeKind::Deploy(Arc::new(deploy)))
    }

    fn gate(self, name: &str, text: &str, condition: Expr) -> Build {
        let needs: Vec<NodeId> = crate::verdict::metrics_asked(&condition).iter().map(|metric| metric.node).collect();
        let requirement = Requirement {
            condition,
            text: text.to_owned(),
            because: Some("it matters".to_owned()),
            unless_first: false,
            span: Span::default(),
        };
        self.node(name, &needs, NodeKind::Gate(GateNode { requirements: vec![requirement], ..GateNode::default() }))
    }

    fn model(self, name: &str, from: &str, gates: &[&str]) -> Build {
        let gates: Vec<NodeId> = gates.iter().map(|gate| self.id(gate)).collect();
        let source = OutputRef { node: self.id(from), output: "model".to_owned() };
        let needs: Vec<NodeId> = gates.iter().copied().chain([source.node]).collect();
        let model = ModelNode { source, flavor: "classifier".to_owned(), gates, card: IndexMap::new() };
        self.node(name, &needs, NodeKind::Model(model))
    }

    fn metric(&self, node: &str, metric: &str) -> Expr {
        Expr::Metric(MetricRef {
            node: self.id(node),
            output: "metrics".to_owned(),
            metric: metric.to_owned(),
            over: None,
            across: None,
            text: format!("{node}.{metric}"),
        })
    }

    /// The last step, for each of these whole numbers as its setting `variable`.
    fn each(mut self, variable: &str, values: &[i64]) -> Build {
        let Some(Node { kind, .. }) = self.0.nodes.last_mut() else { return self };
        let NodeKind::Step(step) = &*kind else { return self };
        let member = |value: &i64| {
            let mut step = StepNode::clone(step);
            step.params.insert(variable.to_owned(), Value::Int(*value));
            Work::Step(step)
        };
        let collected = |ty: &Type| match ty {
            Type::Dataset(_) => ty.clone(),
            one => Type::List(Box::new(one.clone())),
        };
        let fan = FanNode {
            variable: variable.to_owned(),
            values: values.iter().map(|value| Value::Int(*value)).collect(),
            members: values.iter().map(member).collect(),
            outputs: step.outputs.iter().map(|(name, ty)| (name.clone(), collected(ty))).collect(),
        };
        *kind = NodeKind::Fan(Arc::new(fan));
        self
    }

    /// What the last step may use.
    fn limits(mut self, limits: Limits) -> Build {
        if let Some(Node { kind: NodeKind::Step(step), .. }) = self.0.nodes.last_mut() {
            Arc::make_mut(step).limits = limits;
        }
        self
    }

    fn when(mut self, condition: Expr) -> Build {
        let asked: Vec<NodeId> = crate::verdict::metrics_asked(&condition).iter().map(|metric| metric.node).collect();
        let node = self.0.nodes.last_mut().unwrap();
        node.needs.extend(asked);
        node.needs.sort();
        node.needs.dedup();
        node.when = Some(condition);
        self
    }
}

fn at_least(left: Expr, right: Value) -> Expr {
    Expr::Compare(Comparison::GreaterOrEqual, Box::new(left), Box::new(Expr::Const(right)))
}

/// Data, a split of it, a model, its score, a gate, a registration.
fn churn(rows: i64, c: i64, auc: i64) -> Build {
    let build = Build::new()
        .data("x", vec![("rows >= 1", at_least(Expr::Stat(Stat::Rows), Value::Int(1)))])
        .step("split", "head", &["x.rows"], &[("rows", rows)])
        .step("train", "train", &["split.rows"], &[("c", c)])
        .step("eval", "score", &["train.model"], &[("auc", auc)]);
    let condition = at_least(build.metric("eval", "auc"), Value::Fraction(0.8));
    build.gate("quality", "eval.auc >= 80%", condition).model("churn", "train", &["quality"])
}
