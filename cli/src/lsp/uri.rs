//! URIs of documents, and paths.

use gen_lsp_types::Uri;

/// The path of a document: of a file its path, of anything else (a text that was never saved) its URI.
pub fn to_path(uri: &Uri) -> String {
    let text = uri.as_ref();
    let Some(rest) = text.strip_prefix("file://") else { return text.to_owned() };
    // `file://host/path`: the host is this machine.
    let path = rest.find('/').map_or(rest, |at| &rest[at..]);
    decoded(path)
}

/// The URI of a path.
pub fn of_path(path: &str) -> Uri {
    if !path.starts_with('/') {
        return Uri::from(path);
    }
    let mut text = String::with_capacity(path.len() + 7);
    text.push_str("file://");
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/!$&'()*+,;=:@".contains(&byte) {
            text.push(char::from(byte));
        } else {
            text.push_str(&format!("%{byte:02X}"));
        }
    }
    Uri::from(text)
}

fn decoded(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        let digits = bytes.get(at + 1..at + 3).and_then(|digits| std::str::from_utf8(digits).ok());
        match digits.filter(|_| *byte == b'%').and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(decoded) => {
                out.push(decoded);
                at += 3;
            }
            None => {
                out.push(*byte);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_become_uris_and_come_back() {
        for path in ["/a/b.mlp", "/with space/\u{e9}\u{1F600}.mlp", "/100%/x#y?z.mlp", "untitled:Untitled-1"] {
            assert_eq!(to_path(&of_path(path)), path);
        }
        assert_eq!(to_path(&Uri::from("file://localhost/a%2Fb%zz%")), "/a/b%zz%");
    }
}
