use super::format;
use crate::span::Source;

#[test]
fn show() {
    for file in std::env::var("SHOW").unwrap_or_default().split(',').filter(|f| !f.is_empty()) {
        let text = std::fs::read_to_string(file).unwrap();
        match format(&Source::new(file, &text)) {
            Ok(out) => print!("{out}"),
            Err(refusal) => println!("{refusal:#?}"),
        }
    }
}
