//! Messages as bytes: headers, lengths, JSON.
//!
//! `lsp-server` has a reader of its own, which ends at the first message that it cannot read and believes every length. This
//! one goes on with the next message, and takes no length on trust.

use lsp_server::{ErrorCode, Message, Notification, Request, RequestId, Response};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Read, Write};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::thread::JoinHandle;

/// The largest message that is read. The largest file that is checked has 8 MiB.
const LARGEST: u64 = 64 << 20;

/// How many messages wait between threads.
const WAITING: usize = 256;

/// What came in.
#[derive(Debug)]
pub enum Incoming {
    /// A message.
    Message(Message),
    /// Something that is none: the answer to it, to be sent as it is.
    Unreadable(Value),
    /// Files that were read beside the loop: paths and texts.
    Loaded(Vec<(String, String)>),
    /// Nothing comes any more.
    End,
}

/// What goes out.
pub enum Outgoing {
    Message(Message),
    Raw(Value),
    /// Nothing comes after this.
    End,
}

/// Standard output as a thread that writes messages.
pub struct Output {
    sender: SyncSender<Outgoing>,
    thread: JoinHandle<()>,
}

/// Where messages to the editor are put.
#[derive(Clone)]
pub struct Sender(SyncSender<Outgoing>);

impl Sender {
    /// Sends a message. An editor that went away is no mistake: the loop ends with its input.
    pub fn send(&self, message: impl Into<Message>) {
        let _ = self.0.send(Outgoing::Message(message.into()));
    }

    /// Sends what no [`Message`] can say: an error about something without an id.
    pub fn send_raw(&self, value: Value) {
        let _ = self.0.send(Outgoing::Raw(value));
    }

    /// One that keeps what is sent, for tests.
    #[cfg(test)]
    pub fn kept() -> (Sender, Receiver<Outgoing>) {
        let (sender, receiver) = sync_channel(100_000);
        (Sender(sender), receiver)
    }
}

impl Output {
    /// A sender to it.
    pub fn sender(&self) -> Sender {
        Sender(self.sender.clone())
    }

    /// Waits until everything that was sent is written.
    pub fn finish(self) {
        let _ = self.sender.send(Outgoing::End);
        let _ = self.thread.join();
    }
}

/// Standard input and output, each with a thread: what comes in, a way to put more there, and what goes out.
pub fn stdio() -> (SyncSender<Incoming>, Receiver<Incoming>, Output) {
    let (incoming, receiver) = sync_channel(WAITING);
    let itself = incoming.clone();
    std::thread::spawn(move || {
        let mut input = BufReader::with_capacity(64 << 10, std::io::stdin().lock());
        while let Some(message) = read(&mut input) {
            if incoming.send(message).is_err() {
                return;
            }
        }
        let _ = incoming.send(Incoming::End);
    });
    let (sender, outgoing) = sync_channel(WAITING);
    let thread = std::thread::spawn(move || {
        let mut output = std::io::stdout().lock();
        for message in outgoing {
            let body = match message {
                Outgoing::Message(message) => body(&message),
                Outgoing::Raw(value) => value.to_string(),
                Outgoing::End => return,
            };
            if write!(output, "Content-Length: {}\r\n\r\n{body}", body.len()).and_then(|()| output.flush()).is_err() {
                return;
            }
        }
    });
    (itself, receiver, Output { sender, thread })
}

fn body(message: &Message) -> String {
    let mut value = serde_json::to_value(message).unwrap_or_default();
    if let Value::Object(fields) = &mut value {
        fields.insert("jsonrpc".to_owned(), "2.0".into());
    }
    value.to_string()
}

/// The next message. `None`: the input ended.
pub fn read(input: &mut impl BufRead) -> Option<Incoming> {
    let length = match headers(input)? {
        Ok(length) => length,
        Err(why) => return Some(unreadable(ErrorCode::ParseError, &why)),
    };
    if length > LARGEST {
        std::io::copy(&mut input.by_ref().take(length), &mut std::io::sink()).ok()?;
        return Some(unreadable(ErrorCode::InvalidRequest, &format!("a message of {length} bytes is not read")));
    }
    // Grows with what really comes, not with what the header promises.
    let mut bytes = Vec::new();
    let read = input.by_ref().take(length).read_to_end(&mut bytes).ok()?;
    if (read as u64) < length {
        return None;
    }
    Some(parse(&bytes))
}

