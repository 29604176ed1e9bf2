//! Which version of which model each deployment serves to everybody, as the one who asks knows it. The engine itself
//! serves nothing: whoever plans or runs a pipeline that reads `registry("demand@production")` is told.

use std::collections::BTreeMap;

/// Deployments by name, each with the model and the version that is stable in it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Aliases(BTreeMap<String, (String, u64)>);

impl Aliases {
    /// Nothing is deployed.
    pub fn none() -> Aliases {
        Aliases::default()
    }

    /// Says what a deployment serves; the last word counts.
    pub fn set(&mut self, deployment: impl Into<String>, model: impl Into<String>, version: u64) {
        self.0.insert(deployment.into(), (model.into(), version));
    }

    /// The model and the version that a deployment serves to everybody; `None` if there is none yet.
    pub fn serving(&self, deployment: &str) -> Option<(&str, u64)> {
        self.0.get(deployment).map(|(model, version)| (model.as_str(), *version))
    }
}
