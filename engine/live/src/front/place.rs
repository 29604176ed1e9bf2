//! Where a key falls between 0 and 1, and the ids of requests.

use std::hash::{BuildHasher, RandomState};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

/// The place of a key in 0..1: the first 53 bits of blake3 over the deployment's name and the key, as a fraction. The
/// same on every machine and for ever, so that a restart moves nobody; different for each deployment, so that nobody is
/// always among the first to try a candidate.
pub(super) fn place(deployment: &str, key: &str) -> f64 {
    let mut hasher = blake3::Hasher::new();
    hasher.update(b"mlp place 1\0").update(deployment.as_bytes()).update(b"\0").update(key.as_bytes());
    let hash = hasher.finalize();
    let mut first = [0; 8];
    first.copy_from_slice(&hash.as_bytes()[..8]);
    (u64::from_be_bytes(first) >> 11) as f64 / (1u64 << 53) as f64
}

/// Longest id of a request that a client may give.
const LONGEST_ID: usize = 128;

/// Whether a client's id can be used: it goes into headers, logs and files.
pub(super) fn check_id(id: &str) -> Result<(), String> {
    let tame = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.:/+=@".contains(&byte);
    if id.is_empty() || id.len() > LONGEST_ID || !id.bytes().all(tame) {
        return Err(format!(
            "the request's id must have 1 to {LONGEST_ID} characters out of letters, digits and `-_.:/+=@`; leave it out \
             and one is made"
        ));
    }
    Ok(())
}

/// A new id: 32 hexadecimal digits. Nobody else can guess it, and none comes twice, not after a restart either.
pub(super) fn new_id() -> String {
    static KEY: OnceLock<[u8; 32]> = OnceLock::new();
    static NEXT: AtomicU64 = AtomicU64::new(0);
    let key = KEY.get_or_init(|| {
        // The standard library seeds these from the system's randomness; the time is for a system without it.
        let (a, b) = (RandomState::new(), RandomState::new());
        let mut hasher = blake3::Hasher::new();
        for (state, n) in [(&a, 0u8), (&a, 1), (&b, 2), (&b, 3)] {
            hasher.update(&state.hash_one((n, std::time::SystemTime::now(), std::process::id())).to_le_bytes());
        }
        *hasher.finalize().as_bytes()
    });
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let hash = blake3::keyed_hash(key, &number.to_le_bytes()).to_hex();
    hash.as_str().get(..32).unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_fixed_for_ever() {
        let places = ["", "a", "user-7"].map(|key| format!("{:.12}", place("production", key)));
        insta::assert_compact_debug_snapshot!(places);
    }

    #[test]
    fn places_are_spread_evenly_and_differ_by_deployment() {
        let mut counts = [0u32; 10];
        let mut same = 0;
        for key in 0..10_000 {
            let here = place("production", &key.to_string());
            counts[(here * 10.0) as usize] += 1;
            same += u32::from((place("staging", &key.to_string()) < 0.05) && here < 0.05);
        }
        // Binomial(10_000, 0.1): standard deviation 30. Binomial(10_000, 0.0025): 5. Both fixed by the keys.
        assert!(counts.iter().all(|count| count.abs_diff(1_000) < 120), "{counts:?}");
        assert!(same < 50, "{same}");
    }

    #[test]
    fn ids_are_not_made_twice_and_are_ids_a_client_may_give() {
        let ids: std::collections::HashSet<String> = (0..10_000).map(|_| new_id()).collect();
        assert_eq!(ids.len(), 10_000);
        assert!(ids.iter().all(|id| check_id(id).is_ok() && id.len() == 32));
    }
}
