//! Plain rows: what is accepted, what is answered, what is told.

use crate::stand_in::{ROW, World, production};
use mlp_core::predictor::{Cells, Predictions};

#[tokio::test(flavor = "multi_thread")]
async fn rows_are_answered_with_id_model_and_version() {
    let world = World::new(production(), &[(3, "ok")]).await;
    let mut client = world.client().await;
    let body = format!("{{\"rows\":[{ROW},{}]}}", ROW.replace("0.5", "1"));
    let reply = client.predict("x-request-id: abc-1\r\n", &body).await;
    assert_eq!((reply.status, reply.version(), reply.header("x-request-id")), (200, Some(3), Some("abc-1")));
    insta::assert_snapshot!(reply.text(), @r#"{"request_id":"abc-1","model":"demand","version":3,"predictions":[3114.25,3119.25]}"#);
    // One row alone, and one row under `rows`.
    for body in [ROW.to_owned(), format!("{{\"rows\":{ROW}}}")] {
        assert_eq!(client.predict("", &body).await.json()["predictions"], serde_json::json!([3114.25]));
    }
    let (first, second) = (client.predict("", ROW).await, client.predict("", ROW).await);
    let (first, second) = (first.header("x-request-id").unwrap(), second.header("x-request-id").unwrap());
    assert!(first != second && first.len() == 32, "{first} {second}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_classifier_gives_class_and_probabilities() {
    let world = World::new(production(), &[(1, "class")]).await;
    let body = format!("{{\"rows\":[{ROW},{}]}}", ROW.replace("0.5", "80.5"));
    let reply = world.client().await.predict("x-request-id: r\r\n", &body).await;
    insta::assert_snapshot!(reply.text(), @r#"{"request_id":"r","model":"demand","version":1,"predictions":[{"class":"no","probabilities":{"no":0.88575,"yes":0.11425}},{"class":"yes","probabilities":{"no":0.08574999999999999,"yes":0.91425}}]}"#);
}

#[tokio::test(flavor = "multi_thread")]
async fn every_answered_row_is_logged_with_all_it_gave() {
    let world = World::new(production(), &[(1, "ok")]).await;
    let mut client = world.client().await;
    let body = format!(
        "{{\"rows\":[{},{ROW}]}}",
        r#"{"hr":1,"user":"ann","temp":0,"humid":null,"weather":"rain","working":false}"#
    );
    assert_eq!(client.predict("x-request-id: r\r\n", &body).await.status, 200);
    assert_eq!(client.predict("", "{}").await.status, 422);
    let log = world.log.0.lock().unwrap();
    let [(deployment, batch)] = log.as_slice() else { panic!("{log:?}") };
    assert_eq!((deployment.as_str(), batch.request.as_str(), batch.version), ("production", "r", 1));
    assert_eq!(batch.at, 1_300_000_000_000);
    assert_eq!(batch.predictions, Predictions::Numbers(vec![1005.0, 1114.25]));
    let names: Vec<&str> = batch.columns.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, ["hr", "temp", "humid", "weather", "working", "user"]);
    assert_eq!(batch.columns[5].1, Cells::Texts(vec![Some("ann".to_owned()), None]));
    let Cells::Numbers(humid) = &batch.columns[2].1 else { panic!() };
    assert!(humid[0].is_nan() && humid[1] == 0.25);
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_logged_where_the_author_said_so() {
    let mut node = production();
    node.serve.log = false;
    let world = World::new(node, &[(1, "ok")]).await;
    assert_eq!(world.client().await.predict("", ROW).await.status, 200);
    assert!(world.log.0.lock().unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_that_fits_is_taken() {
    let world = World::new(production(), &[(1, "ok")]).await;
    let mut client = world.client().await;
    for (from, to) in [
        (r#""hr":5"#, r#""hr":5.0"#),
        (r#""temp":0.5"#, r#""temp":1"#),
        (r#""temp":0.5"#, r#""temp":18446744073709551615"#),
        (r#""humid":0.25"#, r#""humid":null"#),
        (r#""humid":0.25,"#, ""),
        (r#""working":true"#, r#""working":1"#),
        (r#""working":true"#, r#""working":true,"day":"2012-02-29""#),
        (r#""working":true"#, r#""working":true,"day":null"#),
        (r#""weather":"mist""#, r#""wea\u0074her":"mis\u0074""#),
    ] {
        let reply = client.predict("", &ROW.replace(from, to)).await;
        assert_eq!(reply.status, 200, "{to}: {}", reply.text());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_value_that_does_not_fit_is_told_with_row_field_and_reason() {
    let world = World::new(production(), &[(1, "ok")]).await;
    let mut client = world.client().await;
    let mut told = String::new();
    for (from, to) in [
        (r#""hr":5"#, r#""hr":24"#),
        (r#""hr":5"#, r#""hr":-1"#),
        (r#""hr":5"#, r#""hr":1.5"#),
        (r#""hr":5"#, r#""hr":"5""#),
        (r#""hr":5"#, r#""hr":null"#),
        (r#""hr":5"#, r#""hr":[5]"#),
        (r#""hr":5"#, r#""hr":{"a":[1]}"#),
        (r#""hr":5"#, r#""hr":18446744073709551615"#),
        (r#""hr":5,"#, ""),
        (r#""hr":5"#, r#""hr":5,"hr":6"#),
        (r#""hr":5"#, r#""hour":5"#),
        (r#""temp":0.5"#, r#""temp":"warm""#),
        (r#""temp":0.5"#, r#""tmep":0.5"#),
        (r#""weather":"mist""#, r#""weather":"Mist""#),
        (r#""weather":"mist""#, r#""weather":"hurricane""#),
        (r#""weather":"mist""#, r#""weather":"""#),
        (r#""working":true"#, r#""working":"yes""#),
        (r#""working":true"#, r#""working":2"#),
        (r#""working":true"#, r#""working":true,"day":"2011-02-29""#),
        (r#""working":true"#, r#""working":true,"day":20110228"#),
        (r#""working":true"#, r#""working":true,"user":"a\u0000b""#),
        (r#""working":true"#, r#""working":true,"user":null"#),
    ] {
        let reply = client.predict("", &ROW.replace(from, to)).await;
        assert_eq!(reply.status, 422, "{to}: {}", reply.text());
        for problem in reply.json()["problems"].as_array().unwrap() {
            told += &format!("{to:32} {} {}: {}\n", problem["row"], problem["field"], problem["reason"]);
        }
    }
    insta::assert_snapshot!(told);
    assert_eq!(world.front.totals("production", 1).requests, 0, "a client's mistake counts nowhere");
}

#[tokio::test(flavor = "multi_thread")]
async fn twenty_problems_are_shown_and_all_are_counted() {
    let world = World::new(production(), &[(1, "ok")]).await;
    let rows = vec![r#"{"hr":99,"temp":0,"weather":"mist"}"#; 1_000].join(",");
    let reply = world.client().await.predict("", &format!("{{\"rows\":[{rows}]}}")).await;
    let json = reply.json();
    assert_eq!((reply.status, &json["count"]), (422, &serde_json::json!(2_000)));
    assert_eq!(json["problems"].as_array().unwrap().len(), 20);
    insta::assert_snapshot!(json["error"].as_str().unwrap(), @"row 0, `hr`: 99 is not in 0..=23; and 1999 more");
}
