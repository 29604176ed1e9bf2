//! What processes hold, as the kernel tells it in `/proc`. Elsewhere nothing is known, and nothing limited.

use rustix::process::Pid;
use std::fs;
use std::sync::atomic::{AtomicU64, Ordering};

/// The peak of one process, in bytes; 0 if it is not known.
pub fn peak_of(process: Pid) -> u64 {
    field(&format!("/proc/{}/status", process.as_raw_nonzero()), "VmHWM:")
}

/// Whether this is more than this process itself ever held.
pub fn is_above_own_peak(bytes: u64) -> bool {
    // A peak only grows: what was not above it once never will be.
    static KNOWN: AtomicU64 = AtomicU64::new(0);
    if bytes <= KNOWN.load(Ordering::Relaxed) {
        return false;
    }
    let own = field("/proc/self/status", "VmHWM:");
    KNOWN.fetch_max(own, Ordering::Relaxed);
    bytes > own
}

/// What all processes of a group hold together now, in bytes; 0 if it is not known. Memory that several of them share counts
/// for each of them.
pub fn of_group(group: Pid) -> u64 {
    let wanted = group.as_raw_nonzero().to_string();
    let mut sum = 0;
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let name = entry.file_name();
        let Some(number) = name.to_str().filter(|name| name.bytes().all(|byte| byte.is_ascii_digit())) else {
            continue;
        };
        let Ok(stat) = fs::read_to_string(format!("/proc/{number}/stat")) else { continue };
        // `pid (name) state parent group ...`; the name may hold anything.
        let Some((_, rest)) = stat.rsplit_once(')') else { continue };
        if rest.split_whitespace().nth(2) == Some(&wanted) {
            sum += field(&format!("/proc/{number}/status"), "VmRSS:");
        }
    }
    sum
}

/// `VmHWM:     1234 kB`
fn field(path: &str, name: &str) -> u64 {
    let text = fs::read_to_string(path).unwrap_or_default();
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    let kib: Option<u64> = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    kib.unwrap_or(0) * 1024
}
