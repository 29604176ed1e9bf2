//! Addresses of tables: `https://`, `s3://bucket/key`, `postgres://host/db`.

use super::text;
use crate::codes;
use crate::context::Context;
use crate::finding::{Finding, Safety};
use crate::lower::secret;
use crate::syntax::ast::{Expr, Ident};
use crate::work::Remote;
use crate::written::{listed, quoted};

/// How rows behind an address are reached.
const SCHEMES: &[&str] = &["https", "s3", "gs", "az"];

/// Databases that are asked with `sql(...)`.
const DATABASES: &[&str] = &["postgres", "postgresql", "mysql", "sqlite"];

/// What others call our schemes.
fn meant(scheme: &str) -> Option<&'static str> {
    match scheme {
        "s3a" | "s3n" | "aws" => Some("s3"),
        "gcs" => Some("gs"),
        "abfs" | "abfss" | "wasb" | "wasbs" | "adl" | "azure" => Some("az"),
        "http" => Some("https"),
        _ => None,
    }
}

/// The scheme of a path, if it is an address. `None`: one that cannot be read, which was reported.
pub(super) fn scheme(cx: &mut Context<'_>, written: &Expr, path: &str) -> Option<Option<String>> {
    let Some((scheme, rest)) = path.split_once("://") else { return Some(None) };
    let known = SCHEMES.contains(&scheme);
    let place = cx.place(written.span);
    if !known {
        let finding = Finding::error(codes::BAD_ADDRESS, place, format!("rows are not read from `{scheme}://`"));
        cx.report(match scheme {
            "file" => finding.help(format!("write the path alone: {}", quoted(rest))),
            _ if DATABASES.contains(&scheme) => finding.help(format!("write `sql({}, query: \"...\")`", quoted(path))),
            _ => match meant(scheme).or_else(|| cx.names.nearest(scheme, SCHEMES.iter().copied())) {
                Some(near) => {
                    let instead = quoted(&format!("{near}://{rest}"));
                    let plain = cx.slice(written.span) == quoted(path);
                    let finding = finding.help(match scheme {
                        "http" => {
                            "what comes without encryption can be changed on its way: write `https://`".to_owned()
                        }
                        _ => format!("did you mean `{near}://`?"),
                    });
                    match plain {
                        true => finding.fix(format!("write {instead}"), written.span, instead, Safety::Unsafe),
                        false => finding,
                    }
                }
                None => {
                    finding.help(format!("addresses begin with {}", listed(SCHEMES.iter().map(|s| format!("{s}://")))))
                }
            },
        });
        return None;
    }
    let (host, key) = rest.split_once('/').unwrap_or((rest, ""));
    let host = host.rsplit_once('@').map_or(host, |(_, host)| host);
    if host.is_empty() || host.contains(char::is_whitespace) || key.is_empty() {
        let finding = Finding::error(codes::BAD_ADDRESS, place, format!("{} names no file", quoted(path)));
        cx.report(finding.help(match scheme {
            "https" => "write the host and the path: `https://example.com/rows.csv`".to_owned(),
            _ => format!("write the bucket and the key: `{scheme}://bucket/rows.csv`"),
        }));
        return None;
    }
    Some(Some(scheme.to_owned()))
}

/// `endpoint:`, `region:`, `token:` of a source behind an address.
pub(super) fn remote(cx: &mut Context<'_>, scheme: String, options: &[(&Ident, &Expr)]) -> Option<Remote> {
    let mut remote = Remote { scheme, endpoint: None, region: None, token: None };
    let mut sound = true;
    for (name, written) in options {
        let misplaced = match name.name.as_str() {
            "endpoint" if remote.scheme == "https" => Some("an `https://` address says by itself where it is"),
            "region" if remote.scheme != "s3" => Some("only `s3://` has regions"),
            _ => None,
        };
        if let Some(why) = misplaced {
            let message = format!("`{}` means nothing here: {why}", name.name);
            cx.report(Finding::error(codes::MISPLACED_SETTING, cx.place(name.span), message).help("remove it"));
            sound = false;
            continue;
        }
        match name.name.as_str() {
            "endpoint" => {
                remote.endpoint = text(cx, written, "`endpoint`");
                sound &= remote.endpoint.is_some();
                let host = |text: &String| {
                    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
                    rest.is_some_and(|rest| !rest.is_empty() && !rest.contains(char::is_whitespace))
                };
                if let Some(text) = remote.endpoint.as_ref().filter(|text| !host(text)) {
                    let message = format!("{} is no address of a service", quoted(text));
                    let finding = Finding::error(codes::BAD_ADDRESS, cx.place(written.span), message);
                    cx.report(finding.help("write `endpoint: \"https://minio.example.com:9000\"`"));
                    sound = false;
                }
            }
            "region" => {
                remote.region = text(cx, written, "`region`");
                sound &= remote.region.is_some();
            }
            "token" => {
                remote.token = secret::given(cx, written, "`token`");
                sound &= remote.token.is_some();
            }
            _ => {}
        }
    }
    sound.then_some(remote)
}

/// The address of a database.
pub(super) fn database(cx: &mut Context<'_>, written: &Expr) -> Option<String> {
    let address = text(cx, written, "the address")?;
    let parts = address.split_once("://");
    let sound = match parts {
        Some(("sqlite", path)) => !path.is_empty(),
        Some((scheme, rest)) if DATABASES.contains(&scheme) => {
            let (host, database) = rest.split_once('/').unwrap_or((rest, ""));
            !host.is_empty() && !database.is_empty() && !rest.contains(char::is_whitespace)
        }
        _ => false,
    };
    if sound {
        return Some(address);
    }
    let finding = match parts {
        Some((scheme, _)) if !DATABASES.contains(&scheme) => {
            let finding = Finding::error(
                codes::BAD_ADDRESS,
                cx.place(written.span),
                format!("`{scheme}://` is no database that can be asked"),
            );
            let near = cx.names.nearest(scheme, DATABASES.iter().copied());
            finding.help(match near {
                Some(near) => format!("did you mean `{near}://`?"),
                None => format!("databases are {}", listed(DATABASES)),
            })
        }
        _ => Finding::error(
            codes::BAD_ADDRESS,
            cx.place(written.span),
            format!("{} is no address of a database", quoted(&address)),
        )
        .help("write the host and the database: `\"postgres://user@host:5432/database\"`"),
    };
    cx.report(finding);
    None
}
