//! `ghcr.io/acme/train:1.4@sha256:...`: names of container images, as the registries read them.
//!
//! The rules are those of the distribution project's reference grammar: a first part that holds a `.` or a `:`, or is
//! `localhost`, is a registry; the path is lower case.

use crate::work::Image;

/// The longest path that registries take.
const LONGEST: usize = 255;

/// Reads a name. The error says what is wrong and, if it is a part of the name, which part.
pub(super) fn parse(text: &str) -> Result<Image, (String, Option<String>)> {
    let whole = |message: &str| Err((message.to_owned(), None));
    let part = |message: String, part: &str| Err((message, Some(part.to_owned())));
    if text.is_empty() {
        return whole("the image has no name");
    }
    if let Some(space) = text.chars().find(|c| c.is_whitespace() || c.is_control()) {
        return part("an image's name has no spaces".to_owned(), &space.to_string());
    }
    if let Some((scheme, _)) = text.split_once("://") {
        return part("an image is named without a scheme".to_owned(), &format!("{scheme}://"));
    }
    let (rest, digest) = match text.split_once('@') {
        Some((rest, digest)) if is_digest(digest) => (rest, Some(digest.to_owned())),
        Some((_, digest)) => {
            return part("a digest is `sha256:` and 64 digits from 0 to f".to_owned(), digest);
        }
        None => (text, None),
    };
    let (registry, rest) = match rest.split_once('/') {
        Some((first, rest)) if first.contains(['.', ':']) || first == "localhost" => (Some(first), rest),
        _ => (None, rest),
    };
    if let Some(registry) = registry
        && !is_registry(registry)
    {
        return part("this is no registry: a host, perhaps with a port".to_owned(), registry);
    }
    let (path, tag) = match rest.rsplit_once(':') {
        Some((path, tag)) if !tag.contains('/') => (path, Some(tag)),
        _ => (rest, None),
    };
    if let Some(tag) = tag
        && !is_tag(tag)
    {
        return part(
            "a tag has up to 128 letters, digits, `_`, `.` and `-`, and begins with none of `.-`".to_owned(),
            tag,
        );
    }
    if path.is_empty() {
        return whole("the image has no name");
    }
    if path.len() > LONGEST {
        return whole("the name is longer than registries take");
    }
    for component in path.split('/') {
        if !is_component(component) {
            let message = match component.chars().any(|c| c.is_ascii_uppercase()) {
                true => "an image's name is written in lower case",
                false => "the parts of an image's name are letters and digits with single `.`, `_` or `-` between them",
            };
            return part(message.to_owned(), component);
        }
    }
    Ok(Image {
        registry: registry.map(str::to_owned),
        repository: path.to_owned(),
        tag: tag.map(str::to_owned),
        digest,
    })
}

fn is_digest(text: &str) -> bool {
    text.strip_prefix("sha256:")
        .is_some_and(|hex| hex.len() == 64 && hex.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b)))
}

fn is_registry(text: &str) -> bool {
    let (host, port) = text.split_once(':').map_or((text, None), |(host, port)| (host, Some(port)));
    let label = |label: &str| {
        !label.is_empty()
            && label.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    host.split('.').all(label) && port.is_none_or(|port| port.parse::<u16>().is_ok())
}

fn is_tag(text: &str) -> bool {
    (1..=128).contains(&text.len())
        && !text.starts_with(['.', '-'])
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-'))
}

/// `[a-z0-9]+` with `.`, `_`, `__` or any number of `-` between.
fn is_component(text: &str) -> bool {
    let alphanumeric = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    if !text.starts_with(alphanumeric) || !text.ends_with(alphanumeric) {
        return false;
    }
    let separators = text.split(alphanumeric).filter(|separator| !separator.is_empty());
    separators.into_iter().all(|it| matches!(it, "." | "_" | "__") || it.bytes().all(|b| b == b'-'))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn names_are_read_as_registries_read_them() {
        let digest = format!("sha256:{}", "0a".repeat(32));
        let cases: [(&str, Option<&str>, &str, Option<&str>); 8] = [
            ("python", None, "python", None),
            ("python:3.12-slim", None, "python", Some("3.12-slim")),
            ("acme/train:1.4", None, "acme/train", Some("1.4")),
            ("ghcr.io/acme/deep/train:v1", Some("ghcr.io"), "acme/deep/train", Some("v1")),
            ("localhost:5000/train", Some("localhost:5000"), "train", None),
            ("localhost/train:2", Some("localhost"), "train", Some("2")),
            ("my__org/a-b.c", None, "my__org/a-b.c", None),
            ("10.0.0.1:80/x:y", Some("10.0.0.1:80"), "x", Some("y")),
        ];
        for (text, registry, repository, tag) in cases {
            for (text, digest) in [(text.to_owned(), None), (format!("{text}@{digest}"), Some(digest.clone()))] {
                let image = parse(&text).unwrap_or_else(|error| panic!("{text}: {error:?}"));
                assert_eq!(image.registry.as_deref(), registry, "{text}");
                assert_eq!(image.repository, repository, "{text}");
                assert_eq!(image.tag.as_deref(), tag, "{text}");
                assert_eq!(image.digest, digest, "{text}");
                assert_eq!(image.to_string(), text);
            }
        }
    }

    #[test]
    fn what_no_registry_takes_is_refused() {
        for text in [
            "",
            "Acme/train",
            "acme//train",
            "acme/train:",
            "acme/train:.x",
            "acme/-train",
            "acme/train@sha256:12",
            "https://ghcr.io/acme/train",
            "acme train",
            "ghcr..io/acme/train",
            "a/b:1:2",
            "/train",
            "acme/tr@in",
        ] {
            assert!(parse(text).is_err(), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_read_is_written_back(text in "[a-z0-9./:@_-]{0,40}") {
            if let Ok(image) = parse(&text) {
                prop_assert_eq!(image.to_string(), text);
            }
        }
    }
}
