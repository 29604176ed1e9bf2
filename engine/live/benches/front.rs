//! What routing adds, on loopback with connections kept alive: `cargo bench -p mlp-live --bench front`.
//!
//! The same request by three ways in turn, in one run: to a version by name, through the router, and, if nginx is
//! installed, through nginx before the version. Rounds take turns so that a slow moment of the machine hits all alike.
//! The model is a stand-in that adds five numbers, so that nothing but the way is measured.

use mlp_live::routes::Routes;
use stand_in::{Client, ROW, World, production};
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

#[allow(dead_code, reason = "shared with the tests, which use all of it")]
#[path = "../tests/front/stand_in.rs"]
mod stand_in;

const ROUNDS: usize = 5;
const ROUND: Duration = Duration::from_secs(2);

/// A way to the model.
struct Way {
    name: &'static str,
    address: SocketAddr,
    path: &'static str,
    /// Of the round's requests, in nanoseconds, and how many a second.
    rounds: Vec<(Vec<u64>, f64)>,
}

impl Way {
    /// Clients that ask without pause for one round.
    async fn round(&mut self, clients: usize) {
        let end = Instant::now() + ROUND;
        let mut asking = Vec::new();
        for _ in 0..clients {
            let (address, path) = (self.address, self.path);
            asking.push(tokio::spawn(async move {
                let mut client = Client::new(address).await;
                let mut took = Vec::new();
                while Instant::now() < end {
                    let begun = Instant::now();
                    let reply = client.request("POST", path, "", ROW.as_bytes()).await;
                    took.push(begun.elapsed().as_nanos() as u64);
                    assert_eq!(reply.status, 200, "{}", reply.text());
                }
                took
            }));
        }
        let mut took = Vec::new();
        for client in asking {
            took.extend(client.await.expect("a client failed"));
        }
        let rate = took.len() as f64 / ROUND.as_secs_f64();
        self.rounds.push((took, rate));
    }

    /// Microseconds at a share of the requests, over all rounds.
    fn quantile(&self, q: f64) -> f64 {
        let mut all: Vec<u64> = self.rounds.iter().flat_map(|(took, _)| took).copied().collect();
        all.sort_unstable();
        all.get(((all.len() as f64 * q) as usize).min(all.len().saturating_sub(1))).map_or(0.0, |n| *n as f64 / 1e3)
    }

    fn rate(&self) -> f64 {
        self.rounds.iter().map(|(_, rate)| rate).sum::<f64>() / self.rounds.len() as f64
    }
}

/// nginx as a reverse proxy, ended when dropped.
struct Nginx {
    child: Child,
    folder: PathBuf,
    address: SocketAddr,
}

impl Nginx {
    fn start(upstream: SocketAddr) -> Option<Nginx> {
        let address = TcpListener::bind("127.0.0.1:0").ok()?.local_addr().ok()?;
        let folder = std::env::temp_dir().join(format!("mlp-bench-nginx-{}", std::process::id()));
        std::fs::create_dir_all(&folder).ok()?;
        let at = folder.display();
        let config = format!(
            "daemon off; master_process on; worker_processes 2; pid {at}/pid; error_log {at}/error;\n\
             events {{ worker_connections 1024; }}\n\
             http {{ access_log off; client_body_temp_path {at}/a; proxy_temp_path {at}/b; fastcgi_temp_path {at}/c;\n\
             uwsgi_temp_path {at}/d; scgi_temp_path {at}/e; keepalive_requests 1000000000;\n\
             upstream model {{ server {upstream}; keepalive 256; keepalive_requests 1000000000; }}\n\
             server {{ listen {address}; location / {{ proxy_pass http://model; proxy_http_version 1.1;\n\
             proxy_set_header Connection \"\"; }} }} }}\n"
        );
        std::fs::write(folder.join("conf"), config).ok()?;
        let mut command = Command::new("nginx");
        command.arg("-c").arg(folder.join("conf")).arg("-p").arg(&folder).stderr(Stdio::null());
        let child = command.spawn().ok()?;
        for _ in 0..200 {
            if std::net::TcpStream::connect(address).is_ok() {
                return Some(Nginx { child, folder, address });
            }
            std::thread::sleep(Duration::from_millis(20));
        }
        None
    }
}

impl Drop for Nginx {
    fn drop(&mut self) {
        // The master ends its workers when asked, not when killed.
        let _ = Command::new("kill").arg(self.child.id().to_string()).status();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

#[tokio::main]
async fn main() {
    let mut node = production();
    node.serve.log = false;
    let world = World::new(node, &[(1, "ok"), (2, "ok")]).await;
    world.front.route("production", Routes { stable: Some(1), candidate: Some((2, 0.25)), mirror: None });
    let nginx = Nginx::start(world.address);
    if nginx.is_none() {
        println!("nginx is not installed: left out (`apt-get install nginx-light`)");
    }
    for clients in [1, 32] {
        let direct = "/deployments/production/versions/1/predict";
        let way = |name, address, path| Way { name, address, path, rounds: Vec::new() };
        let mut ways = vec![
            way("version, by name", world.address, direct),
            way("router", world.address, "/deployments/production/predict"),
        ];
        if let Some(nginx) = &nginx {
            ways.push(way("nginx, then version", nginx.address, direct));
        }
        for _ in 0..ROUNDS {
            for way in &mut ways {
                way.round(clients).await;
            }
        }
        println!("\n{clients} connections        median us    p99 us   requests/s   to version by name");
        let base = ways[0].quantile(0.5);
        for way in &ways {
            let (median, p99) = (way.quantile(0.5), way.quantile(0.99));
            println!("{:22} {median:10.1} {p99:9.1} {:12.0}   {:+.1} us", way.name, way.rate(), median - base);
        }
    }
}
