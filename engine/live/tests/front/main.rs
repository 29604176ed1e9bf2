//! The front as clients and the resident loop see it, with a native stand-in for models.

mod failures;
mod hostile;
mod protocol;
mod routing;
mod rows;
mod stand_in;
