//! How long a step has lasted, and when it is measured.
//!
//! Time is counted from measurement to measurement: an interval that had no data, or that could not be measured, does not
//! count. Without a check all time counts in which an engine lived and nobody paused.

use super::super::millis;
use mlp_core::record::Millis;
use mlp_lang::live::Check;

/// The clock of one step.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Hold {
    /// When the step began.
    pub began: Millis,
    /// How long it must last, in milliseconds. `None`: until a person says.
    pub length: Option<i64>,
    /// Milliseconds between two measurements. `None`: nothing is checked.
    every: Option<i64>,
    /// Milliseconds that count so far, up to `mark`.
    held: i64,
    mark: Millis,
    /// The next measurement in the rhythm of `every`.
    next: Millis,
    running: bool,
    /// The measurement before gave nothing that counts.
    dry: bool,
    /// One measurement of this step was a success.
    proved: bool,
}

/// What a measurement was worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Worth {
    /// It counts and was a success.
    Success,
    /// It counts.
    Other,
    /// The time since the one before does not count.
    Nothing,
}

impl Hold {
    /// A step that begins now and lasts `length` nanoseconds.
    pub fn begin(at: Millis, length: Option<i64>, check: Option<&Check>) -> Hold {
        let every = check.map(|check| millis(check.every).max(1));
        let next = at.saturating_add(every.unwrap_or(0));
        let length = length.map(millis);
        Hold { began: at, length, every, held: 0, mark: at, next, running: true, dry: false, proved: false }
    }

    /// When it is to be measured next: in the rhythm of `every`, and at the end of the step if that comes earlier. After a
    /// measurement that gave nothing the rhythm decides alone, so that an idle deployment is not measured without pause.
    pub fn measure_at(&self) -> Option<Millis> {
        self.every?;
        let end = self.length.filter(|length| self.running && !self.dry && self.held < *length);
        let end = end.map(|length| self.mark.saturating_add(length - self.held));
        Some(end.map_or(self.next, |end| end.min(self.next)))
    }

    /// From when on the next measurement counts.
    pub fn measured_until(&self) -> Millis {
        self.mark
    }

    /// When the step is over, if time or a measurement has already decided that.
    pub fn over_at(&self) -> Option<Millis> {
        let length = self.length.filter(|_| self.running)?;
        match self.every {
            None => Some(self.mark.saturating_add((length - self.held).max(0))),
            Some(_) => (self.held >= length && self.proved).then_some(self.mark),
        }
    }

    /// Milliseconds that count so far.
    pub fn held(&self, now: Millis) -> i64 {
        let open = if self.running && self.every.is_none() { now.saturating_sub(self.mark).max(0) } else { 0 };
        let held = self.held.saturating_add(open);
        self.length.map_or(held, |length| held.min(length))
    }

    /// A measurement was made. False: none was due.
    pub fn measured(&mut self, at: Millis, worth: Worth) -> bool {
        let (Some(due), Some(every)) = (self.measure_at(), self.every) else { return false };
        if at < due {
            return false;
        }
        // Counted to when it was due, not to when the answer came: late answers must not let the rhythm drift.
        let point = if at >= self.next {
            let point = self.next.saturating_add((at.saturating_sub(self.next) / every) * every);
            self.next = point.saturating_add(every);
            point
        } else {
            due
        };
        if self.running && worth != Worth::Nothing {
            self.held = self.held.saturating_add(point.saturating_sub(self.mark).max(0));
        }
        self.mark = self.mark.max(point);
        self.dry = worth == Worth::Nothing;
        self.proved |= worth == Worth::Success;
        true
    }

    /// Nothing counts from now on.
    pub fn pause(&mut self, at: Millis) {
        self.count_until(at);
        self.running = false;
    }

    /// Time counts again.
    pub fn resume(&mut self, at: Millis) {
        self.running = true;
        self.start_over(at);
    }

    /// A new engine lives; the one before was last heard of at `last`. What was not measured by then never will be.
    pub fn reopen(&mut self, at: Millis, last: Millis) {
        self.count_until(last.min(at));
        self.start_over(at);
    }

    fn count_until(&mut self, at: Millis) {
        if self.running && self.every.is_none() {
            self.held = self.held.saturating_add(at.saturating_sub(self.mark).max(0));
        }
        self.mark = self.mark.max(at);
    }

    fn start_over(&mut self, at: Millis) {
        self.mark = at;
        self.next = at.saturating_add(self.every.unwrap_or(0));
        self.dry = false;
    }
}
