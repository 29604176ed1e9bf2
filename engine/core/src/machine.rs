//! What this machine has for steps: processors, memory, devices.
//!
//! Read once, when a pipeline is planned. What a platform does not tell is `u64::MAX`: nobody can run out of it.

use crate::scheduler::Room;
use mlp_lang::capability::Present;
use std::path::Path;

/// Devices are numbered from 0; more than these no machine has.
const MOST_DEVICES: u64 = 64;

/// What this one has: its affinity and its control group count.
pub fn present() -> Present {
    let cpus = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    Present { cpu: cpus as u64 * 1_000, memory: memory(), gpus: gpus() }
}

/// Room on it for this many attempts at once.
pub(crate) fn room(present: &Present, jobs: usize) -> Room {
    Room { jobs, cpu: present.cpu, memory: present.memory, gpus: present.gpus, pools: Vec::new() }
}

/// What an attempt takes up of the processors if it does not say: one. Somebody who asks for more attempts at once than
/// there are processors means small ones, which then count as attempts alone.
pub(crate) fn unsaid(present: &Present, jobs: usize) -> u64 {
    if (jobs as u64).saturating_mul(1_000) <= present.cpu { 1_000 } else { 0 }
}

fn memory() -> u64 {
    let total = std::fs::read_to_string("/proc/meminfo").ok().and_then(|text| total_of(&text));
    let limits = ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"];
    let limits = limits.iter().filter_map(|path| std::fs::read_to_string(path).ok()?.trim().parse::<u64>().ok());
    total.into_iter().chain(limits).min().unwrap_or(u64::MAX)
}

/// `MemTotal:  24689764 kB`
fn total_of(meminfo: &str) -> Option<u64> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    line.trim().strip_suffix("kB")?.trim().parse::<u64>().ok()?.checked_mul(1_024)
}

/// Devices of NVIDIA's driver, or those that `CUDA_VISIBLE_DEVICES` leaves of them.
fn gpus() -> u64 {
    let there = (0..MOST_DEVICES).take_while(|number| Path::new(&format!("/dev/nvidia{number}")).exists()).count();
    match std::env::var("CUDA_VISIBLE_DEVICES") {
        Ok(visible) => (visible_of(&visible) as u64).min(there as u64),
        Err(_) => there as u64,
    }
}

/// How many a list names: what follows a number that is none does not count, as the driver has it.
fn visible_of(list: &str) -> usize {
    list.split(',').map(str::trim).take_while(|name| !name.is_empty() && *name != "-1").count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_read_as_the_kernel_writes_it() {
        assert_eq!(total_of("MemTotal:       24689764 kB\nMemFree: 1 kB\n"), Some(24_689_764 * 1_024));
        assert_eq!(total_of("MemFree: 1 kB\n"), None);
        assert_eq!(total_of("MemTotal: many kB\n"), None);
    }

    #[test]
    fn devices_are_those_that_are_visible() {
        for (list, count) in [("", 0), ("0", 1), ("0,1", 2), ("0, GPU-1a2b", 2), ("-1", 0), ("0,-1,1", 1)] {
            assert_eq!(visible_of(list), count, "{list:?}");
        }
    }

    #[test]
    fn this_machine_has_something() {
        let present = present();
        assert!(present.cpu >= 1_000 && present.memory > 1 << 20, "{present:?}");
    }

    #[test]
    fn who_asks_for_more_attempts_than_processors_means_small_ones() {
        let present = Present { cpu: 2_000, memory: 1, gpus: 0 };
        assert_eq!([1, 2, 3].map(|jobs| unsaid(&present, jobs)), [1_000, 1_000, 0]);
    }
}
