//! A workspace after edits answers as one that never saw anything else.

mod support;

use mlp_ide::Workspace;
use mlp_lang::span::Span;
use support::{PATH, PRELUDE, World};

#[test]
fn a_text_says_the_same_whatever_was_typed_before_it() {
    let sound = PRELUDE.to_owned();
    let texts = [
        sound.clone(),
        sound.replacen("step ", "stp ", 1),
        sound.clone(),
        sound.replacen('(', "", 1),
        format!("{sound}\nparam more: int = 1\n"),
        format!("# above\n{sound}"),
        sound.replacen("\n\n", "\n", 1),
        String::new(),
        sound,
    ];
    let said = |workspace: &Workspace| {
        let hints = workspace.hints(PATH, Span { start: 0, end: u32::MAX });
        format!("{:#?}\n{hints:#?}\n{:#?}", workspace.findings(PATH), workspace.outline(PATH))
    };
    let mut edited = Workspace::new(World::shared());
    let mut earlier: Option<(Workspace, String)> = None;
    for (version, text) in texts.iter().enumerate() {
        edited.set(PATH, text, Some(version as i32));
        // Not every text is looked at: people type faster than anybody reads.
        if version % 3 == 1 {
            continue;
        }
        let mut alone = Workspace::new(World::shared());
        alone.set(PATH, text, Some(version as i32));
        let alone = said(&alone);
        assert_eq!(said(&edited), alone, "{text}");
        // Whoever still looks at an earlier text is told about that one.
        if let Some((earlier, before)) = earlier.replace((edited.clone(), alone)) {
            assert_eq!(said(&earlier), before);
        }
    }
}
