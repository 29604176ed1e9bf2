//! A page as a value: its headings, its level and its examples; and an example as files and a command.

use std::path::Path;

/// What may stand in a page, in this order.
const SECTIONS: &[&str] = &["Wrong", "Right", "Why", "How to mend"];

/// Longer lines are for nobody.
const WIDEST: usize = 125;

/// A page.
#[derive(Debug, Default)]
pub struct Page {
    /// `Level: warn`
    pub level: Option<String>,
    /// The blocks of `## Wrong`.
    pub wrong: Vec<Block>,
    /// The blocks of `## Right`.
    pub right: Vec<Block>,
}

/// A fenced block.
#[derive(Debug)]
pub struct Block {
    /// The first word behind the fence.
    pub language: String,
    /// The other words: `file=a.csv`, `escapes`.
    pub attributes: Vec<String>,
    /// The lines between the fences.
    pub text: String,
}

/// An example, ready to be tried.
#[derive(Clone, Debug)]
pub struct Case {
    /// Names and contents, in the order written.
    pub files: Vec<(String, Vec<u8>)>,
    /// The file that the command is given.
    pub main: String,
    /// `check`, `plan`, `run`, ...
    pub command: String,
    /// `-p` of the command.
    pub params: Vec<String>,
    /// Whether other codes may come with it.
    pub among: bool,
}

/// Reads a page. What is wrong with its form comes second.
pub fn parse(text: &str, id: &str, name: &str) -> (Page, Vec<String>) {
    let mut page = Page::default();
    let mut complaints = Vec::new();
    let mut section = "";
    let mut sections: Vec<&str> = Vec::new();
    let mut prose = 0;
    let mut lines = text.lines().enumerate();
    if lines.next().map(|(_, line)| line) != Some(&format!("# {id} {name}")) {
        complaints.push(format!("the first line is not `# {id} {name}`"));
    }
    while let Some((number, line)) = lines.next() {
        let number = number + 1;
        if line.chars().count() > WIDEST {
            complaints.push(format!("line {number} has more than {WIDEST} characters"));
        }
        if let Some(info) = line.strip_prefix("```") {
            let block: Vec<&str> = lines.by_ref().map(|(_, line)| line).take_while(|line| *line != "```").collect();
            let mut words = info.split_whitespace().map(str::to_owned);
            let block = Block {
                language: words.next().unwrap_or_default(),
                attributes: words.collect(),
                text: block.iter().map(|line| format!("{line}\n")).collect(),
            };
            match section {
                "Wrong" => page.wrong.push(block),
                "Right" => page.right.push(block),
                _ if !block.language.is_empty() => {}
                _ => complaints.push(format!("line {number}: a block without a language")),
            }
        } else if let Some(heading) = line.strip_prefix("## ") {
            section = heading;
            sections.push(heading);
        } else if let Some(level) = line.strip_prefix("Level: ") {
            page.level = Some(level.to_owned());
        } else if line.starts_with('#') || line.starts_with('|') || line.starts_with("* ") {
            complaints.push(format!("line {number}: no other headings, no tables, and lists with `-`"));
        } else if sections.is_empty() && !line.trim().is_empty() {
            prose += 1;
        }
    }
    let known: Vec<&str> = SECTIONS.iter().copied().filter(|known| sections.contains(known)).collect();
    if sections != known || !sections.starts_with(&["Wrong", "Right"]) {
        complaints.push(format!(
            "the headings are {sections:?}; wanted are {SECTIONS:?} in this order, the first two always"
        ));
    }
    if prose == 0 {
        complaints.push("nothing is said below the heading".to_owned());
    }
    for with in page.wrong.iter().chain(&page.right).filter_map(|block| block.value("with")) {
        if !text.contains(&format!("](with/{with}.mlp)")) {
            complaints.push(format!("`with={with}` without a link to with/{with}.mlp"));
        }
    }
    (page, complaints)
}

impl Block {
    fn value<'b>(&'b self, name: &'b str) -> Option<&'b str> {
        self.values(name).next()
    }

    fn values<'b>(&'b self, name: &'b str) -> impl Iterator<Item = &'b str> {
        self.attributes.iter().filter_map(move |word| word.strip_prefix(name)?.strip_prefix('='))
    }

    fn has(&self, name: &str) -> bool {
        self.attributes.iter().any(|word| word == name)
    }

