//! Why a step gives nothing.

use crate::wit::types;
use std::fmt;

/// Why a step gives nothing. The message is read by the person who wrote the pipeline: say what is wrong, on what, and
/// what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Error {
    /// The caller's data or setting is wrong: no retry helps.
    BadInput {
        /// The setting or input at fault.
        param: Option<String>,
        /// The column at fault.
        column: Option<String>,
        /// What is wrong.
        message: String,
    },
    /// The step failed: no retry helps.
    Failed(String),
    /// Try again later.
    Retry(String),
}

impl Error {
    /// A wrong setting or input.
    pub fn param(name: &str, message: impl Into<String>) -> Error {
        Error::BadInput { param: Some(name.into()), column: None, message: message.into() }
    }

    /// A column that cannot be used.
    pub fn column(name: &str, message: impl Into<String>) -> Error {
        Error::BadInput { param: None, column: Some(name.into()), message: message.into() }
    }

    /// Wrong data as a whole.
    pub fn input(message: impl Into<String>) -> Error {
        Error::BadInput { param: None, column: None, message: message.into() }
    }

    /// Not the caller's fault.
    pub fn failed(message: impl Into<String>) -> Error {
        Error::Failed(message.into())
    }

    /// The same error, blamed on this setting or input too.
    pub fn of_param(mut self, name: &str) -> Error {
        if let Error::BadInput { param, .. } = &mut self {
            param.get_or_insert_with(|| name.into());
        }
        self
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::BadInput { param, column, message } => {
                if let Some(param) = param {
                    write!(f, "{param}: ")?;
                }
                if let Some(column) = column {
                    write!(f, "column `{column}`: ")?;
                }
                f.write_str(message)
            }
            Error::Failed(message) | Error::Retry(message) => f.write_str(message),
        }
    }
}

impl std::error::Error for Error {}

impl From<Error> for types::Error {
    fn from(error: Error) -> Self {
        match error {
            Error::BadInput { param, column, message } => {
                types::Error::BadInput(types::BadInput { param, column, message })
            }
            Error::Failed(message) => types::Error::Failed(message),
            Error::Retry(message) => types::Error::Retry(message),
        }
    }
}
