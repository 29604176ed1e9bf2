//! `mlp serve` in a scratch project, its clients, and its end.

use crate::space::Space;
use mlp_core::project::Project;
use mlp_live::control::{Answer, Client, Request};
use mlp_live::home::Home;
use serde_json::{Value, json};
use std::process::{Child, Command};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU16, Ordering};
use std::time::{Duration, Instant};

/// As long as anybody waits for something that must come.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A port that nobody uses now. Below those that the system gives to clients, of which our tests have many, and another
/// each time.
pub fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = u16::try_from(std::process::id() % 200).expect("small") * 60;
    let mut ports = std::iter::repeat_with(|| 20_000 + (first + NEXT.fetch_add(1, Ordering::SeqCst)) % 12_000);
    ports.find(|port| std::net::TcpListener::bind(("127.0.0.1", *port)).is_ok()).expect("a free port")
}

/// A resident engine. Killed when dropped.
pub struct Served {
    child: Child,
    home: Home,
    url: String,
}

/// What a client saw.
#[derive(Clone, Debug)]
pub struct Seen {
    /// When it asked.
    pub asked: Instant,
    /// How long it waited.
    pub took: Duration,
    /// The status; 0 if there was no answer.
    pub status: u16,
    /// The version that answered, as the header says.
    pub version: Option<u64>,
    /// The body.
    pub body: String,
}

impl Served {
    /// Starts one and waits until it answers.
    pub fn start(space: &Space, arguments: &[&str]) -> Served {
        let log = std::fs::File::options().create(true).append(true).open(space.path("serve.log")).expect("a log");
        let mut command: Command = space.command(&[&["serve"], arguments].concat());
        let child = command.stdout(log.try_clone().expect("a log")).stderr(log).spawn().expect("mlp starts");
        let home = Home::of(&Project::at(space.path(".mlp")));
        let mut served = Served { child, home, url: String::new() };
        let listening = served.wait_for(space, || match Client::connect(&Home::of(&Project::at(space.path(".mlp")))) {
            Ok(mut client) => match client.ask(&Request::Hello) {
                Ok(Answer::Hello { listening, .. }) => Some(listening),
                _ => None,
            },
            Err(_) => None,
        });
        served.url = listening.into_iter().next().expect("a deployment").1;
        served
    }

    fn wait_for<T>(&mut self, space: &Space, mut ready: impl FnMut() -> Option<T>) -> T {
        let begun = Instant::now();
        loop {
            if let Some(found) = ready() {
                return found;
            }
            if let Ok(Some(status)) = self.child.try_wait() {
                panic!("mlp serve ended with {status}:\n{}", space.read("serve.log"));
            }
            assert!(begun.elapsed() < PATIENCE, "mlp serve does not answer:\n{}", space.read("serve.log"));
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    /// Where it answers.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Its process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Asks the engine.
    pub fn ask(&self, request: &Request) -> Answer {
        Client::connect(&self.home).expect("a resident engine").ask(request).expect("an answer")
    }

    /// Moves virtual time on.
    pub fn advance(&self, to: i64) {
        assert!(matches!(self.ask(&Request::Advance { to }), Answer::Done(_)));
    }

    /// One row, and what was answered.
    pub fn predict(&self, x: f64) -> Seen {
        predict(&agent(), &self.url, "production", &json!({"rows": [{"x": x}]}))
    }

    /// Kills it as nothing can be killed more thoroughly.
    pub fn kill(mut self) {
        self.child.kill().expect("SIGKILL");
        self.child.wait().expect("a dead child");
    }

    /// Stops it as a person does, and gives its exit code.
    pub fn stop(mut self) -> Option<i32> {
        let pid = rustix::process::Pid::from_raw(self.child.id() as i32).expect("a pid");
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("SIGTERM");
        self.child.wait().expect("an end").code()
    }

    /// Clients that ask on and on until the result is stopped.
    pub fn load(&self, clients: usize) -> Load {
        let stop = Arc::new(AtomicBool::new(false));
        let client = |number: usize| {
            let (stop, url) = (stop.clone(), self.url.clone());
            std::thread::spawn(move || {
                let agent = agent();
                let mut seen = Vec::new();
                while !stop.load(Ordering::SeqCst) {
                    let x = (seen.len() * 7 + number) as f64;
                    seen.push(predict(&agent, &url, "production", &json!({"rows": [{"x": x}]})));
                    std::thread::sleep(Duration::from_millis(2));
                }
                seen
            })
        };
        Load { threads: (0..clients).map(client).collect(), stop }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Clients at work.
pub struct Load {
    stop: Arc<AtomicBool>,
    threads: Vec<std::thread::JoinHandle<Vec<Seen>>>,
}

impl Load {
    /// Ends them; everything that they saw, by the time they asked.
    pub fn stop(self) -> Vec<Seen> {
        self.stop.store(true, Ordering::SeqCst);
        let mut seen: Vec<Seen> =
            self.threads.into_iter().flat_map(|thread| thread.join().expect("a client")).collect();
        seen.sort_by_key(|seen| seen.asked);
        seen
    }
}

/// A client that keeps its connection.
pub fn agent() -> ureq::Agent {
    ureq::Agent::config_builder().http_status_as_error(false).timeout_global(Some(PATIENCE)).build().into()
}

/// Asks a deployment.
pub fn predict(agent: &ureq::Agent, url: &str, deployment: &str, body: &Value) -> Seen {
    ask(agent.post(format!("{url}/deployments/{deployment}/predict")), body)
}

/// Asks `production` about one row, with one more header.
pub fn predict_as(agent: &ureq::Agent, url: &str, header: (&str, &str), x: f64) -> Seen {
    let request = agent.post(format!("{url}/deployments/production/predict")).header(header.0, header.1);
    ask(request, &json!({"rows": [{"x": x}]}))
}

fn ask(request: ureq::RequestBuilder<ureq::typestate::WithBody>, body: &Value) -> Seen {
    let asked = Instant::now();
    let sent = request.header("content-type", "application/json").send(body.to_string());
    let took = asked.elapsed();
    match sent {
        Ok(answer) => {
            let header = answer.headers().get("x-mlp-version").and_then(|version| version.to_str().ok()?.parse().ok());
            let status = answer.status().as_u16();
            Seen { asked, took, status, version: header, body: answer.into_body().read_to_string().unwrap_or_default() }
        }
        Err(error) => Seen { asked, took, status: 0, version: None, body: error.to_string() },
    }
}

/// Waits until something is so.
#[track_caller]
pub fn eventually<T>(what: &str, space: &Space, mut so: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = so() {
            return found;
        }
        assert!(begun.elapsed() < PATIENCE, "{what} never came:\n{}", space.read("serve.log"));
        std::thread::sleep(Duration::from_millis(20));
    }
}
