//! The specification of syntax, by example and by law.

mod examples;
mod laws;
mod print;
