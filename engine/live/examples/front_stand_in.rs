//! A front with a stand-in for models, to try clients of the Open Inference Protocol on: `tests/front/clients.py`.
//!
//! `cargo run --release -p mlp-live --example front_stand_in -- 8123` serves a regressor `production` and a classifier
//! `churn` until it is ended.

use mlp_live::clock::LiveClock;
use mlp_live::front::Front;
use mlp_live::routes::Routes;
use std::sync::Arc;

#[allow(dead_code, reason = "shared with the tests, which use all of it")]
#[path = "../tests/front/stand_in.rs"]
mod stand_in;

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let port = std::env::args().nth(1).ok_or("give the port to listen on")?.parse()?;
    let front =
        Front::new(Arc::new(stand_in::Models::default()), LiveClock::System, Arc::new(stand_in::Log::default()));
    for (name, behaviour) in [("production", "ok"), ("churn", "class")] {
        let mut node = stand_in::production();
        node.serve.port = port;
        node.model_name = format!("{name}_model");
        front.declare(name, Arc::new(node));
        front.load(name, stand_in::version(1), behaviour.as_bytes().to_vec()).await?;
        front.route(name, Routes { stable: Some(1), ..Routes::default() });
    }
    for address in front.listen().await? {
        println!("listening on http://{address}");
    }
    tokio::signal::ctrl_c().await?;
    front.drain(std::time::Duration::from_secs(5)).await;
    Ok(())
}
