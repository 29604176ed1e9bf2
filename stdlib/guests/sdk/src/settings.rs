//! The types of settings.

/// `20%` is `0.2`.
pub type Fraction = f64;

/// Bytes: `4GiB`.
pub type Size = u64;

/// The name of a column.
pub type Column = String;

/// A value of some column's type, as canonical text: `42`, `0.5`, `2011-04-01`, `2011-04-01T12:00:00Z`, `free`.
pub type ValueOf = String;

pub use std::time::Duration;

/// How a setting comes from its form on the wire.
pub trait Setting<Wire> {
    /// The setting.
    fn from_wit(wire: Wire) -> Self;
}

macro_rules! same_on_the_wire {
    ($($ty:ty),*) => { $(
        impl Setting<$ty> for $ty {
            fn from_wit(wire: $ty) -> Self {
                wire
            }
        }
    )* };
}

same_on_the_wire!(bool, i64, u64, f64, String);

impl Setting<i64> for Duration {
    fn from_wit(nanoseconds: i64) -> Self {
        Duration::from_nanos(u64::try_from(nanoseconds).unwrap_or(0))
    }
}

impl<Wire, T: Setting<Wire>> Setting<Option<Wire>> for Option<T> {
    fn from_wit(wire: Option<Wire>) -> Self {
        wire.map(T::from_wit)
    }
}

impl<Wire, T: Setting<Wire>> Setting<Vec<Wire>> for Vec<T> {
    fn from_wit(wire: Vec<Wire>) -> Self {
        wire.into_iter().map(T::from_wit).collect()
    }
}