    /// Shown, not used.
    fn is_shown_only(&self) -> bool {
        ["console", "text"].contains(&self.language.as_str()) && self.value("file").is_none()
    }

    /// The bytes that the block stands for; `with` is the folder of beginnings and other files.
    fn bytes(&self, with: &Path) -> Result<Vec<u8>, String> {
        let read = |name: String| std::fs::read(with.join(&name)).map_err(|error| format!("with/{name}: {error}"));
        if let Some(from) = self.value("from") {
            return read(from.to_owned());
        }
        let times = match self.value("repeat") {
            Some(times) => times.parse().map_err(|_| format!("repeat={times} is not a number"))?,
            None => 1,
        };
        let text = if self.has("escapes") { unescaped(&self.text)? } else { self.text.clone().into_bytes() };
        let mut bytes = match self.value("with") {
            Some(name) => read(format!("{name}.mlp"))?,
            None => Vec::new(),
        };
        if !bytes.is_empty() {
            bytes.push(b'\n');
        }
        bytes.extend(text.repeat(times));
        Ok(bytes)
    }
}

impl Case {
    /// The example that the blocks of a section make, on top of `before`.
    pub fn of(blocks: &[Block], before: Option<&Case>, command: &str, with: &Path) -> Result<Case, String> {
        const KNOWN: &[&str] = &["file", "with", "params", "command", "repeat", "from", "escapes", "among"];
        let blocks: Vec<&Block> = blocks.iter().filter(|block| !block.is_shown_only()).collect();
        for word in blocks.iter().flat_map(|block| &block.attributes) {
            if !KNOWN.contains(&word.split('=').next().unwrap_or_default()) {
                return Err(format!("the attribute `{word}` is not known"));
            }
        }
        let pipelines = || blocks.iter().filter(|block| block.language == "mlp");
        let main = match pipelines().find(|block| block.value("file").is_none()) {
            Some(_) => Some("example.mlp"),
            None => pipelines().next().and_then(|block| block.value("file")),
        };
        let inherited = before.map(|before| before.main.as_str());
        let main = inherited.or(main).ok_or("there is no `mlp` block")?.to_owned();
        let mut files: Vec<(String, Vec<u8>)> = Vec::new();
        for block in &blocks {
            let name = match block.value("file") {
                Some(name) => name,
                None if block.language == "mlp" => "example.mlp",
                None => return Err(format!("a `{}` block has no file=", block.language)),
            };
            let mut bytes = block.bytes(with)?;
            match files.iter_mut().find(|(known, _)| known == name) {
                Some((_, before)) => before.append(&mut bytes),
                None => files.push((name.to_owned(), bytes)),
            }
        }
        if files.is_empty() {
            return Err("there is no example".to_owned());
        }
        for (name, bytes) in before.map(|before| before.files.clone()).unwrap_or_default() {
            if files.iter().all(|(known, _)| *known != name) {
                files.push((name, bytes));
            }
        }
        let given: Vec<String> = blocks.iter().flat_map(|block| block.values("params")).map(str::to_owned).collect();
        let params = match before {
            // A mended main file comes with parameters of its own.
            Some(before) if pipelines().next().is_none() && given.is_empty() => before.params.clone(),
            _ => given,
        };
        let said = blocks.iter().find_map(|block| block.value("command"));
        let command = said.or(before.map(|before| before.command.as_str())).unwrap_or(command).to_owned();
        let among = blocks.iter().any(|block| block.has("among"));
        Ok(Case { files, main, command, params, among })
    }
}

/// `\xff`, `\0`, `\t`, `\r`, `\\` as bytes.
fn unescaped(text: &str) -> Result<Vec<u8>, String> {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some((before, after)) = rest.split_once('\\') {
        bytes.extend_from_slice(before.as_bytes());
        let hex = after.strip_prefix('x').and_then(|after| u8::from_str_radix(after.get(..2)?, 16).ok());
        let (byte, length) = match (after.chars().next(), hex) {
            (_, Some(byte)) => (byte, 3),
            (Some('0'), _) => (0, 1),
            (Some('t'), _) => (b'\t', 1),
            (Some('r'), _) => (b'\r', 1),
            (Some('\\'), _) => (b'\\', 1),
            _ => return Err(format!("an unknown escape before {:?}", after.chars().take(6).collect::<String>())),
        };
        bytes.push(byte);
        rest = &after[length..];
    }
    bytes.extend_from_slice(rest.as_bytes());
    Ok(bytes)
}
