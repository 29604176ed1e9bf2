//! The Open Inference Protocol and the exposition, as their clients read them.

use crate::stand_in::{ROW, Reply, World, production};
use serde_json::json;

/// One input for each feature.
fn inputs() -> serde_json::Value {
    json!([
        {"name": "hr", "shape": [2], "datatype": "INT64", "data": [5, 6]},
        {"name": "temp", "shape": [2, 1], "datatype": "FP32", "data": [[0.5], [1]]},
        {"name": "humid", "shape": [2], "datatype": "FP64", "data": [0.25, null]},
        {"name": "weather", "shape": [2, 1], "datatype": "BYTES", "data": ["mist", "rain"]},
        {"name": "working", "shape": [2], "datatype": "BOOL", "data": [true, false]},
    ])
}

#[tokio::test(flavor = "multi_thread")]
async fn tensors_are_answered_like_rows() {
    let world = World::new(production(), &[(1, "ok"), (2, "class")]).await;
    let mut client = world.client().await;
    let body = json!({"id": "my request", "inputs": inputs()}).to_string();
    let reply = client.infer(&body).await;
    insta::assert_snapshot!(reply.text(), @r#"{"model_name":"demand","model_version":"1","id":"my request","outputs":[{"name":"prediction","datatype":"FP64","shape":[2],"data":[1114.25,1020.0]}]}"#);
    let reply =
        client.request("POST", "/v2/models/demand/versions/2/infer", "x-request-id: r\r\n", body.as_bytes()).await;
    assert_eq!((reply.version(), reply.header("x-request-id")), (Some(2), Some("r")));
    insta::assert_snapshot!(reply.text(), @r#"{"model_name":"demand","model_version":"2","id":"my request","outputs":[{"name":"prediction","datatype":"BYTES","shape":[2],"data":["no","no"]},{"name":"probabilities","datatype":"FP64","shape":[2,2],"data":[0.88575,0.11425,0.98,0.02]}]}"#);
    let wanted = json!({"id": "a", "inputs": inputs(), "outputs": [{"name": "probabilities"}]}).to_string();
    let reply = client.request("POST", "/v2/models/demand/versions/2/infer", "", wanted.as_bytes()).await;
    assert_eq!(reply.header("x-request-id"), Some("a"));
    assert_eq!(reply.json()["outputs"].as_array().unwrap().len(), 1);
    let reply = client.infer(&json!({"inputs": inputs(), "outputs": [{"name": "logits"}]}).to_string()).await;
    insta::assert_snapshot!(format!("{} {}", reply.status, reply.text()), @r#"400 {"error":"the model has no output `logits`; it has `prediction`"}"#);
}

#[tokio::test(flavor = "multi_thread")]
async fn one_tensor_may_hold_all_features_if_they_are_numbers() {
    let mut node = production();
    node.row.columns[3].ty = mlp_lang::types::Type::Int;
    let world = World::new(node, &[(1, "ok")]).await;
    let mut client = world.client().await;
    for data in [json!([[5, 0.5, 0.25, 4, 1], [6, 1, 0, 4, 0]]), json!([5, 0.5, 0.25, 4, 1, 6, 1, 0, 4, 0])] {
        let input = json!({"name": "input", "shape": [2, 5], "datatype": "FP64", "data": data});
        let reply = client.infer(&json!({"inputs": [input]}).to_string()).await;
        assert_eq!(reply.json()["outputs"][0]["data"], json!([1114.25, 1020.0]), "{}", reply.text());
    }
    let world = World::new(production(), &[(1, "ok")]).await;
    let input = json!({"name": "input", "shape": [1, 5], "datatype": "FP64", "data": [5, 0.5, 0.25, 4, 1]});
    let reply = world.client().await.infer(&json!({"inputs": [input]}).to_string()).await;
    insta::assert_snapshot!(format!("{} {}", reply.status, reply.text()), @r#"400 {"error":"the body is not understood: input `input` holds all features, and `weather` is no number: give each column an input of its own name"}"#);
}

#[tokio::test(flavor = "multi_thread")]
async fn binary_tensors_go_in_and_out() {
    let world = World::new(production(), &[(1, "class")]).await;
    let input = |name: &str, datatype: &str, size: usize| json!({"name": name, "shape": [2], "datatype": datatype, "parameters": {"binary_data_size": size}});
    let json = json!({
        "inputs": [input("hr", "INT8", 2), input("temp", "FP32", 8), input("humid", "FP64", 16),
                   input("weather", "BYTES", 16), input("working", "BOOL", 2)],
        "parameters": {"binary_data_output": true},
    })
    .to_string();
    let mut body = json.clone().into_bytes();
    body.extend([5, 6]);
    [0.5f32, 1.0].iter().for_each(|x| body.extend(x.to_le_bytes()));
    [0.25f64, f64::NAN].iter().for_each(|x| body.extend(x.to_le_bytes()));
    ["mist", "rain"].iter().for_each(|x| {
        body.extend(4u32.to_le_bytes());
        body.extend(x.as_bytes());
    });
    body.extend([1, 0]);
    let headers = format!("inference-header-content-length: {}\r\n", json.len());
    let mut client = world.client().await;
    let reply = client.request("POST", "/v2/models/production/infer", &headers, &body).await;
    assert_eq!(reply.status, 200, "{}", String::from_utf8_lossy(&reply.body));
    let length: usize = reply.header("inference-header-content-length").unwrap().parse().unwrap();
    let (head, data) = reply.body.split_at(length);
    let head: serde_json::Value = serde_json::from_slice(head).unwrap();
    assert_eq!(head["outputs"][0]["parameters"]["binary_data_size"], json!(12));
    assert_eq!(data[..12], *b"\x02\0\0\0no\x02\0\0\0no");
    let probabilities: Vec<f64> =
        data[12..].chunks_exact(8).map(|x| f64::from_le_bytes(x.try_into().unwrap())).collect();
    assert_eq!(probabilities, [0.88575, 0.11425, 0.98, 0.02]);
    // A byte less, a byte more.
    for body in [&body[..body.len() - 1], &[&body[..], b"x"].concat()] {
        assert_eq!(client.request("POST", "/v2/models/production/infer", &headers, body).await.status, 400);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_tensors_are_told_like_wrong_rows() {
    let world = World::new(production(), &[(1, "ok")]).await;
    let mut client = world.client().await;
    let mut told = String::new();
    for (n, field, value) in [
        (0, "data", json!([5, 24])),
        (0, "data", json!([5, 1.5])),
        (0, "data", json!([5])),
        (0, "data", json!([[5, 6], [7]])),
        (0, "data", json!([[5, 6]])),
        (0, "data", json!([[[5]], [[6]]])),
        (0, "data", json!("5")),
        (0, "data", json!(["5", "6"])),
        (0, "data", json!([null, 6])),
        (0, "shape", json!([3])),
        (0, "shape", json!([])),
        (0, "shape", json!([18446744073709551615u64, 2])),
        (0, "shape", json!([-1])),
        (0, "datatype", json!("INT4")),
        (0, "datatype", json!("FP16")),
        (0, "datatype", json!("BOOL")),
        (0, "name", json!("hour")),
        (0, "name", json!("temp")),
        (0, "parameters", json!({"binary_data_size": 4})),
        (1, "data", json!([[0.5, 1], [2, 3]])),
        (3, "data", json!(["mist", "snow"])),
        (3, "datatype", json!("FP64")),
    ] {
        let mut inputs = inputs();
        inputs[n][field] = value.clone();
        let Reply { status, body, .. } = client.infer(&json!({"inputs": inputs}).to_string()).await;
        let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
        assert!(status == 400 || status == 422, "{field} {value}: {status} {body}");
        told += &format!("{field} {value}: {status} {}\n", body["error"].as_str().unwrap());
    }
    insta::assert_snapshot!(told);
    assert_eq!(world.front.totals("production", 1).requests, 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_server_describes_itself_and_its_models() {
    let world = World::new(production(), &[(1, "ok"), (2, "class")]).await;
    let mut client = world.client().await;
    let mut told = String::new();
    for path in [
        "/v2",
        "/v2/health/live",
        "/v2/health/ready",
        "/v2/models/production",
        "/v2/models/demand/versions/2",
        "/v2/models/demand/ready",
        "/v2/models/demand/versions/2/ready",
        "/v2/models/demand/versions/9/ready",
        "/v2/models/demand/versions/9",
        "/v2/models/nobody",
    ] {
        let reply = client.get(path).await;
        told += &format!("{path} {} {}\n", reply.status, reply.text());
    }
    insta::assert_snapshot!(told);
}

#[tokio::test(flavor = "multi_thread")]
async fn counters_are_exposed() {
    let world = World::new(production(), &[(1, "ok"), (2, "ok")]).await;
    world.route(Some(1), Some((2, 0.25)), None);
    let mut client = world.client().await;
    let body = format!("{{\"rows\":[{ROW},{ROW}]}}");
    for id in 0..8 {
        client.predict(&format!("x-request-id: r{id}\r\n"), &body).await;
    }
    client.predict("x-request-id: r0\r\n", "{}").await;
    client.predict("x-request-id: r0\r\n", "nonsense").await;
    let reply = client.get("/metrics").await;
    let timed = |line: &&str| line.contains("_bucket") && !line.contains("+Inf") || line.contains("_sum");
    let fixed: Vec<&str> = reply.text().lines().filter(|line| !timed(line)).collect();
    insta::assert_snapshot!(fixed.join("\n"));
}
