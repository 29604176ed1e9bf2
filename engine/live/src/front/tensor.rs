//! Requests of the Open Inference Protocol: tensors, as JSON or in the binary extension, put into columns by the same
//! rules as plain rows.

use super::decode::Unreadable;
use super::rows::{MOST_CELLS, MOST_ROWS, Rows};
use super::shape::{Scalar, Shape};
use serde::Deserialize;
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use std::fmt;
use std::sync::Arc;

/// What a client asks for beside its rows.
#[derive(Debug, Default)]
pub(super) struct Inference {
    /// The client's id, to be given back as it is.
    pub id: Option<String>,
    /// The outputs that are wanted, with whether as binary; empty: all.
    pub outputs: Vec<(String, bool)>,
    /// All outputs that say nothing else are wanted as binary.
    pub binary: bool,
}

#[derive(Deserialize)]
struct Request {
    id: Option<String>,
    parameters: Option<Parameters>,
    inputs: Vec<Input>,
    outputs: Option<Vec<Output>>,
}

#[derive(Deserialize)]
struct Input {
    name: String,
    shape: Vec<usize>,
    datatype: String,
    parameters: Option<Parameters>,
    data: Option<Data>,
}

#[derive(Deserialize)]
struct Output {
    name: String,
    parameters: Option<Parameters>,
}

#[derive(Default, Deserialize)]
struct Parameters {
    binary_data_size: Option<usize>,
    binary_data: Option<bool>,
    binary_data_output: Option<bool>,
}

/// What a tensor holds, row by row, and how its lists are nested.
#[derive(Default)]
struct Data {
    items: Vec<Item>,
    /// The length of the lists at each depth.
    lengths: Vec<usize>,
    ragged: bool,
}

