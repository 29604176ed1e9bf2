//! Requests that are malformed or mean harm: each is told off or cut off, and the next client is served.

use crate::stand_in::{Client, ROW, World, production};
use std::time::Duration;

#[tokio::test(flavor = "multi_thread")]
async fn a_malformed_body_is_refused_with_its_place() {
    let world = World::new(production(), &[(1, "ok")]).await;
    let mut client = world.client().await;
    let deep = format!("{{\"rows\":[{{\"hr\":{}{}}}]}}", "[".repeat(100_000), "]".repeat(100_000));
    let deep_objects = format!("{}1{}", "{\"a\":".repeat(100_000), "}".repeat(100_000));
    let bodies: &[(&str, &[u8])] = &[
        ("empty", b""),
        ("cut off", br#"{"rows":[{"hr":5"#),
        ("trailing", br#"{"rows":[]} x"#),
        ("a number", b"5"),
        ("a list", b"[1,2]"),
        ("rows of numbers", br#"{"rows":[1,2]}"#),
        ("rows that are a text", br#"{"rows":"hr"}"#),
        ("rows twice", br#"{"rows":[],"rows":[]}"#),
        ("rows and a row", br#"{"rows":[],"hr":5}"#),
        ("NaN", br#"{"hr":NaN}"#),
        ("Infinity", br#"{"temp":-Infinity}"#),
        ("too large a float", br#"{"temp":1e999}"#),
        ("no UTF-8", b"{\"user\":\"\xff\xfe\"}"),
        ("half a surrogate", br#"{"user":"\ud800"}"#),
        ("a byte order mark", b"\xef\xbb\xbf{}"),
        ("a NUL", b"{\"hr\":\0}"),
        ("deep lists", deep.as_bytes()),
        ("deep objects", deep_objects.as_bytes()),
        ("no rows", br#"{"rows":[]}"#),
        ("nothing", b"{}"),
    ];
    let mut told = String::new();
    for (what, body) in bodies {
        let reply = client.request("POST", "/deployments/production/predict", "x-request-id: r\r\n", body).await;
        assert!((400..500).contains(&reply.status), "{what}: {} {}", reply.status, reply.text());
        let error = reply.json()["error"].as_str().unwrap().to_owned();
        told += &format!("{what:22} {} {error}\n", reply.status);
    }
    insta::assert_snapshot!(told);
    assert_eq!(client.predict("", ROW).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_request_that_is_wrong_as_such_is_refused() {
    let world = World::new(production(), &[(1, "ok")]).await;
    let long = format!("x-request-id: {}\r\n", "a".repeat(129));
    let cases = [
        ("POST", "/deployments/production/predict", "x-request-id: a b\r\n", 400),
        ("POST", "/deployments/production/predict", "x-request-id: \r\n", 400),
        ("POST", "/deployments/production/predict", &long, 400),
        ("POST", "/deployments/production/predict", "content-encoding: gzip\r\n", 415),
        ("GET", "/deployments/production/predict", "", 405),
        ("POST", "/deployments/%ff/predict", "", 400),
        ("POST", "/deployments/%00%0d%0a/predict", "", 404),
        ("POST", "/deployments/../../etc/passwd", "", 404),
        ("POST", "/v2/models/production/versions/x/infer", "", 404),
        ("POST", "/v2/models/production/versions/99999999999999999999/infer", "", 404),
        ("POST", "/v2/models/production/infer", "inference-header-content-length: 99999\r\n", 400),
        ("POST", "/v2/models/production/infer", "inference-header-content-length: -1\r\n", 400),
        ("GET", "/", "", 404),
        ("DELETE", "/metrics", "", 405),
    ];
    for (method, path, headers, status) in cases {
        let reply = world.client().await.request(method, path, headers, ROW.as_bytes()).await;
        assert_eq!(reply.status, status, "{method} {path} {headers}: {}", reply.text());
        assert!(reply.json()["error"].is_string(), "{}", reply.text());
    }
    assert_eq!(world.client().await.predict("", ROW).await.status, 200);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_no_request_ends_the_connection_and_nothing_else() {
    let world = World::new(production(), &[(1, "ok")]).await;
    let many: String = (0..200).map(|n| format!("h{n}: 1\r\n")).collect();
    let long = format!("h: {}\r\n", "a".repeat(200 << 10));
    let post = "POST /deployments/production/predict HTTP/1.1\r\nhost: x\r\n";
    let cases = [
        "\0\0\0\0\r\n\r\n".to_owned(),
        "GET / HTTP/9.9\r\n\r\n".to_owned(),
        "\x16\x03\x01\x02\x00\x01\x00\x01\r\n\r\n".to_owned(),
        "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_owned(),
        format!("{post}{many}\r\n"),
        format!("{post}{long}\r\n"),
        format!("{post}content-length: -5\r\n\r\n"),
        format!("{post}content-length: 5\r\ncontent-length: 6\r\n\r\n12345"),
        format!("{post}transfer-encoding: chunked\r\n\r\nzz\r\n"),
        format!("{post}transfer-encoding: chunked\r\n\r\nffffffffffffffffff\r\n"),
        format!("{post}content-length: 17000000\r\n\r\n"),
    ];
    for case in &cases {
        let mut client = world.client().await;
        // The engine may hang up before all is written.
        let _ = client.send(case.as_bytes()).await;
        let shown: String = case.chars().take(120).collect();
        match tokio::time::timeout(Duration::from_secs(60), client.reply()).await {
            Ok(Some(reply)) => assert!((400..500).contains(&reply.status), "{shown:?}: {}", reply.status),
            Ok(None) => {}
            Err(_) => panic!("{shown:?}: neither answered nor cut off"),
        }
        assert_eq!(world.client().await.predict("", ROW).await.status, 200, "after {shown:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_body_beyond_its_limit_is_refused_whether_or_not_it_says_so() {
    let world = World::new(production(), &[(1, "ok")]).await;
    let mut client = world.client().await;
    client
        .send(b"POST /deployments/production/predict HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n")
        .await
        .unwrap();
    let chunk = format!("{:x}\r\n{}\r\n", 1 << 20, " ".repeat(1 << 20));
    for _ in 0..20 {
        if client.send(chunk.as_bytes()).await.is_err() {
            break;
        }
    }
    // The refusal can be lost when the connection is cut while the client still writes.
    if let Some(reply) = client.reply().await {
        assert_eq!(reply.status, 413);
        insta::assert_snapshot!(reply.text(), @r#"{"error":"the body is longer than 16 MiB: send the rows in several requests"}"#);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_small_body_of_many_cells_is_refused_before_it_fills_the_memory() {
    let world = World::new(production(), &[(1, "ok")]).await;
    // A row of two bytes; the last one gives every column to all of them.
    let rows = format!("{{\"rows\":[{}{ROW}]}}", "{},".repeat(2_000_000));
    let reply = world.client().await.predict("", &rows).await;
    assert_eq!(reply.status, 413, "{}", reply.text());
    let rows = format!("{{\"rows\":[{}{ROW}]}}", "{},".repeat(900_000));
    let reply = world.client().await.predict("", &rows).await;
    assert_eq!(reply.status, 413, "{}", reply.text());
}

#[tokio::test(flavor = "multi_thread")]
async fn clients_that_stall_hold_nobody_up() {
    let world = World::new(production(), &[(1, "ok")]).await;
    let mut stalled = Vec::new();
    for n in 0..60 {
        let mut client = Client::new(world.address).await;
        let piece = match n % 3 {
            0 => "POST /deployments/prod",
            1 => "POST /deployments/production/predict HTTP/1.1\r\nhost: x\r\ncontent-length: 100\r\n\r\n{",
            _ => "POST /deployments/production/predict HTTP/1.1\r\nhost: x\r\ncontent-length: 16000000\r\n\r\n",
        };
        client.send(piece.as_bytes()).await.unwrap();
        stalled.push(client);
    }
    let mut client = world.client().await;
    for _ in 0..100 {
        assert_eq!(client.predict("", ROW).await.status, 200);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn noise_is_never_answered_with_a_failure_of_the_engine() {
    let world = World::new(production(), &[(1, "ok")]).await;
    let seeds = [
        format!("{{\"rows\":[{ROW},{ROW}]}}"),
        r#"{"id":"7","inputs":[{"name":"hr","shape":[1],"datatype":"INT64","data":[5]},{"name":"x","shape":[1,5],"datatype":"FP64","data":[[1,2,3,4,5]]}],"outputs":[{"name":"prediction"}]}"#.to_owned(),
    ];
    let mut client = world.client().await;
    // A fixed sequence (Knuth's MMIX generator), so that a failure comes again.
    let mut state = 7u64;
    let mut next = move |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % below.max(1)
    };
    for round in 0..4_000 {
        let mut body = seeds[round % 2].clone().into_bytes();
        for _ in 0..=next(4) {
            if body.is_empty() {
                break;
            }
            let at = next(body.len());
            match next(4) {
                0 => body[at] = next(256) as u8,
                1 => drop(body.remove(at)),
                2 => body.insert(at, b"{}[]\",:-0e"[next(10)]),
                _ => body.truncate(at.max(1)),
            }
        }
        let path = ["/deployments/production/predict", "/v2/models/production/infer"][(round / 2) % 2];
        let headers =
            if next(5) == 0 { format!("inference-header-content-length: {}\r\n", next(200)) } else { String::new() };
        let reply = client.request("POST", path, &headers, &body).await;
        let shown = String::from_utf8_lossy(&body);
        assert!(reply.status < 500, "{shown}: {} {}", reply.status, reply.text());
    }
    assert_eq!(client.predict("", ROW).await.status, 200);
}
