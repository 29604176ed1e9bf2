//! The contracts' types as Rust, generated from `spec/wit`. Steps use the SDK's own types; these are what crosses the
//! border.

#[allow(missing_docs)]
mod generated {
    wit_bindgen::generate!({
        path: ["../../../spec/wit/step.wit", "../../../spec/wit/predictor.wit"],
        inline: "
            package mlp:sdk@1.0.0;
            world sdk {
                import mlp:step/types@1.0.0;
                import mlp:step/host@1.0.0;
                import mlp:predictor/types@1.0.0;
            }
        ",
        world: "mlp:sdk/sdk",
        generate_all,
        generate_unused_types: true,
    });
}

pub use generated::mlp::predictor::types as predictor;
pub use generated::mlp::step::{host, types};
