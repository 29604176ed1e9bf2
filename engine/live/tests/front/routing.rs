//! Which version answers.

use crate::stand_in::{Client, ROW, World, production};
use mlp_lang::live::Sticky;
use mlp_live::front::ListenError;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

/// Requests of these ids; how many the candidate answered.
async fn by_candidate(client: &mut Client, ids: std::ops::Range<u32>) -> u64 {
    let mut count = 0;
    for id in ids {
        let reply = client.predict(&format!("x-request-id: r{id}\r\n"), ROW).await;
        assert_eq!(reply.status, 200, "{}", reply.text());
        count += u64::from(reply.version() == Some(2));
    }
    count
}

#[tokio::test(flavor = "multi_thread")]
async fn ten_thousand_requests_are_split_as_the_weight_says() {
    let world = World::new(production(), &[(1, "ok"), (2, "ok")]).await;
    let mut client = world.client().await;
    for weight in [0.01, 0.05, 0.25, 0.5, 1.0] {
        world.route(Some(1), Some((2, weight)), None);
        let count = by_candidate(&mut client, 0..10_000).await as f64;
        // 99.9 % of a binomial count lie within 3.29 standard deviations. The ids are fixed, so the outcome is too.
        let bound = 3.29 * (10_000.0 * weight * (1.0 - weight)).sqrt();
        assert!((count - 10_000.0 * weight).abs() <= bound, "{count} of 10,000 at {weight}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_rising_weight_takes_no_key_back() {
    for sticky in [Sticky::Header("x-user".to_owned()), Sticky::Column("user".to_owned())] {
        let mut node = production();
        node.serve.sticky = Some(sticky.clone());
        let world = World::new(node, &[(1, "ok"), (2, "ok")]).await;
        let mut client = world.client().await;
        let mut before = [1; 200];
        for weight in [0.05, 0.2, 0.5, 0.9, 1.0] {
            world.route(Some(1), Some((2, weight)), None);
            for (user, before) in before.iter_mut().enumerate() {
                let mut ask = async || {
                    let (header, row) = match sticky {
                        Sticky::Header(_) => (format!("x-user: u{user}\r\n"), ROW.to_owned()),
                        Sticky::Column(_) => (String::new(), ROW.replace('{', &format!(r#"{{"user":"u{user}","#))),
                    };
                    client.predict(&header, &row).await.version().unwrap()
                };
                let (version, again) = (ask().await, ask().await);
                assert_eq!(version, again, "user {user} at {weight}: one key, two versions");
                assert!(version >= *before, "user {user} went back at {weight}");
                *before = version;
            }
        }
        assert_eq!(before, [2; 200]);
    }
}

/// Clients that ask without pause until they are told to stop; how many requests they made and how many failed.
struct Load {
    stop: Arc<AtomicBool>,
    made: Arc<AtomicU64>,
    clients: Vec<tokio::task::JoinHandle<Vec<String>>>,
}

impl Load {
    fn start(world: &World, clients: usize) -> Load {
        let (stop, made) = (Arc::<AtomicBool>::default(), Arc::<AtomicU64>::default());
        let ask = |_| {
            let (address, stop, made) = (world.address, Arc::clone(&stop), Arc::clone(&made));
            tokio::spawn(async move {
                let mut client = Client::new(address).await;
                let mut failed = Vec::new();
                while !stop.load(Ordering::Relaxed) {
                    let reply = client.predict("", ROW).await;
                    made.fetch_add(1, Ordering::Relaxed);
                    if reply.status != 200 {
                        failed.push(format!("{}: {}", reply.status, reply.text()));
                    }
                }
                failed
            })
        };
        let clients = (0..clients).map(ask).collect();
        Load { stop, made, clients }
    }

    /// Waits until so many more requests were made.
    async fn more(&self, requests: u64) {
        let wanted = self.made.load(Ordering::Relaxed) + requests;
        while self.made.load(Ordering::Relaxed) < wanted {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }

    async fn end(self) -> Vec<String> {
        self.stop.store(true, Ordering::Relaxed);
        let mut failed = Vec::new();
        for client in self.clients {
            failed.extend(client.await.unwrap());
        }
        failed
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn versions_change_places_under_load_without_a_failed_request() {
    let world = World::new(production(), &[(1, "ok")]).await;
    let load = Load::start(&world, 8);
    for version in 2..30 {
        world.front.load("production", crate::stand_in::version(version), b"ok".to_vec()).await.unwrap();
        world.route(Some(version), None, None);
        world.front.retire("production", version - 1, Duration::from_secs(30));
        load.more(50).await;
    }
    let failed = load.end().await;
    assert!(failed.is_empty(), "{} failed: {:?}", failed.len(), failed.first());
}

#[tokio::test(flavor = "multi_thread")]
async fn after_a_version_is_retired_no_request_reaches_it() {
    let world = World::new(production(), &[(1, "ok"), (2, "ok")]).await;
    let mut client = world.client().await;
    world.route(Some(1), Some((2, 1.0)), None);
    assert_eq!(client.predict("", ROW).await.version(), Some(2));
    world.route(Some(1), None, None);
    world.front.retire("production", 2, Duration::ZERO);
    let before = world.front.totals("production", 2);
    assert_eq!(by_candidate(&mut client, 0..100).await, 0);
    let direct = client.request("POST", "/deployments/production/versions/2/predict", "", ROW.as_bytes()).await;
    assert_eq!(
        (direct.status, direct.text()),
        (404, r#"{"error":"version 2 of `production` is not loaded; loaded: 1"}"#)
    );
    assert_eq!(world.front.totals("production", 2), before);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_version_that_is_ready_a_request_is_told_so() {
    let world = World::new(production(), &[]).await;
    let mut client = world.client().await;
    let reply = client.predict("", ROW).await;
    insta::assert_snapshot!(format!("{} {}", reply.status, reply.text()), @r#"503 {"error":"no version of `production` is ready to answer yet; none is loaded"}"#);
    assert_eq!(reply.header("retry-after"), Some("1"));
    assert_eq!(client.get("/v2/health/ready").await.status, 400);
    assert_eq!(client.get("/v2/models/production/ready").await.status, 400);
    assert_eq!(client.get("/v2/health/live").await.status, 200);
    // Routed to a version that nobody loaded: no other answers in its place.
    world.front.load("production", crate::stand_in::version(1), b"ok".to_vec()).await.unwrap();
    world.route(Some(7), None, None);
    let reply = client.predict("", ROW).await;
    insta::assert_snapshot!(format!("{} {}", reply.status, reply.text()), @r#"503 {"error":"version 7 of `production` should answer and is not ready; loaded: 1"}"#);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mirror_sees_its_share_and_answers_nobody() {
    let world = World::new(production(), &[(1, "ok"), (2, "ok")]).await;
    world.route(Some(1), None, Some((2, 0.5)));
    let mut client = world.client().await;
    assert_eq!(by_candidate(&mut client, 0..1_000).await, 0);
    let mirrored = async || loop {
        let totals = world.front.totals("production", 2);
        if totals.under_way.count() == 0 {
            return totals.requests;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    };
    let mirrored = mirrored().await;
    assert!((448..=552).contains(&mirrored), "{mirrored} of 1,000 at 50 %");
    let log = world.log.0.lock().unwrap();
    assert!(log.iter().all(|(_, batch)| batch.version == 1), "answers that nobody got are logged");
}

#[tokio::test(flavor = "multi_thread")]
async fn deployments_at_one_address_share_a_listener_and_a_second_engine_is_told_what_to_do() {
    let world = World::new(production(), &[]).await;
    world.front.declare("staging", Arc::new(production()));
    assert_eq!(world.front.listen().await.unwrap(), [world.address]);
    let mut client = world.client().await;
    let unknown = client.request("POST", "/deployments/prod/predict", "", ROW.as_bytes()).await;
    assert_eq!(unknown.status, 404);
    insta::assert_snapshot!(unknown.text(), @r#"{"error":"no deployment is named `prod`; here is `production`, `staging`"}"#);
    let mut client = world.client().await;
    let both = client.request("POST", "/deployments/demand/predict", "", ROW.as_bytes()).await;
    insta::assert_snapshot!(both.text(), @r#"{"error":"several deployments serve the model `demand`: use the name of one of them"}"#);

    let mut taken = production();
    taken.serve.port = world.address.port();
    let other = mlp_live::front::Front::new(
        Arc::new(crate::stand_in::Models::default()),
        mlp_live::clock::LiveClock::System,
        Arc::new(crate::stand_in::Log::default()),
    );
    other.declare("production", Arc::new(taken));
    let error: ListenError = other.listen().await.unwrap_err();
    let told = error.to_string().replace(&world.address.port().to_string(), "PORT");
    insta::assert_snapshot!(told, @"deployment `production` cannot listen on 127.0.0.1:PORT: Address already in use (os error 98); another program listens there: end it, or give the deployment another port: `serve = online(port: ...)`");
}
