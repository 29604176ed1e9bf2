//! A receiver of alerts.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};

/// Listens as long as the test lives; its thread ends with the process.
pub struct Hook {
    url: String,
    seen: Arc<Mutex<BTreeMap<String, Vec<u32>>>>,
    last: Arc<Mutex<Option<String>>>,
    refused: u32,
}

impl Hook {
    /// One that refuses the first attempts at each alert.
    pub fn start(refused: u32) -> Hook {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("http://{}/x", listener.local_addr().expect("an address"));
        let seen: Arc<Mutex<BTreeMap<String, Vec<u32>>>> = Arc::default();
        let last: Arc<Mutex<Option<String>>> = Arc::default();
        let hook = Hook { url, seen: seen.clone(), last: last.clone(), refused };
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                // Who asks may be killed at any byte of it.
                if let Some((key, attempt, body)) = receive(&stream) {
                    *last.lock().unwrap_or_else(PoisonError::into_inner) = Some(body);
                    let word = if attempt <= refused { "503 Service Unavailable" } else { "200 OK" };
                    let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
                    seen.entry(key).or_default().push(attempt);
                    drop(seen);
                    let _ = (&stream).write_all(
                        format!("HTTP/1.1 {word}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n").as_bytes(),
                    );
                }
            }
        });
        hook
    }

    /// Where to.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The body of the last request.
    pub fn last(&self) -> Option<String> {
        self.last.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Keys of the alerts that were accepted at least once.
    pub fn received(&self) -> BTreeSet<String> {
        let seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        let accepted = seen.iter().filter(|(_, attempts)| attempts.iter().any(|attempt| *attempt > self.refused));
        accepted.map(|(key, _)| key.clone()).collect()
    }
}

fn receive(stream: &TcpStream) -> Option<(String, u32, String)> {
    let mut reader = BufReader::new(stream);
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        if line.trim().is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':') {
            headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
        }
    }
    let length: usize = headers.get("content-length")?.parse().ok()?;
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    let body = String::from_utf8(body).ok()?;
    Some((headers.get("idempotency-key")?.clone(), headers.get("x-mlp-attempt")?.parse().ok()?, body))
}
