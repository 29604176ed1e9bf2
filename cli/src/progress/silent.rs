//! For nobody: only notices, on standard error.

use super::Progress;
use crate::fault::Fault;
use crate::screen::Screen;
use mlp_core::observer::Observer;
use mlp_core::record::Record;

/// Shows nothing of the run.
pub struct Silent {
    screen: Screen,
}

impl Silent {
    /// On this screen.
    pub fn new(screen: &Screen) -> Silent {
        Silent { screen: screen.clone() }
    }
}

impl Observer for Silent {
    fn record(&self, _record: &Record) {}
}

impl Progress for Silent {
    fn notice(&self, text: &str) {
        self.screen.say(&format!("{text}\n"));
    }

    fn finish(&self) -> Result<(), Fault> {
        Ok(())
    }
}
