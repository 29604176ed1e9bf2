//! `mlp explain`: what a code of a finding means.

use crate::args::Explain;
use crate::exit::Exit;
use crate::fault::Fault;
use crate::pages;
use crate::render::explain;
use crate::screen::Screen;

/// Prints the page of a code, or the list of all codes.
pub fn explain(screen: &Screen, args: &Explain) -> Result<Exit, Fault> {
    let Some(wanted) = &args.code else {
        match screen.is_json() {
            true => screen.print_json(&explain::json_list(), false)?,
            false => screen.print(&explain::list(screen.width()))?,
        }
        return Ok(Exit::Done);
    };
    let Some(one) = pages::find(wanted) else {
        let fault = Fault::usage(format!("no finding has the code or the name `{wanted}`"));
        return Err(match pages::nearest(wanted) {
            Some(near) => fault.next(format!("did you mean {near}? `mlp explain` lists all codes")),
            None => fault.next("`mlp explain` lists all codes"),
        });
    };
    match screen.is_json() {
        true => screen.print_json(&explain::json(one), false)?,
        // What goes to a file or another program stays the Markdown that it is.
        false => screen.print(&match screen.page_width() {
            Some(width) => explain::page(one, width),
            None => explain::markdown(one),
        })?,
    }
    Ok(Exit::Done)
}
