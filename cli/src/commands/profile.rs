//! Profiles: sets of parameters under a name, in `mlp-profiles.json`. Why a file of its own: docs/decisions/0011.

use crate::args::Params;
use crate::fault::Fault;
use crate::files;
use crate::render::text::some_of;
use indexmap::IndexMap;
use mlp_core::project::Project;
use mlp_lang::codes;
use mlp_lang::finding::Finding;
use mlp_lang::import::nearest;
use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::Value;
use std::io::ErrorKind;
use std::marker::PhantomData;
use std::path::{Path, PathBuf};

/// What the file is called.
const NAME: &str = "mlp-profiles.json";

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Profiles {
    #[serde(deserialize_with = "entries")]
    profiles: IndexMap<String, Profile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Profile {
    /// For people.
    #[serde(default, rename = "about")]
    _about: Option<String>,
    #[serde(deserialize_with = "entries")]
    params: IndexMap<String, Value>,
}

/// Each name with what it stands for. A name that is there twice is a mistake: nobody can see which one counts.
fn entries<'de, D: Deserializer<'de>, T: Deserialize<'de>>(from: D) -> Result<IndexMap<String, T>, D::Error> {
    struct Once<T>(PhantomData<T>);
    impl<'de, T: Deserialize<'de>> Visitor<'de> for Once<T> {
        type Value = IndexMap<String, T>;

        fn expecting(&self, to: &mut std::fmt::Formatter) -> std::fmt::Result {
            to.write_str("names with what they stand for, in braces")
        }

        fn visit_map<A: MapAccess<'de>>(self, mut from: A) -> Result<IndexMap<String, T>, A::Error> {
            let mut entries = IndexMap::new();
            while let Some((name, value)) = from.next_entry::<String, T>()? {
                if entries.contains_key(&name) {
                    return Err(serde::de::Error::custom(format!("`{name}` is there twice")));
                }
                entries.insert(name, value);
            }
            Ok(entries)
        }
    }
    from.deserialize_map(Once(PhantomData))
}

/// The parameters of a profile, each as `--param` takes it. `file`: the pipeline, beside which or above which the profiles
/// stand.
pub fn params(wanted: &str, file: &Path) -> Result<Vec<(String, String)>, Fault> {
    let (path, text) = find(file)?;
    let shown = path.display();
    let broken = |why: String| {
        Fault::usage(format!("{shown} is not a file of profiles"))
            .cause(why)
            .next("write it as {\"profiles\": {\"ci\": {\"params\": {\"seed\": 7, \"holdout\": \"25%\"}}}}")
    };
    let profiles: Profiles = serde_json::from_str(&text).map_err(|error| broken(error.to_string()))?;
    let Some(profile) = profiles.profiles.get(wanted) else {
        let names = || profiles.profiles.keys().map(String::as_str);
        return Err(Fault::usage(format!("{shown} has no profile `{wanted}`")).next(match nearest(wanted, names()) {
            Some(near) => format!("did you mean `{near}`? it has {}", some_of(names())),
            None if profiles.profiles.is_empty() => "it has none".to_owned(),
            None => format!("it has {}", some_of(names())),
        }));
    };
    let of = |(name, value): (&String, &Value)| match written(value) {
        Some(text) => Ok((name.clone(), text)),
        None => Err(broken(format!(
            "profile `{wanted}`: the value of `{name}` is neither a text, a number nor true or false"
        ))),
    };
    profile.params.iter().map(of).collect()
}

/// Says of each parameter that is wrong and was not set on the command line which profile set it.
pub fn attribute(findings: &mut [Finding], given: &Params) {
    let Some(profile) = &given.profile else { return };
    for finding in findings.iter_mut().filter(|it| [codes::UNKNOWN_PARAM, codes::BAD_OVERRIDE].contains(&it.code)) {
        // The message opens with the parameter as it is written on the command line.
        let Some(rest) = finding.message.strip_prefix("--param ") else { continue };
        let name = rest.split([':', '=']).next().unwrap_or(rest);
        if given.params.iter().all(|(known, _)| known != name) {
            finding.notes.push(format!("profile `{profile}` in {NAME} sets it"));
        }
    }
}

