//! Laws of the scheduler.
