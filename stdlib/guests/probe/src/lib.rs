//! A plugin for tests and benchmarks: a step that does next to nothing, steps that do what a step must not, and a model
//! that does what a model must not.
//!
//! It is built with the standard steps, because it needs the same SDK, and is part of no binary. It is also the
//! shortest whole plugin there is to read.

pub mod model;

mlp_sdk::plugin!(tick, misbehave, look, model; predictor: model::Misbehaving);

/// Gives back the number it was given.
#[mlp_sdk::step]
pub mod tick {
    use mlp_sdk::prelude::*;

    /// What may be set.
    pub struct Params {
        /// The number.
        pub number: i64,
    }

    /// What it gives.
    pub struct Outputs {
        /// The number.
        #[output(metrics(number: int))]
        pub metrics: Metrics,
    }

    /// Gives back the number it was given.
    pub fn run(params: Params) -> Result<Outputs, Error> {
        let all = vec![("number".to_owned(), Some(params.number as f64))];
        Ok(Outputs { metrics: Metrics { all, groups: vec![] } })
    }
}

/// Does what a step must not.
#[mlp_sdk::step]
pub mod misbehave {
    use mlp_sdk::prelude::*;

    /// What may be set.
    pub struct Params {
        /// In which way.
        #[param(one_of = ["panic", "spin", "grow", "chat", "nothing", "retry", "bad-input", "not-finite"])]
        pub how: String,
    }

    /// What it would give.
    pub struct Outputs {
        /// Never there.
        #[output(metrics(number: float))]
        pub metrics: Metrics,
    }

    /// Does what a step must not.
    pub fn run(params: Params) -> Result<Outputs, Error> {
        let number = match params.how.as_str() {
            "panic" => panic!("the step panics on purpose"),
            "spin" => loop {
                std::hint::black_box(());
            },
            "grow" => {
                let mut hoard: Vec<Vec<u8>> = vec![];
                loop {
                    hoard.push(vec![1; 64 << 20]);
                    std::hint::black_box(&hoard);
                }
            }
            "chat" => {
                (0..1_000_000).for_each(|line| println!("line {line} of a million, of no use to anybody"));
                1.0
            }
            "retry" => return Err(Error::Retry("the step asks to be tried again".to_owned())),
            "bad-input" => return Err(Error::param("how", "the step does not like it")),
            "not-finite" => f64::NAN,
            _ => return Ok(Outputs { metrics: Metrics::default() }),
        };
        Ok(Outputs { metrics: Metrics { all: vec![("number".to_owned(), Some(number))], groups: vec![] } })
    }
}

/// Looks around in the sandbox, and says what it sees.
#[mlp_sdk::step]
pub mod look {
    use mlp_sdk::prelude::*;

    /// What it gives.
    pub struct Outputs {
        /// How many of each it can see; a sandbox that holds gives 0 for all but `seed`, which is the same each time.
        #[output(metrics(files: int, variables: int, arguments: int, sockets: int, clock: float, random: float))]
        pub metrics: Metrics,
    }

    /// Looks around.
    pub fn run() -> Result<Outputs, Error> {
        let paths = ["/", "/etc/passwd", "..", "/mlp/..", "/mlp/../etc", "/proc/self", "/root", "/tmp", "/home"];
        let seen = paths.iter().filter(|path| {
            let there = std::fs::metadata(path).is_ok();
            if there {
                host::warn(&format!("can see {path}"));
            }
            there
        });
        let files = seen.count() + usize::from(std::fs::write("/mlp/in/planted", "x").is_ok());
        let sockets = usize::from(std::net::TcpStream::connect("127.0.0.1:80").is_ok())
            + usize::from(std::net::TcpListener::bind("127.0.0.1:0").is_ok());
        let clock = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).map_or(0.0, |d| d.as_secs_f64());
        let random = std::hash::BuildHasher::hash_one(&std::collections::hash_map::RandomState::new(), 0u8);
        let numbers = [
            ("files", files as f64),
            ("variables", std::env::vars().count() as f64),
            ("arguments", std::env::args().count() as f64),
            ("sockets", sockets as f64),
            ("clock", clock),
            ("random", (random >> 12) as f64),
        ];
        let all = numbers.into_iter().map(|(name, value)| (name.to_owned(), Some(value))).collect();
        Ok(Outputs { metrics: Metrics { all, groups: vec![] } })
    }
}