/// A text is written as in a `.mlp` file; numbers and truths mean the same in both.
fn written(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(truth) => Some(truth.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// The nearest file of profiles: in the pipeline's folder or above, up to the project's root.
fn find(file: &Path) -> Result<(PathBuf, String), Fault> {
    let folder = files::base_of(file);
    let folder = std::path::absolute(&folder).unwrap_or(folder);
    let root = Project::discover(&folder).root;
    let inside = folder.ancestors().take_while(|at| at.starts_with(&root));
    for at in inside {
        let path = at.join(NAME);
        match std::fs::read_to_string(&path) {
            Ok(text) => return Ok((path, text)),
            Err(error) if error.kind() == ErrorKind::NotFound => {}
            Err(error) => {
                return Err(Fault::usage(format!("cannot read {}", path.display()))
                    .cause(error)
                    .next("it must be a file of text that you may read"));
            }
        }
    }
    Err(Fault::usage("there are no profiles here")
        .cause(format!("no {NAME} in {} or above it, up to {}", folder.display(), root.display()))
        .next("set the parameters with `--param NAME=VALUE`, or write that file"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A repository with profiles at its root and a pipeline in a folder of it.
    fn repository(profiles: &str) -> (tempfile::TempDir, PathBuf) {
        let top = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(top.path().join(".git")).unwrap();
        std::fs::create_dir_all(top.path().join("pipelines")).unwrap();
        std::fs::write(top.path().join(NAME), profiles).unwrap();
        let file = top.path().join("pipelines/churn.mlp");
        (top, file)
    }

    #[test]
    fn the_nearest_file_of_profiles_counts() {
        let (top, file) = repository(
            r#"{"profiles": {"ci": {"about": "small", "params": {"seed": 7, "holdout": "25%", "fast": true}}}}"#,
        );
        let text = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        assert_eq!(params("ci", &file), Ok(vec![text("seed", "7"), text("holdout", "25%"), text("fast", "true")]));
        std::fs::write(top.path().join("pipelines").join(NAME), r#"{"profiles": {"ci": {"params": {}}}}"#).unwrap();
        assert_eq!(params("ci", &file), Ok(vec![]));
    }

    #[test]
    fn what_is_wrong_is_told_with_what_to_do() {
        for (profiles, error, next) in [
            (r#"{"profiles": {"ci": {"params": {}}}}"#, "has no profile `release`", "it has ci"),
            (r#"{"profiles": {}}"#, "has no profile `release`", "it has none"),
            (r#"{"profiles": {"release": {"parms": {}}}}"#, "not a file of profiles", "write it as"),
            (
                r#"{"profiles": {"release": {"params": {}}, "release": {"params": {}}}}"#,
                "not a file of profiles",
                "write it as",
            ),
            (
                r#"{"profiles": {"release": {"params": {"seed": 1, "seed": 2}}}}"#,
                "not a file of profiles",
                "write it as",
            ),
            (r#"{"profiles": {"relaese": {"params": {}}}}"#, "has no profile `release`", "did you mean `relaese`?"),
            (r#"{"profiles": {"release": {"params": {"seed": [1]}}}}"#, "not a file of profiles", "write it as"),
            ("seed = 7", "not a file of profiles", "write it as"),
        ] {
            let (_top, file) = repository(profiles);
            let fault = params("release", &file).unwrap_err();
            assert!(fault.error.contains(error), "{profiles}: {fault:?}");
            assert!(fault.next.is_some_and(|it| it.contains(next)), "{profiles}");
        }
    }

    #[test]
    fn nothing_is_looked_for_above_the_project() {
        let (top, _) = repository(r#"{"profiles": {"ci": {"params": {}}}}"#);
        let inner = top.path().join("inner");
        std::fs::create_dir_all(inner.join(".git")).unwrap();
        let fault = params("ci", &inner.join("x.mlp")).unwrap_err();
        assert_eq!(fault.error, "there are no profiles here");
    }
}