/// How long the body is. `None`: the input ended. Lines that are no headers are passed over, so that what follows a damaged
/// message is found again.
fn headers(input: &mut impl BufRead) -> Option<Result<u64, String>> {
    const LONGEST_LINE: u64 = 8 << 10;
    let mut length: Option<Result<u64, String>> = None;
    loop {
        let mut line = Vec::new();
        if input.by_ref().take(LONGEST_LINE).read_until(b'\n', &mut line).ok()? == 0 {
            return None;
        }
        let text = String::from_utf8_lossy(&line);
        let text = text.trim();
        if text.is_empty() {
            match length {
                Some(length) => return Some(length),
                None => continue,
            }
        }
        // What came before on the line belongs to a damaged message.
        let lower = text.to_ascii_lowercase();
        if let Some(at) = lower.rfind("content-length") {
            let number = lower[at..].split_once(':').map_or("", |(_, number)| number.trim());
            length = Some(number.parse().map_err(|_| format!("`{number}` is no length")));
        }
    }
}

/// A message from its JSON.
fn parse(bytes: &[u8]) -> Incoming {
    let value: Value = match serde_json::from_slice(bytes) {
        Ok(value) => value,
        Err(error) => return unreadable(ErrorCode::ParseError, &format!("this is no JSON: {error}")),
    };
    let Value::Object(mut fields) = value else {
        return unreadable(ErrorCode::InvalidRequest, "a message is an object; several at once are not taken");
    };
    let id = fields.remove("id");
    let method = fields.remove("method");
    let params = fields.remove("params").unwrap_or_default();
    match (method, id) {
        (Some(Value::String(method)), None) => Incoming::Message(Notification { method, params }.into()),
        (Some(Value::String(method)), Some(id)) => match serde_json::from_value::<RequestId>(id.clone()) {
            Ok(id) => Incoming::Message(Request { id, method, params }.into()),
            Err(_) => answer(id, ErrorCode::InvalidRequest, "an id is a text or a number of 32 bits"),
        },
        (None, Some(id)) => {
            let Ok(id) = serde_json::from_value(id) else {
                return unreadable(ErrorCode::InvalidRequest, "an answer to nothing");
            };
            let response_result = match fields.remove("error") {
                Some(error) => Err(lsp_server::ResponseError {
                    code: ErrorCode::UnknownErrorCode as i32,
                    message: error.to_string(),
                    data: None,
                }),
                None => Ok(fields.remove("result").unwrap_or_default()),
            };
            Incoming::Message(Message::Response(Response { id, response_result }))
        }
        (_, id) => answer(id.unwrap_or_default(), ErrorCode::InvalidRequest, "a message has a `method`"),
    }
}

fn unreadable(code: ErrorCode, why: &str) -> Incoming {
    answer(Value::Null, code, why)
}

fn answer(id: Value, code: ErrorCode, why: &str) -> Incoming {
    Incoming::Unreadable(json!({ "jsonrpc": "2.0", "id": id, "error": { "code": code as i32, "message": why } }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(bytes: &[u8]) -> Vec<String> {
        let mut input = bytes;
        let mut seen = Vec::new();
        while let Some(incoming) = read(&mut input) {
            seen.push(match incoming {
                Incoming::Message(Message::Request(request)) => format!("request {} {}", request.id, request.method),
                Incoming::Message(Message::Notification(notification)) => {
                    format!("notification {}", notification.method)
                }
                Incoming::Message(Message::Response(response)) => format!("response {}", response.id),
                Incoming::Loaded(_) | Incoming::End => "nothing".to_owned(),
                Incoming::Unreadable(value) => format!("unreadable {} {}", value["id"], value["error"]["code"]),
            });
        }
        seen
    }

    fn framed(body: &str) -> String {
        format!("Content-Length: {}\r\n\r\n{body}", body.len())
    }

    #[test]
    fn a_damaged_message_does_not_hide_the_next() {
        let good = framed(r#"{"jsonrpc":"2.0","id":7,"method":"m"}"#);
        for (damaged, seen) in [
            (framed("{"), "unreadable null -32700"),
            (framed("[]"), "unreadable null -32600"),
            (framed("{}"), "unreadable null -32600"),
            (framed(r#"{"id":9999999999,"method":"m"}"#), "unreadable 9999999999 -32600"),
            (framed(r#"{"id":3,"method":4}"#), "unreadable 3 -32600"),
            ("Content-Length: many\r\n\r\n".to_owned(), "unreadable null -32700"),
            (framed("\u{fffd}\u{0}"), "unreadable null -32700"),
            (framed(r#"{"method":"exit"}"#).replace("Content-Length", "content-length"), "notification exit"),
            (framed(r#"{"id":"x","result":null}"#), "response \"x\""),
        ] {
            assert_eq!(all(format!("{damaged}{good}").as_bytes()), [seen, "request 7 m"], "{damaged}");
        }
    }

    #[test]
    fn a_length_is_not_taken_on_trust() {
        assert_eq!(all(b"Content-Length: 18446744073709551615\r\n\r\n{}"), ["unreadable null -32600"]);
        assert!(all(b"Content-Length: 60000000\r\n\r\n{}").is_empty());
        assert_eq!(all(b"\r\n\r\nnothing\r\n\r\n"), [""; 0]);
    }
}
