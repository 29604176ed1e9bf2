//! A guest that tries everything a step must not be able to do. Plain `std` and the bare component ABI, so that nothing
//! of the SDK stands between it and the sandbox. Its one setting names the deed; what it saw is its output.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::io::Write;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

#[unsafe(link_section = "component-type:evil")]
#[used]
static WORLD: [u8; include_bytes!(env!("EVIL_WORLD")).len()] = *include_bytes!(env!("EVIL_WORLD"));

#[unsafe(link_section = "mlp-signature")]
#[used]
static SIGNATURE: [u8; SIGNATURE_TEXT.len()] = {
    let mut bytes = [0; SIGNATURE_TEXT.len()];
    bytes.copy_from_slice(SIGNATURE_TEXT);
    bytes
};
const SIGNATURE_TEXT: &[u8] = br#"{"name":"test/evil","version":"1.0.0","world":"mlp:step@1.0.0","doc":"Evil.",
"steps":[{"name":"act","inputs":[],"params":[{"name":"deed","ty":{"plain":"string"}}],
"outputs":[{"name":"said","kind":{"metrics":{"fields":[]}}}]}]}"#;

#[link(wasm_import_module = "mlp:step/host@1.0.0")]
unsafe extern "C" {
    #[link_name = "log"]
    fn host_log(level: i32, text: *const u8, length: usize);
    #[link_name = "seed"]
    fn host_seed() -> u64;
}

#[unsafe(no_mangle)]
unsafe extern "C" fn cabi_realloc(old: *mut u8, old_size: usize, align: usize, size: usize) -> *mut u8 {
    use std::alloc::{Layout, alloc, realloc};
    unsafe {
        match old_size {
            0 => alloc(Layout::from_size_align_unchecked(size, align)),
            _ => realloc(old, Layout::from_size_align_unchecked(old_size, align), size),
        }
    }
}

/// `result<outputs, error>` in memory: a tag; of a success the output's path.
#[repr(C)]
struct Answer {
    is_error: u32,
    path: *const u8,
    length: usize,
    rest: [u32; 8],
}

#[unsafe(export_name = "test:evil/act@1.0.0#run")]
unsafe extern "C" fn run(deed: *const u8, length: usize) -> *const Answer {
    let deed = unsafe { std::str::from_utf8_unchecked(std::slice::from_raw_parts(deed, length)) };
    let path = act(deed).leak();
    Box::leak(Box::new(Answer { is_error: 0, path: path.as_ptr(), length: path.len(), rest: [0; 8] }))
}

const SAID: &str = "/mlp/out/said";

fn act(deed: &str) -> String {
    let said = match deed {
        "nothing" => String::new(),
        "spin" => loop {
            std::hint::black_box(());
        },
        "sleep" => {
            std::thread::sleep(Duration::from_secs(3600));
            "slept".into()
        }
        "eat memory" => {
            let mut hoard = vec![];
            for _ in 0..400 {
                hoard.push(std::hint::black_box(vec![1_u8; 1 << 20]));
            }
            format!("{}", hoard.len())
        }
        "recurse" => format!("{}", recurse(1)),
        "panic" => panic!("the dataset is cursed"),
        "exit" => std::process::exit(3),
        "look around" => look_around(),
        "time and chance" => time_and_chance(),
        "write to inputs" => format!(
            "{:?} {:?} {:?}",
            std::fs::write("/mlp/in/extra", "x").is_err(),
            std::fs::write("/mlp/params.json", "x").is_err(),
            std::fs::hard_link("/mlp/params.json", "/mlp/out/stolen").is_err(),
        ),
        "open many" => {
            let mut open = vec![];
            while let Ok(file) = std::fs::File::open("/mlp/params.json") {
                open.push(file);
            }
            format!("{}", open.len() < 1000)
        }
        "flood" => {
            for line in 0..1_000_000 {
                let text = format!("line {line}");
                unsafe { host_log(1, text.as_ptr(), text.len()) };
            }
            String::new()
        }
        "flood stdout" => {
            let mut out = std::io::stdout().lock();
            for _ in 0..4_000 {
                out.write_all(&[b'x'; 10_000]).unwrap();
            }
            String::new()
        }
        "answer outside" => return "/etc/passwd".into(),
        "answer upwards" => return "/mlp/out/../params.json".into(),
        "answer nothing" => return "/mlp/out/missing".into(),
        "answer folder" => return "/mlp/out".into(),
        "answer link" => {
            // WASI lets a guest make a relative link that points out, and no more.
            #[allow(deprecated)]
            std::fs::soft_link("../../../../../../../../etc/passwd", SAID).unwrap();
            return SAID.into();
        }
        other => format!("no deed {other}"),
    };
    std::fs::write(SAID, said).unwrap();
    SAID.into()
}

#[allow(unconditional_recursion)]
fn recurse(depth: u64) -> u64 {
    std::hint::black_box(recurse(std::hint::black_box(depth) + 1)) + 1
}

fn look_around() -> String {
    let mut seen = vec![];
    for path in ["/etc/passwd", "/proc/self/environ", "/mlp/../etc/passwd", "/mlp/out/../../etc/passwd", "..", "/"] {
        seen.push(format!("{path}: {}", if std::fs::metadata(path).is_ok() { "seen" } else { "denied" }));
    }
    let mut entries: Vec<_> = std::fs::read_dir("/mlp").unwrap().map(|e| e.unwrap().file_name()).collect();
    entries.sort();
    seen.push(format!("/mlp: {entries:?}"));
    seen.push(format!("params: {}", std::fs::read_to_string("/mlp/params.json").unwrap()));
    seen.push(format!("environment: {}", std::env::vars().count()));
    seen.push(format!("arguments: {}", std::env::args().count()));
    seen.push(format!("tcp: {}", std::net::TcpStream::connect("127.0.0.1:22").is_err()));
    seen.push(format!("listen: {}", std::net::TcpListener::bind("127.0.0.1:0").is_err()));
    seen.push(format!("udp: {}", std::net::UdpSocket::bind("127.0.0.1:0").is_err()));
    seen.push(format!("names: {}", std::net::ToSocketAddrs::to_socket_addrs("localhost:80").is_err()));
    seen.join("\n")
}

fn time_and_chance() -> String {
    let start = Instant::now();
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
    let waited = { std::thread::sleep(Duration::from_secs(60)); start.elapsed() >= Duration::from_secs(60) };
    let map: HashMap<u32, ()> = (0..20).map(|n| (n, ())).collect();
    let order: Vec<_> = map.keys().collect();
    format!("{now:?} {waited} {order:?} {} {:?}", RandomState::new().hash_one(1), unsafe { host_seed() })
}