enum Item {
    Null,
    Bool(bool),
    Int(i64),
    Float(f64),
    Text(String),
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Datatype {
    Bool,
    Int { bytes: usize, signed: bool },
    Float { bytes: usize },
    Bytes,
}

/// Reads a request. `binary`: what follows the JSON in the binary extension. `features`: those of the version that will
/// answer, for a request that gives them as one tensor.
pub(super) fn read(
    json: &[u8],
    binary: &[u8],
    shape: &Arc<Shape>,
    features: &[String],
) -> Result<(Rows, Inference), Unreadable> {
    let malformed = Unreadable::Malformed;
    let request: Request = serde_json::from_slice(json).map_err(|error| malformed(error.to_string()))?;
    let mut rest = binary;
    let mut tensors = Vec::with_capacity(request.inputs.len());
    for input in request.inputs {
        tensors.push(tensor(input, &mut rest).map_err(malformed)?);
    }
    if !rest.is_empty() {
        return Err(malformed(format!("{} bytes follow that belong to no input", rest.len())));
    }
    let rows = into_rows(tensors, shape, features)?;
    let binary = request.parameters.and_then(|parameters| parameters.binary_data_output).unwrap_or(false);
    let outputs = request.outputs.unwrap_or_default().into_iter().map(|output| {
        let wanted = output.parameters.and_then(|parameters| parameters.binary_data).unwrap_or(binary);
        (output.name, wanted)
    });
    Ok((rows, Inference { id: request.id.filter(|id| !id.is_empty()), outputs: outputs.collect(), binary }))
}

struct Tensor {
    name: String,
    datatype: Datatype,
    rows: usize,
    /// Elements of a row.
    width: usize,
    items: Vec<Item>,
}

/// Takes an input's elements from where they are, and holds them against its shape.
fn tensor(input: Input, rest: &mut &[u8]) -> Result<Tensor, String> {
    let Input { name, shape, datatype, parameters, data } = input;
    let who = format!("input {}", mlp_data::quoted(&name));
    let datatype = Datatype::new(&datatype).ok_or_else(|| {
        format!(
            "{who} has the datatype {}, which is not known here: use BOOL, INT8 to INT64, UINT8 to UINT64, FP32, FP64 or \
             BYTES",
            mlp_data::quoted(&datatype)
        )
    })?;
    let (rows, width) = match *shape {
        [rows] => (rows, 1),
        [rows, width] => (rows, width),
        _ => return Err(format!("{who} has {} dimensions: [rows] or [rows, columns] is wanted", shape.len())),
    };
    let elements = rows.checked_mul(width).ok_or_else(|| format!("{who} has a shape that no memory holds"))?;
    let items = match (parameters.and_then(|parameters| parameters.binary_data_size), data) {
        (Some(_), Some(_)) => return Err(format!("{who} has both `data` and `binary_data_size`")),
        (None, None) => return Err(format!("{who} has no `data`")),
        (Some(size), None) => {
            let (bytes, others) = rest
                .split_at_checked(size)
                .ok_or_else(|| format!("{who} has {size} bytes of binary data, and {} follow", rest.len()))?;
            *rest = others;
            datatype.elements(bytes).ok_or_else(|| format!("{who} has binary data that is no {}", datatype.name()))?
        }
        (None, Some(data)) => {
            if data.ragged || (data.lengths.len() > 1 && data.lengths != shape) {
                return Err(format!("{who} has `data` whose lists are not nested as its shape {shape:?} says"));
            }
            data.items
        }
    };
    if items.len() != elements {
        return Err(format!("{who} has {} elements, and its shape {shape:?} wants {elements}", items.len()));
    }
    Ok(Tensor { name, datatype, rows, width, items })
}

fn into_rows(tensors: Vec<Tensor>, shape: &Arc<Shape>, features: &[String]) -> Result<Rows, Unreadable> {
    let count = tensors.first().map_or(0, |tensor| tensor.rows);
    let cells = tensors.iter().map(|tensor| tensor.items.len()).fold(0, usize::saturating_add);
    if count > MOST_ROWS || cells > MOST_CELLS {
        return Err(Unreadable::TooMany);
    }
    if let Some(odd) = tensors.iter().find(|tensor| tensor.rows != count) {
        let name = mlp_data::quoted(&odd.name);
        return Err(Unreadable::Malformed(format!("input {name} has {} rows, and the first has {count}", odd.rows)));
    }
    let mut rows = Rows::new(Arc::clone(shape));
    for _ in 0..count {
        rows.begin().map_err(|_| Unreadable::TooMany)?;
    }
    let alone = tensors.len() == 1;
    let mut seen = vec![false; shape.columns.len()];
    for tensor in tensors {
        let index = shape.index(&tensor.name, 0).filter(|_| tensor.width == 1);
        let places = match index {
            Some(index) => vec![index],
            None if alone && tensor.width == features.len() && !features.is_empty() => {
                matrix(&tensor, shape, features)?
            }
            None if shape.index(&tensor.name, 0).is_some() => {
                let (name, width) = (&tensor.name, tensor.width);
                return Err(Unreadable::Malformed(format!(
                    "input `{name}` has {width} values a row, and a column has 1"
                )));
            }
            None => {
                rows.unknown(0, &tensor.name);
                continue;
            }
        };
        for place in &places {
            if let Some(seen) = seen.get_mut(*place)
                && std::mem::replace(seen, true)
            {
                return Err(Unreadable::Malformed(format!("input `{}` is given twice", tensor.name)));
            }
        }
        put(&mut rows, &tensor, &places).map_err(|_| Unreadable::TooMany)?;
    }
    rows.end().map_err(|_| Unreadable::TooMany)?;
    Ok(rows)
}

/// The columns of a tensor that holds all features.
fn matrix(tensor: &Tensor, shape: &Shape, features: &[String]) -> Result<Vec<usize>, Unreadable> {
    let name = mlp_data::quoted(&tensor.name);
    if tensor.datatype == Datatype::Bytes {
        return Err(Unreadable::Malformed(format!("input {name} holds all features, and must be of numbers")));
    }
    let place = |feature: &String| {
        let index = shape.index(feature, 0);
        match index.and_then(|index| shape.columns.get(index)) {
            Some(column) if !column.is_text() => Ok(index.unwrap_or_default()),
            _ => Err(Unreadable::Malformed(format!(
                "input {name} holds all features, and `{feature}` is no number: give each column an input of its own name"
            ))),
        }
    };
    features.iter().map(place).collect()
}

fn put(rows: &mut Rows, tensor: &Tensor, places: &[usize]) -> Result<(), super::rows::TooMany> {
    for (row, items) in tensor.items.chunks_exact(places.len()).enumerate() {
        for (item, place) in items.iter().zip(places) {
            let value = item.scalar();
            if !tensor.datatype.holds(item) {
                let datatype = tensor.datatype.name();
                rows.wrong(row, &tensor.name, || format!("it is no {datatype}, which is the input's datatype"));
                // The cell is there all the same; it must not be told as missing too.
                rows.skip(row, *place)?;
                continue;
            }
            rows.put(row, *place, value)?;
        }
    }
    Ok(())
}

impl Datatype {
    fn new(name: &str) -> Option<Datatype> {
        let sized = |digits: &str| match digits {
            "8" => Some(1),
            "16" => Some(2),
            "32" => Some(4),
            "64" => Some(8),
            _ => None,
        };
        Some(match name {
            "BOOL" => Datatype::Bool,
            "BYTES" => Datatype::Bytes,
            "FP32" => Datatype::Float { bytes: 4 },
            "FP64" => Datatype::Float { bytes: 8 },
            _ => match (name.strip_prefix("INT"), name.strip_prefix("UINT")) {
                (Some(digits), _) => Datatype::Int { bytes: sized(digits)?, signed: true },
                (_, Some(digits)) => Datatype::Int { bytes: sized(digits)?, signed: false },
                _ => return None,
            },
        })
    }

