//! What is held in memory: the newest rows, all labels, and which segments there are.
//!
//! Invariant: every logged row from `floor` on is here; of those before `floor`, exactly the ones that are in no segment
//! yet. So a window is the rows of segments before `floor` and the rows here, and counts none twice.

use super::error::{At, EvidenceError};
use super::labels::LabelValue;
use super::row::Row;
use super::segment::{Kind, Segment};
use super::stored_labels::Label;
use super::stored_rows;
use mlp_core::record::Millis;
use std::collections::{HashMap, HashSet, VecDeque};
use std::fs::File;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// A label in few bytes: texts are few, and stand in a table of their own.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Known {
    Number(f64),
    Text(u32),
}

#[derive(Debug, Default)]
pub(super) struct Memory {
    /// By time, then number.
    rows: VecDeque<Arc<Row>>,
    floor: Millis,
    /// How many of the rows here have this key.
    keys: HashMap<u128, u32>,
    labels: HashMap<u128, Known>,
    texts: Vec<Arc<str>>,
    text_places: HashMap<Arc<str>, u32>,
    /// In the order of their numbers, rows and labels.
    pub segments: Vec<Segment>,
}

/// A window before its segments are read.
pub(super) struct Found {
    /// From memory, by time.
    pub rows: Vec<Arc<Row>>,
    /// Open segments that may hold more.
    pub older: Vec<(Segment, File, PathBuf)>,
    /// Rows of segments count before it only.
    pub floor: Millis,
}

impl Memory {
    /// Loads the newest rows, at least `capacity` if there are so many, and all labels.
    pub fn load(folder: &Path, segments: Vec<Segment>, capacity: usize) -> Result<Memory, EvidenceError> {
        let mut memory = Memory { floor: Millis::MIN, segments, ..Memory::default() };
        let mut newest: Vec<Segment> = memory.of(Kind::Rows).cloned().collect();
        newest.sort_by_key(|segment| std::cmp::Reverse(segment.to));
        let mut loaded = 0;
        let mut rows = Vec::new();
        for segment in newest {
            if loaded >= capacity as u64 {
                memory.floor = memory.floor.max(segment.to.saturating_add(1));
                continue;
            }
            let path = segment.path(folder);
            rows.extend(stored_rows::read(&segment, File::open(&path).at("open", &path)?, &path)?);
            loaded += segment.len();
        }
        rows.retain(|row| row.at >= memory.floor);
        memory.insert(rows);
        let labels: Vec<Segment> = memory.of(Kind::Labels).cloned().collect();
        for segment in labels {
            let path = segment.path(folder);
            let file = File::open(&path).at("open", &path)?;
            for label in super::stored_labels::read(&segment, file, &path)? {
                memory.label(&label);
            }
        }
        Ok(memory)
    }

    /// The segments of a kind, in the order of their numbers.
    pub fn of(&self, kind: Kind) -> impl DoubleEndedIterator<Item = &Segment> {
        self.segments.iter().filter(move |segment| segment.kind == kind)
    }

    /// Takes rows in.
    pub fn insert(&mut self, rows: Vec<Arc<Row>>) {
        for row in &rows {
            *self.keys.entry(row.key).or_default() += 1;
        }
        let order = |row: &Arc<Row>| (row.at, row.sequence);
        let mut rows = rows;
        rows.sort_unstable_by_key(order);
        let Some(earliest) = rows.first().map(order) else { return };
        // Rows come nearly in order: only the few that are later than the earliest new one are moved.
        let place = self.rows.partition_point(|row| order(row) < earliest);
        let mut moved: Vec<Arc<Row>> = self.rows.drain(place..).collect();
        if !moved.is_empty() {
            moved.append(&mut rows);
            moved.sort_by_key(order);
            rows = moved;
        }
        self.rows.extend(rows);
    }

    /// Takes a label in.
    pub fn label(&mut self, label: &Label) {
        let known = match &label.value {
            LabelValue::Number(number) => Known::Number(*number),
            LabelValue::Text(text) => Known::Text(self.text_place(text)),
        };
        self.labels.insert(super::row::key(&label.id), known);
    }

