//! Whole-system tests; see `tests/README.md`.

mod approvals;
mod bad_input;
mod check;
mod crash;
mod declared_tests;
mod editor;
mod examples;
mod export;
mod fans;
mod findings;
mod formatting;
mod full_disk;
mod gate;
mod journals;
mod live;
mod looking_back;
mod pages;
mod parts;
mod plugins;
mod process;
mod processes;
mod reuse;
mod space;
mod state;
mod steering;
