//! Watching a run: what is shown while it is live.
//!
//! One trait, [`Progress`], and an implementation for each kind of reader: [`live`] for people at a terminal, [`plain`]
//! for pipes and logs, [`stream`] for programs, [`silent`] for nobody. All fold the same records into the same view.
//!
//! Invariant: whatever happens to the reader (a closed pipe, a full disk), the run goes on; it is told at the end.

mod frame;
pub mod live;
pub mod plain;
pub mod silent;
pub mod stream;

use crate::fault::Fault;
use crate::screen::Screen;
use mlp_core::observer::Observer;
use mlp_core::record::Record;
use mlp_core::view::RunView;
use std::sync::Arc;

/// A pipeline with more nodes than this does not leave a line for each that was reused (and at a terminal, that ended
/// well): what matters would be lost among them.
const CALM: usize = 60;

/// Shows a run while it is live.
pub trait Progress: Observer {
    /// Something to know that is not an event of the run.
    fn notice(&self, text: &str);

    /// Leaves the screen as it is to stay. The fault, if what should have been written could not be.
    fn finish(&self) -> Result<(), Fault>;
}

/// What fits this screen.
pub fn on(screen: &Screen) -> Arc<dyn Progress> {
    if screen.is_json() {
        Arc::new(stream::Stream::new(screen))
    } else if screen.options.quiet {
        Arc::new(silent::Silent::new(screen))
    } else if screen.is_live() {
        Arc::new(live::Live::new(screen))
    } else {
        Arc::new(plain::Plain::new(screen))
    }
}

/// The view of a run as its records come in.
#[derive(Default)]
struct Folding {
    view: Option<RunView>,
}

impl Folding {
    /// Takes a record in and gives the view after it.
    fn take(&mut self, record: &Record) -> Option<&RunView> {
        match (&mut self.view, record) {
            (None, Record::RunStarted(started)) => self.view = Some(RunView::new(started.clone())),
            (Some(view), record) => view.apply(record),
            (None, _) => {}
        }
        self.view.as_ref()
    }
}
