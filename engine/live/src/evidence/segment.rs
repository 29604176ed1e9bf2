//! Segments: rows and labels as Parquet files that never change.
//!
//! A segment's name says which entries it holds, by their number, and from when to when: `rows_0_41_1301616000000_
//! 1301619600000.parquet`. It is written aside, synced, renamed. A segment whose numbers lie within those of another was
//! merged into that one, and is removed when the folder is next opened; so a crash at any instruction doubles no row.

use super::error::{At, EvidenceError};
use arrow_array::{ArrayRef, RecordBatch};
use arrow_schema::{Field, Schema as ArrowSchema};
use mlp_core::record::Millis;
use parquet::arrow::ArrowWriter;
use parquet::basic::Compression;
use parquet::file::properties::WriterProperties;
use std::collections::HashMap;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Ends the names of files that are not whole yet.
pub(super) const ASIDE: &str = ".tmp";
/// Key of the field metadata that says what a column of a segment is, whatever its name.
pub(super) const ROLE: &str = "mlp.role";

/// What a segment holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Rows,
    Labels,
}

impl Kind {
    fn word(self) -> &'static str {
        match self {
            Kind::Rows => "rows",
            Kind::Labels => "labels",
        }
    }
}

/// A segment, by its name. Bounds are inclusive.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Segment {
    pub kind: Kind,
    pub first: u64,
    pub last: u64,
    pub from: Millis,
    pub to: Millis,
}

impl Segment {
    pub fn path(&self, folder: &Path) -> PathBuf {
        let Segment { kind, first, last, from, to } = self;
        folder.join(format!("{}_{first}_{last}_{from}_{to}.parquet", kind.word()))
    }

    fn parse(name: &str) -> Option<Segment> {
        let mut parts = name.strip_suffix(".parquet")?.split('_');
        let kind = match parts.next()? {
            "rows" => Kind::Rows,
            "labels" => Kind::Labels,
            _ => return None,
        };
        let segment = Segment {
            kind,
            first: parts.next()?.parse().ok()?,
            last: parts.next()?.parse().ok()?,
            from: parts.next()?.parse().ok()?,
            to: parts.next()?.parse().ok()?,
        };
        (parts.next().is_none() && segment.first <= segment.last).then_some(segment)
    }

    /// How many entries.
    pub fn len(&self) -> u64 {
        self.last - self.first + 1
    }

    fn is_within(&self, other: &Segment) -> bool {
        self.kind == other.kind && other.first <= self.first && self.last <= other.last
    }

    /// The columns of the segment, by role. Opened by the caller, so that a segment that is merged meanwhile is still read.
    pub fn read(&self, file: File, path: &Path) -> Result<Vec<Part>, EvidenceError> {
        let damaged = |why: String| EvidenceError::Damaged { path: path.to_owned(), why };
        let (schema, batches) = mlp_data::cells::read_batches(file, None).map_err(damaged)?;
        let rows: usize = batches.iter().map(RecordBatch::num_rows).sum();
        if rows as u64 != self.len() {
            return Err(damaged(format!("it holds {rows} entries, and its name says {}", self.len())));
        }
        Ok(batches.into_iter().map(|batch| Part { schema: schema.clone(), batch }).collect())
    }
}

/// A batch of a segment's rows.
pub(super) struct Part {
    pub schema: Arc<ArrowSchema>,
    pub batch: RecordBatch,
}

impl Part {
    /// Each column with its role.
    pub fn columns(&self) -> impl Iterator<Item = (&str, &ArrayRef)> {
        let fields = self.schema.fields().iter().zip(self.batch.columns());
        fields.filter_map(|(field, array)| Some((field.metadata().get(ROLE)?.as_str(), array)))
    }

    /// The column of this role.
    pub fn column(&self, role: &str) -> Option<&ArrayRef> {
        self.columns().find(|(found, _)| *found == role).map(|(_, array)| array)
    }
}

/// The segments in `folder`, in the order of their numbers; what was merged or never finished is removed.
pub(super) fn list(folder: &Path) -> Result<Vec<Segment>, EvidenceError> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).at("list", folder)? {
        let path = entry.at("list", folder)?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if name.ends_with(ASIDE) {
            std::fs::remove_file(&path).at("remove", &path)?;
        } else if let Some(segment) = Segment::parse(name) {
            found.push(segment);
        }
    }
    // The longer of two that begin alike comes first, so that it is kept.
    found.sort_by_key(|segment| (segment.kind.word(), segment.first, std::cmp::Reverse(segment.last)));
    let mut kept: Vec<Segment> = Vec::with_capacity(found.len());
    for segment in found {
        match kept.last() {
            Some(last) if segment.is_within(last) => {
                let path = segment.path(folder);
                std::fs::remove_file(&path).at("remove", &path)?;
            }
            _ => kept.push(segment),
        }
    }
    Ok(kept)
}

/// A column to be written: its name, its role, its cells.
pub(super) struct Written {
    pub name: String,
    pub role: String,
    pub cells: ArrayRef,
}

/// Writes a segment: aside, synced, renamed, the folder synced. Columns that share a name get another one, the later of
/// them; their role stays.
pub(super) fn write(folder: &Path, segment: &Segment, columns: Vec<Written>) -> Result<(), EvidenceError> {
    let path = segment.path(folder);
    let aside = path.with_extension(format!("parquet{ASIDE}"));
    let parquet =
        |why: String| EvidenceError::Disk { doing: "write", path: aside.clone(), source: std::io::Error::other(why) };
    let mut names: Vec<String> = Vec::with_capacity(columns.len());
    let (mut fields, mut arrays) = (Vec::with_capacity(columns.len()), Vec::with_capacity(columns.len()));
    for Written { mut name, role, cells } in columns {
        while names.contains(&name) {
            name.push('_');
        }
        let metadata = HashMap::from([(ROLE.to_owned(), role)]);
        fields.push(Field::new(&name, cells.data_type().clone(), true).with_metadata(metadata));
        names.push(name);
        arrays.push(cells);
    }
    let schema = Arc::new(ArrowSchema::new(fields));
    let batch = RecordBatch::try_new(schema.clone(), arrays).map_err(|error| parquet(error.to_string()))?;
    let file = File::create(&aside).at("make", &aside)?;
    let synced = file.try_clone().at("make", &aside)?;
    let properties =
        WriterProperties::builder().set_created_by("mlp".to_owned()).set_compression(Compression::SNAPPY).build();
    let mut writer =
        ArrowWriter::try_new(file, schema, Some(properties)).map_err(|error| parquet(error.to_string()))?;
    writer.write(&batch).map_err(|error| parquet(error.to_string()))?;
    writer.close().map_err(|error| parquet(error.to_string()))?;
    synced.sync_all().at("make durable", &aside)?;
    std::fs::rename(&aside, &path).at("rename to its name", &path)?;
    File::open(folder).and_then(|folder| folder.sync_all()).at("make durable", folder)
}