    /// As the protocol writes it.
    fn name(self) -> &'static str {
        match self {
            Datatype::Bool => "BOOL",
            Datatype::Bytes => "BYTES",
            Datatype::Float { bytes: 4 } => "FP32",
            Datatype::Float { .. } => "FP64",
            Datatype::Int { bytes: 1, signed: true } => "INT8",
            Datatype::Int { bytes: 2, signed: true } => "INT16",
            Datatype::Int { bytes: 4, signed: true } => "INT32",
            Datatype::Int { signed: true, .. } => "INT64",
            Datatype::Int { bytes: 1, .. } => "UINT8",
            Datatype::Int { bytes: 2, .. } => "UINT16",
            Datatype::Int { bytes: 4, .. } => "UINT32",
            Datatype::Int { .. } => "UINT64",
        }
    }

    /// Whether an element of `data` is one of this type.
    fn holds(self, item: &Item) -> bool {
        match (self, item) {
            (_, Item::Null) => true,
            (Datatype::Bool, Item::Bool(_) | Item::Int(0 | 1)) => true,
            (Datatype::Float { .. }, Item::Int(_) | Item::Float(_)) | (Datatype::Bytes, Item::Text(_)) => true,
            (Datatype::Int { bytes, signed }, item) => {
                let bits = bytes * 8 - usize::from(signed);
                let low = if signed { -(1i128 << bits) } else { 0 };
                let number = match item {
                    Item::Int(number) => i128::from(*number),
                    Item::Float(number) if number.fract() == 0.0 => *number as i128,
                    _ => return false,
                };
                (low..1i128 << bits).contains(&number)
            }
            _ => false,
        }
    }

