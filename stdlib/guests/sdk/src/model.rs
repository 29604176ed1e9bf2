//! Models, in files or in memory.

use crate::error::Error;
use crate::wit::types;
use std::borrow::Cow;

/// A model: what it is, and its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Model {
    /// What it can be used for: `classifier`, `regressor`.
    pub flavor: String,
    /// The columns it needs, in order.
    pub features: Vec<String>,
    source: Source,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Source {
    File(String),
    Memory(Vec<u8>),
}

impl Model {
    /// A new model.
    pub fn new(flavor: impl Into<String>, features: Vec<String>, bytes: Vec<u8>) -> Model {
        Model { flavor: flavor.into(), features, source: Source::Memory(bytes) }
    }

    /// Its bytes, as its maker wrote them.
    pub fn bytes(&self) -> Result<Cow<'_, [u8]>, Error> {
        match &self.source {
            Source::Memory(bytes) => Ok(Cow::Borrowed(bytes)),
            Source::File(path) => std::fs::read(path)
                .map(Cow::Owned)
                .map_err(|error| Error::failed(format!("cannot read the model {path}: {error}"))),
        }
    }

    #[doc(hidden)]
    pub fn store(self, name: &str) -> Result<types::Model, Error> {
        let path = crate::dataset::out_path(name);
        let bytes = self.bytes()?;
        std::fs::write(&path, &bytes).map_err(|error| Error::failed(format!("cannot write {path}: {error}")))?;
        drop(bytes);
        Ok(types::Model { path, flavor: self.flavor, features: self.features })
    }
}

impl From<types::Model> for Model {
    fn from(model: types::Model) -> Self {
        Model { flavor: model.flavor, features: model.features, source: Source::File(model.path) }
    }
}
