//! Versions that fail, hang, are slow or lie, and what clients notice of it.

use crate::stand_in::{Client, ROW, World, production, version};
use mlp_lang::live::LiveMetric;
use mlp_lang::value::Value;
use std::time::{Duration, Instant};

/// Waits until something holds; a test that never sees it hangs and is ended by its runner.
async fn until(mut holds: impl FnMut() -> bool) {
    while !holds() {
        tokio::time::sleep(Duration::from_millis(2)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failing_version_is_told_with_reason_and_id_and_counted() {
    let world = World::new(production(), &[(1, "ok"), (2, "fails 5%")]).await;
    world.route(Some(1), Some((2, 1.0)), None);
    let mut client = world.client().await;
    let mut failed = Vec::new();
    for id in 0..100 {
        let reply = client.predict(&format!("x-request-id: r{id}\r\n"), ROW).await;
        if reply.status != 200 {
            assert_eq!((reply.status, reply.version()), (500, Some(2)));
            failed.push(reply.text().to_owned());
        }
    }
    insta::assert_snapshot!(failed[0], @r#"{"error":"version 2 of `production` failed: it is the seventh (request r7)"}"#);
    let totals = world.front.totals("production", 2);
    assert_eq!((totals.requests, totals.errors, failed.len()), (100, 5, 5));
    assert_eq!(totals.metric(&LiveMetric::ErrorRate), Some(Value::Fraction(0.05)));
    assert_eq!(world.front.totals("production", 1).requests, 0, "another version was asked instead");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_prediction_is_a_failure_of_the_version() {
    let world = World::new(production(), &[(1, "panics"), (2, "nan"), (3, "short")]).await;
    let mut client = world.client().await;
    let mut told = String::new();
    for stable in [1, 1, 2, 3] {
        world.route(Some(stable), None, None);
        let reply = client.predict("x-request-id: r\r\n", ROW).await;
        told += &format!("{} {}\n", reply.status, reply.text());
    }
    insta::assert_snapshot!(told, @r#"
    500 {"error":"version 1 of `production` failed: the model broke off with a panic (request r)"}
    500 {"error":"version 1 of `production` failed: the model broke off with a panic (request r)"}
    500 {"error":"version 2 of `production` failed: the model predicted NaN, which is no number to go by (request r)"}
    500 {"error":"version 3 of `production` failed: the model gave 0 numbers, not 1 (request r)"}
    "#);
    assert!(world.log.0.lock().unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_version_that_never_answers_times_out_whether_or_not_it_keeps_its_deadline() {
    for behaviour in ["hangs", "stuck"] {
        let mut node = production();
        node.serve.timeout = 100_000_000;
        let world = World::new(node, &[(1, behaviour)]).await;
        let mut client = world.client().await;
        let begun = Instant::now();
        let reply = client.predict("x-request-id: r\r\n", ROW).await;
        assert!(begun.elapsed() >= Duration::from_millis(100));
        assert_eq!(reply.status, 504);
        insta::allow_duplicates! {
            insta::assert_snapshot!(reply.text(), @r#"{"error":"version 1 of `production` did not answer within 100ms (request r)"}"#);
        }
        let totals = world.front.totals("production", 1);
        assert_eq!((totals.requests, totals.errors, totals.under_way.count()), (1, 1, 0), "{behaviour}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_under_way_count_with_their_age() {
    let mut node = production();
    node.serve.timeout = 3_600_000_000_000;
    let world = World::new(node, &[(1, "stuck")]).await;
    let address = world.address;
    let asking = tokio::spawn(async move { Client::new(address).await.predict("", ROW).await.status });
    until(|| world.front.totals("production", 1).under_way.count() == 1).await;
    tokio::time::sleep(Duration::from_millis(50)).await;
    let totals = world.front.totals("production", 1);
    assert_eq!((totals.requests, totals.metric(&LiveMetric::ErrorRate)), (0, None));
    let Some(Value::Duration(age)) = totals.metric(&LiveMetric::Latency(0.95)) else { panic!("no latency") };
    assert!(age >= 49_000_000, "{age}");

    // Retiring it makes an end.
    world.front.retire("production", 1, Duration::from_millis(20));
    assert_eq!(asking.await.unwrap(), 500);
    let totals = world.front.totals("production", 1);
    assert_eq!((totals.requests, totals.errors, totals.under_way.count()), (1, 1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_client_that_gives_up_does_not_excuse_the_version() {
    let mut node = production();
    node.serve.timeout = 200_000_000;
    let world = World::new(node, &[(1, "hangs")]).await;
    let mut client = world.client().await;
    let request = format!(
        "POST /deployments/production/predict HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n{ROW}",
        ROW.len()
    );
    client.send(request.as_bytes()).await.unwrap();
    until(|| world.front.totals("production", 1).under_way.count() == 1).await;
    drop(client);
    until(|| world.front.totals("production", 1).errors == 1).await;
    assert_eq!(world.front.totals("production", 1).requests, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn retiring_lets_what_is_under_way_end() {
    let world = World::new(production(), &[(1, "slow 150"), (2, "ok")]).await;
    let address = world.address;
    let asking = tokio::spawn(async move { Client::new(address).await.predict("", ROW).await });
    until(|| world.front.totals("production", 1).under_way.count() == 1).await;
    world.route(Some(2), None, None);
    world.front.retire("production", 1, Duration::from_secs(60));
    let reply = asking.await.unwrap();
    assert_eq!((reply.status, reply.version()), (200, Some(1)));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_mirror_that_hangs_changes_no_byte_and_costs_no_time() {
    let mut node = production();
    node.serve.timeout = 3_600_000_000_000;
    let world = World::new(node, &[(1, "ok"), (2, "stuck")]).await;
    let mut client = world.client().await;
    let ask = async |client: &mut Client| {
        let mut bytes = Vec::new();
        let begun = Instant::now();
        // More than can wait at the mirror.
        for id in 0..1_500 {
            let reply = client.predict(&format!("x-request-id: r{id}\r\n"), ROW).await;
            let head = reply.head.lines().filter(|line| !line.starts_with("date:")).collect::<Vec<_>>().join("\n");
            bytes.push((head, reply.body));
        }
        (bytes, begun.elapsed())
    };
    let (without, alone) = ask(&mut client).await;
    world.route(Some(1), None, Some((2, 1.0)));
    let (with, mirrored) = ask(&mut client).await;
    assert_eq!(without, with);
    // Waiting for the mirror once would take an hour.
    assert!(mirrored < alone * 5 + Duration::from_secs(2), "{mirrored:?} with a mirror, {alone:?} without");
    let totals = world.front.totals("production", 2);
    assert_eq!(totals.requests, 0);
    assert!((1_024..=1_280).contains(&totals.under_way.count()), "{}", totals.under_way.count());
    let metrics = client.get("/metrics").await;
    let dropped = 1_500 - totals.under_way.count();
    let line = format!("mlp_mirror_dropped_total{{deployment=\"production\",version=\"2\"}} {dropped}\n");
    assert!(metrics.text().contains(&line), "{line}{}", metrics.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn too_many_that_wait_are_refused_with_a_time_to_come_back() {
    let mut node = production();
    node.serve.timeout = 3_600_000_000_000;
    node.serve.batch = 1;
    let world = World::new(node, &[(1, "ok"), (2, "stuck")]).await;
    let mut client = world.client().await;
    // Copies fill the queue, so that no client has to wait.
    world.route(Some(1), None, Some((2, 1.0)));
    for _ in 0..1_100 {
        client.predict("", ROW).await;
    }
    world.route(Some(2), None, None);
    let reply = client.predict("", ROW).await;
    assert_eq!((reply.status, reply.header("retry-after")), (503, Some("1")));
    insta::assert_snapshot!(reply.text(), @r#"{"error":"too many requests wait for version 2 of `production`: ask again in a second"}"#);
    let totals = world.front.totals("production", 2);
    assert_eq!((totals.requests, totals.errors, totals.latency.count()), (1, 1, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn requests_that_wait_are_joined_up_to_the_batch_and_one_bad_row_spoils_only_its_own() {
    let mut node = production();
    node.serve.batch = 16;
    let world = World::new(node, &[(1, "picky")]).await;
    let mut clients = Vec::new();
    for n in 0..32 {
        let address = world.address;
        clients.push(tokio::spawn(async move {
            let hot = n % 8 == 3;
            let row = ROW.replace("0.5", if hot { "85.5" } else { "0.5" });
            let mut client = Client::new(address).await;
            for _ in 0..10 {
                let reply = client.predict("", &row).await;
                assert_eq!(reply.status, if hot { 422 } else { 200 }, "{}", reply.text());
            }
        }));
    }
    for client in clients {
        client.await.unwrap();
    }
    let largest = world.largest.load(std::sync::atomic::Ordering::Relaxed);
    assert!((2..=16).contains(&largest), "{largest} rows in the largest call");
    // The client's mistakes count nowhere.
    let totals = world.front.totals("production", 1);
    assert_eq!((totals.requests, totals.errors), (280, 0));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_large_request_is_answered_in_order_and_holds_nobody_up() {
    let mut node = production();
    node.serve.timeout = 3_600_000_000_000;
    let world = World::new(node, &[(1, "slow 20")]).await;
    let rows: Vec<String> = (0..50_000).map(|n| ROW.replace("0.5", &format!("{n}"))).collect();
    let body = format!("{{\"rows\":[{}]}}", rows.join(","));
    let address = world.address;
    let large = tokio::spawn(async move { Client::new(address).await.predict("", &body).await });
    until(|| world.front.totals("production", 1).under_way.count() == 1).await;
    let mut client = world.client().await;
    let mut small = 0;
    while world.front.totals("production", 1).requests <= small && small < 5 {
        assert_eq!(client.predict("", ROW).await.status, 200);
        small += 1;
    }
    assert_eq!(small, 5, "small requests had to wait for the large one");
    let reply = large.await.unwrap();
    assert_eq!(reply.status, 200, "{}", reply.text());
    let predictions = reply.json()["predictions"].as_array().unwrap().clone();
    assert_eq!(predictions.len(), 50_000);
    for (n, prediction) in predictions.iter().enumerate() {
        assert_eq!(prediction.as_f64(), Some(1109.25 + 10.0 * n as f64));
    }
    assert_eq!(world.largest.load(std::sync::atomic::Ordering::Relaxed), 256);
}

#[tokio::test(flavor = "multi_thread")]
async fn draining_ends_what_is_under_way_and_accepts_nothing_new() {
    let world = World::new(production(), &[(1, "slow 150")]).await;
    let address = world.address;
    let mut idle = world.client().await;
    assert_eq!(idle.get("/v2/health/ready").await.status, 200);
    let asking = tokio::spawn(async move { Client::new(address).await.predict("", ROW).await.status });
    until(|| world.front.totals("production", 1).under_way.count() == 1).await;
    world.front.drain(Duration::from_secs(60)).await;
    assert_eq!(asking.await.unwrap(), 200);
    assert!(idle.reply().await.is_none(), "an idle connection is closed");
    assert!(tokio::net::TcpStream::connect(address).await.is_err());
}

#[tokio::test(flavor = "multi_thread")]
async fn draining_does_not_wait_longer_than_it_may() {
    let mut node = production();
    node.serve.timeout = 3_600_000_000_000;
    let world = World::new(node, &[(1, "stuck")]).await;
    let address = world.address;
    let asking = tokio::spawn(async move {
        let mut client = Client::new(address).await;
        let request = format!(
            "POST /deployments/production/predict HTTP/1.1\r\nhost: x\r\ncontent-length: {}\r\n\r\n{ROW}",
            ROW.len()
        );
        client.send(request.as_bytes()).await.unwrap();
        client.reply().await.map(|reply| reply.status)
    });
    until(|| world.front.totals("production", 1).under_way.count() == 1).await;
    world.front.drain(Duration::from_millis(50)).await;
    // An answer if there is time to send it, else the connection is cut off.
    let told = asking.await.unwrap();
    assert!(told.is_none_or(|status| status == 500), "{told:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_cannot_be_loaded_is_told_and_changes_nothing() {
    let world = World::new(production(), &[(1, "ok")]).await;
    let damaged = world.front.load("production", version(2), b"damaged".to_vec()).await.unwrap_err();
    insta::assert_snapshot!(damaged, @"demand@2 cannot be loaded: the bytes are no model");
    let mut stranger = version(3);
    stranger.features.push("wind".to_owned());
    let stranger = world.front.load("production", stranger, b"ok".to_vec()).await.unwrap_err();
    insta::assert_snapshot!(stranger, @"demand@3 cannot be served by `production`: it needs the column `wind`, which rows of requests do not have");
    let nowhere = world.front.load("staging", version(1), b"ok".to_vec()).await.unwrap_err();
    insta::assert_snapshot!(nowhere, @"there is no deployment `staging`");
    assert_eq!(world.client().await.predict("", ROW).await.status, 200);
}