    fn text_place(&mut self, text: &str) -> u32 {
        if let Some(place) = self.text_places.get(text) {
            return *place;
        }
        let place = self.texts.len() as u32;
        let text: Arc<str> = text.into();
        self.texts.push(text.clone());
        self.text_places.insert(text, place);
        place
    }

    /// The label of the prediction with this key.
    pub fn label_of(&self, key: u128) -> Option<LabelValue> {
        Some(match self.labels.get(&key)? {
            Known::Number(number) => LabelValue::Number(*number),
            Known::Text(place) => LabelValue::Text(self.texts.get(*place as usize)?.to_string()),
        })
    }

    /// Whether a row here has this key.
    pub fn has(&self, key: u128) -> bool {
        self.keys.contains_key(&key)
    }

    /// All rows are in segments now: these instead of those whose numbers they cover. Gives the ones that are covered.
    pub fn sealed(&mut self, new: Vec<Segment>, capacity: usize) -> Vec<Segment> {
        let mut covered = Vec::new();
        for segment in new {
            let within =
                |old: &Segment| old.kind == segment.kind && segment.first <= old.first && old.last <= segment.last;
            covered.extend(self.segments.extract_if(.., |old| within(old)));
            self.segments.push(segment);
        }
        self.evict(capacity);
        covered
    }

    fn evict(&mut self, capacity: usize) {
        if let Some(beyond) = self.rows.len().checked_sub(capacity + 1) {
            self.floor = self.floor.max(self.rows[beyond].at.saturating_add(1));
        }
        // Also those that came late, from before the floor, and are in a segment only now.
        let place = self.rows.partition_point(|row| row.at < self.floor);
        for row in self.rows.drain(..place) {
            if let Some(count) = self.keys.get_mut(&row.key) {
                *count -= 1;
                if *count == 0 {
                    self.keys.remove(&row.key);
                }
            }
        }
    }

    /// The rows from `from` on and before `to`.
    pub fn find(&self, folder: &Path, from: Millis, to: Millis) -> Result<Found, EvidenceError> {
        let begin = self.rows.partition_point(|row| row.at < from);
        let end = self.rows.partition_point(|row| row.at < to).max(begin);
        let rows = self.rows.range(begin..end).cloned().collect();
        let before = to.min(self.floor);
        let older = self.open(folder, |segment| segment.from < before && segment.to >= from)?;
        Ok(Found { rows, older, floor: self.floor })
    }

    /// Opens the segments of rows that hold more than what is here.
    pub fn open_older(&self, folder: &Path) -> Result<Vec<(Segment, File, PathBuf)>, EvidenceError> {
        self.open(folder, |segment| segment.from < self.floor)
    }

    fn open(
        &self,
        folder: &Path,
        wanted: impl Fn(&Segment) -> bool,
    ) -> Result<Vec<(Segment, File, PathBuf)>, EvidenceError> {
        let open = |segment: &Segment| {
            let path = segment.path(folder);
            Ok((segment.clone(), File::open(&path).at("open", &path)?, path))
        };
        self.of(Kind::Rows).filter(|segment| wanted(segment)).map(open).collect()
    }

    /// How many rows are here.
    pub fn len(&self) -> usize {
        self.rows.len()
    }
}

impl Found {
    /// All rows of the window, by time.
    pub fn all(self, from: Millis, to: Millis) -> Result<Vec<Arc<Row>>, EvidenceError> {
        if self.older.is_empty() {
            return Ok(self.rows);
        }
        let (mut rows, before) = (self.rows, to.min(self.floor));
        for (segment, file, path) in self.older {
            let older = stored_rows::read(&segment, file, &path)?;
            rows.extend(older.into_iter().filter(|row| row.at >= from && row.at < before));
        }
        rows.sort_unstable_by_key(|row| (row.at, row.sequence));
        Ok(rows)
    }
}

/// Which of `keys` stand in these segments.
pub(super) fn keys_in(
    older: Vec<(Segment, File, PathBuf)>,
    keys: &HashSet<u128>,
) -> Result<HashSet<u128>, EvidenceError> {
    let mut found = HashSet::new();
    for (segment, file, path) in older {
        for row in stored_rows::read(&segment, file, &path)? {
            if keys.contains(&row.key) {
                found.insert(row.key);
            }
        }
    }
    Ok(found)
}
