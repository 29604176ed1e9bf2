//! Laws: what must hold for every text and every place.

mod support;

use mlp_ide::Workspace;
use mlp_lang::span::Span;
use proptest::prelude::*;

const TEXTS: [&str; 4] = [
    include_str!("../../../examples/bikeshare/bikeshare.mlp"),
    include_str!("../../../examples/breast_cancer/breast_cancer.mlp"),
    include_str!("../../src/syntax/tests/whole.mlp"),
    support::PRELUDE,
];

/// Asks everything about a place; every span that is answered lies in the text, on the boundaries of characters.
fn ask_everything(workspace: &Workspace, text: &str, at: u32) {
    let path = support::PATH;
    let inside = |span: Span| assert!(text.get(span.range()).is_some(), "{span:?} at {at} of {text:?}");
    workspace.hover(path, at).into_iter().for_each(|hover| inside(hover.span));
    workspace.complete(path, at).into_iter().for_each(|item| inside(item.span));
    workspace.signature(path, at);
    workspace.definition(path, at);
    workspace.references(path, at, true).into_iter().for_each(|found| inside(found.span));
    workspace.highlights(path, at).into_iter().for_each(|found| inside(found.span));
    if let Ok((span, _)) = workspace.prepare_rename(path, at) {
        inside(span);
        let _ = workspace.rename(path, at, "other_name");
    }
    let selections = workspace.selections(path, at);
    for pair in selections.windows(2) {
        assert!(pair[1].start <= pair[0].start && pair[0].end <= pair[1].end && pair[0] != pair[1], "{selections:?}");
    }
    selections.into_iter().for_each(inside);
}

fn ask_about_the_whole(workspace: &Workspace, text: &str) {
    let path = support::PATH;
    let inside = |span: Span| assert!(text.get(span.range()).is_some(), "{span:?} of {text:?}");
    let mut end = 0;
    for token in workspace.tokens(path, None) {
        inside(token.span);
        assert!(token.span.start >= end && token.span.end > token.span.start, "tokens overlap in {text:?}");
        assert!(!text[token.span.range()].contains('\n'));
        end = token.span.end;
    }
    workspace
        .hints(path, Span::new(0, text.len()))
        .into_iter()
        .for_each(|hint| assert!(text.is_char_boundary(hint.at as usize)));
    workspace.outline(path).into_iter().for_each(|symbol| inside(symbol.span));
    workspace.folds(path).into_iter().for_each(|fold| inside(fold.span));
    workspace.links(path).into_iter().for_each(|link| inside(link.span));
    workspace.lenses(path).into_iter().for_each(|lens| inside(lens.span));
    workspace
        .actions(path, Span::new(0, text.len()))
        .iter()
        .flat_map(|action| &action.edits)
        .for_each(|edit| inside(edit.span));
    workspace.fix_all(path);
    workspace.search("s");
}

#[test]
fn every_place_of_the_examples_can_be_asked_about() {
    for text in TEXTS {
        let workspace = support::workspace(text);
        ask_about_the_whole(&workspace, text);
        // A step that shares no factor with the lengths of lines comes by every kind of place.
        for at in (0..=text.len() as u32 + 3).step_by(7) {
            ask_everything(&workspace, text, at);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    /// While somebody writes, a text is cut anywhere and has anything in it.
    #[test]
    fn any_text_can_be_asked_about(
        which in 0..TEXTS.len(),
        end in any::<prop::sample::Index>(),
        cuts in proptest::collection::vec((any::<prop::sample::Index>(), 0usize..12, "[ -~\n\u{e9}]{0,6}|\"\"\"|\\$\\{|\\{|\\(|\\}"), 0..5),
        places in proptest::collection::vec(any::<prop::sample::Index>(), 6),
    ) {
        let mut text = TEXTS[which].to_owned();
        let end = mlp_ide::text::floor(&text, end.index(text.len() * 2 + 1));
        text.truncate(end);
        let mut asked: Vec<usize> = vec![text.len()];
        for (at, length, with) in cuts {
            let at = mlp_ide::text::floor(&text, at.index(text.len() + 1));
            let end = mlp_ide::text::floor(&text, at + length).max(at);
            text.replace_range(at..end, &with);
            asked.push(at);
        }
        asked.extend(places.into_iter().map(|place| place.index(text.len() + 2)));
        let workspace = support::workspace(&text);
        ask_about_the_whole(&workspace, &text);
        for at in asked {
            ask_everything(&workspace, &text, at as u32);
        }
    }

    /// What a name is called does not change what it means: renamed and renamed back, the text is what it was.
    #[test]
    fn renaming_back_gives_the_text_back(which in 0..TEXTS.len(), at in any::<prop::sample::Index>()) {
        let text = TEXTS[which];
        let workspace = support::workspace(text);
        let at = at.index(text.len()) as u32;
        if let Ok((span, name)) = workspace.prepare_rename(support::PATH, at)
            && let Ok(files) = workspace.rename(support::PATH, at, "zzz_other")
        {
            let apply = |text: &str, files: &[mlp_ide::FileEdit]| {
                let mut text = text.to_owned();
                for edit in files.iter().flat_map(|file| file.edits.iter().rev()) {
                    text.replace_range(edit.span.range(), &edit.text);
                }
                text
            };
            let renamed = apply(text, &files);
            prop_assert_ne!(&renamed, text);
            let workspace = support::workspace(&renamed);
            let moved = files[0].edits.iter().filter(|edit| edit.span.start < span.start)
                .map(|edit| edit.text.len() as i64 - edit.span.range().len() as i64).sum::<i64>();
            let back = workspace.rename(support::PATH, (i64::from(span.start) + moved) as u32, &name);
            prop_assert_eq!(back.map(|files| apply(&renamed, &files)).map_err(|refused| refused.0), Ok(text.to_owned()));
        }
    }
}