    /// The elements in binary data, little-endian; texts are preceded by their length in four bytes.
    fn elements(self, bytes: &[u8]) -> Option<Vec<Item>> {
        if self == Datatype::Bytes {
            let (mut items, mut rest) = (Vec::new(), bytes);
            while !rest.is_empty() {
                let (length, after) = rest.split_first_chunk::<4>()?;
                let (text, after) = after.split_at_checked(u32::from_le_bytes(*length) as usize)?;
                items.push(Item::Text(std::str::from_utf8(text).ok()?.to_owned()));
                rest = after;
            }
            return Some(items);
        }
        let size = match self {
            Datatype::Bool | Datatype::Bytes => 1,
            Datatype::Int { bytes, .. } | Datatype::Float { bytes } => bytes,
        };
        if !bytes.len().is_multiple_of(size) {
            return None;
        }
        bytes.chunks_exact(size).map(|element| self.element(element)).collect()
    }

    fn element(self, bytes: &[u8]) -> Option<Item> {
        let mut wide = [0; 8];
        wide.get_mut(..bytes.len())?.copy_from_slice(bytes);
        let number = u64::from_le_bytes(wide);
        Some(match self {
            Datatype::Bool => Item::Bool(number != 0),
            Datatype::Int { signed: false, .. } => i64::try_from(number).map_or(Item::Float(number as f64), Item::Int),
            Datatype::Int { bytes, .. } => {
                let unused = 64 - 8 * bytes as u32;
                Item::Int((number << unused).cast_signed() >> unused)
            }
            Datatype::Float { bytes: 4 } => Item::float(f64::from(f32::from_bits(number as u32))),
            Datatype::Float { .. } => Item::float(f64::from_bits(number)),
            Datatype::Bytes => return None,
        })
    }
}

impl Item {
    /// Binary tensors have no null: NaN stands for what is missing.
    fn float(number: f64) -> Item {
        if number.is_nan() { Item::Null } else { Item::Float(number) }
    }

    fn scalar(&self) -> Scalar<'_> {
        match self {
            Item::Null => Scalar::Null,
            Item::Bool(value) => Scalar::Bool(*value),
            Item::Int(value) => Scalar::Int(*value),
            Item::Float(value) => Scalar::Float(*value),
            Item::Text(value) => Scalar::Text(value),
        }
    }
}

impl<'de> Deserialize<'de> for Data {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Data, D::Error> {
        let mut data = Data::default();
        Level { data: &mut data, depth: 0 }.deserialize(deserializer)?;
        Ok(data)
    }
}

/// A list of elements, or of lists.
struct Level<'d> {
    data: &'d mut Data,
    depth: usize,
}

impl Level<'_> {
    fn push<E: Error>(self, item: Item) -> Result<(), E> {
        if self.depth == 0 {
            return Err(E::custom("`data` is a list"));
        }
        // Elements do not stand beside lists.
        self.data.ragged |= self.depth == 1 && !self.data.lengths.is_empty();
        self.data.items.push(item);
        Ok(())
    }
}

impl<'de> DeserializeSeed<'de> for Level<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Level<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("numbers, texts, true or false, in one or two lists")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<(), A::Error> {
        let Level { data, depth } = self;
        if depth >= 2 {
            return Err(A::Error::custom("`data` is nested deeper than two lists"));
        }
        let mut length = 0;
        while seq.next_element_seed(Level { data, depth: depth + 1 })?.is_some() {
            length += 1;
        }
        // Inner lists end first, so the lengths are noted from the inside; the outer one comes last.
        match (depth, data.lengths.as_slice()) {
            (1, []) => data.lengths.push(length),
            (1, [inner]) => data.ragged |= *inner != length,
            (0, _) => data.lengths.insert(0, length),
            _ => data.ragged = true,
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, _: A) -> Result<(), A::Error> {
        Err(A::Error::custom("`data` holds no objects"))
    }

    fn visit_unit<E: Error>(self) -> Result<(), E> {
        self.push(Item::Null)
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<(), E> {
        self.push(Item::Bool(value))
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<(), E> {
        self.push(Item::Int(value))
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<(), E> {
        self.push(i64::try_from(value).map_or(Item::Float(value as f64), Item::Int))
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        self.push(Item::Float(value))
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<(), E> {
        self.push(Item::Text(value.to_owned()))
    }
}
