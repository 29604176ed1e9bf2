//! Plain rows: from JSON straight into columns, without a tree in between.

use super::rows::{Rows, TooMany};
use super::shape::{Scalar, Shape};
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use std::fmt;
use std::sync::Arc;

/// Why a body is not understood.
#[derive(Debug)]
pub(super) enum Unreadable {
    /// No JSON, or none of the shape that is wanted; with the place.
    Malformed(String),
    /// More rows or cells than a request may have.
    TooMany,
}

/// Reads `{"rows": [{...}, ...]}`, `{"rows": {...}}` or one row `{...}`.
pub(super) fn rows(body: &[u8], shape: &Arc<Shape>) -> Result<Rows, Unreadable> {
    let mut rows = Rows::new(Arc::clone(shape));
    let mut overflow = false;
    let mut json = serde_json::Deserializer::from_slice(body);
    let read = Body { rows: &mut rows, overflow: &mut overflow }.deserialize(&mut json).and_then(|()| json.end());
    match read {
        _ if overflow => Err(Unreadable::TooMany),
        Err(error) => Err(Unreadable::Malformed(error.to_string())),
        Ok(()) if rows.end().is_err() => Err(Unreadable::TooMany),
        Ok(()) => Ok(rows),
    }
}

struct Body<'r> {
    rows: &'r mut Rows,
    overflow: &'r mut bool,
}

impl<'de> DeserializeSeed<'de> for Body<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Body<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object: `{\"rows\": [{...}, ...]}` or one row")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Body { rows, overflow } = self;
        let (mut guess, mut listed, mut single) = (0, false, false);
        while let Some(key) = map.next_key_seed(Key)? {
            if &*key == "rows" && rows.shape.index("rows", 0).is_none() {
                if listed {
                    return Err(A::Error::custom("`rows` is given twice"));
                }
                listed = true;
                map.next_value_seed(List { rows, overflow })?;
            } else {
                if !single && !listed {
                    rows.begin().map_err(|_| A::Error::custom("too many rows"))?;
                }
                single = true;
                field(rows, overflow, 0, &mut guess, &key, &mut map)?;
            }
            if listed && single {
                return Err(A::Error::custom("a body is either `{\"rows\": [...]}` or one row, not both"));
            }
        }
        Ok(())
    }
}

/// The value of `rows`.
struct List<'r> {
    rows: &'r mut Rows,
    overflow: &'r mut bool,
}

impl<'de> DeserializeSeed<'de> for List<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for List<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a list of rows, each an object")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let List { rows, overflow } = self;
        while seq.next_element_seed(Row { rows, overflow })?.is_some() {}
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
        Row { rows: self.rows, overflow: self.overflow }.visit_map(map)
    }
}

struct Row<'r> {
    rows: &'r mut Rows,
    overflow: &'r mut bool,
}

impl<'de> DeserializeSeed<'de> for Row<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_map(self)
    }
}

impl<'de> Visitor<'de> for Row<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a row: an object with a field for each column")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let row = self.rows.begin().map_err(|_| full(self.overflow))?;
        let mut guess = 0;
        while let Some(key) = map.next_key_seed(Key)? {
            field(self.rows, self.overflow, row, &mut guess, &key, &mut map)?;
        }
        Ok(())
    }
}

/// Reads the value that belongs to `key`.
fn field<'de, A: MapAccess<'de>>(
    rows: &mut Rows,
    overflow: &mut bool,
    row: usize,
    guess: &mut usize,
    key: &str,
    map: &mut A,
) -> Result<(), A::Error> {
    match rows.shape.index(key, *guess) {
        Some(index) => {
            *guess = index + 1;
            let put = |value: Scalar<'_>| rows.put(row, index, value);
            map.next_value_seed(Value(put))?.map_err(|_| full(overflow))
        }
        None => {
            rows.unknown(row, key);
            map.next_value::<IgnoredAny>().map(drop)
        }
    }
}

fn full<E: Error>(overflow: &mut bool) -> E {
    *overflow = true;
    E::custom("the request is too large")
}

/// A key, borrowed where it has no escapes.
pub(super) struct Key;

impl<'de> DeserializeSeed<'de> for Key {
    type Value = std::borrow::Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Key {
    type Value = std::borrow::Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_borrowed_str<E: Error>(self, name: &'de str) -> Result<Self::Value, E> {
        Ok(name.into())
    }

    fn visit_str<E: Error>(self, name: &str) -> Result<Self::Value, E> {
        Ok(name.to_owned().into())
    }
}

/// One value of whatever kind, handed to a function; lists and objects are passed over.
pub(super) struct Value<F>(pub F);

impl<'de, F: FnOnce(Scalar<'_>) -> Result<(), TooMany>> DeserializeSeed<'de> for Value<F> {
    type Value = Result<(), TooMany>;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Self::Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de, F: FnOnce(Scalar<'_>) -> Result<(), TooMany>> Visitor<'de> for Value<F> {
    type Value = Result<(), TooMany>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E: Error>(self) -> Result<Self::Value, E> {
        Ok((self.0)(Scalar::Null))
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<Self::Value, E> {
        Ok((self.0)(Scalar::Bool(value)))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<Self::Value, E> {
        Ok((self.0)(Scalar::Int(value)))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<Self::Value, E> {
        // A whole number beyond 64 bits signed is a number still, for a float.
        Ok((self.0)(i64::try_from(value).map_or(Scalar::Float(value as f64), Scalar::Int)))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Self::Value, E> {
        Ok((self.0)(Scalar::Float(value)))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<Self::Value, E> {
        Ok((self.0)(Scalar::Text(value)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Self::Value, A::Error> {
        while seq.next_element::<IgnoredAny>()?.is_some() {}
        Ok((self.0)(Scalar::Other("a list")))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok((self.0)(Scalar::Other("an object")))
    }
}
