//! `mlp lsp`: what an editor sees, what no editor would say, and what it costs.

use crate::space::{Space, repository};
use serde_json::{Value, json};
use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

/// Longer than anything takes on a machine that is at work with other things.
const PATIENCE: Duration = Duration::from_secs(120);

/// An editor: the other end of the pipe.
struct Editor {
    child: Child,
    messages: Receiver<Value>,
    /// Notifications that came while something else was waited for.
    told: Vec<Value>,
    asked: i64,
}

impl Editor {
    /// Starts a server, and says nothing.
    fn silent(space: &Space) -> Editor {
        let mut command = space.command(&["lsp"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child = command.spawn().expect("mlp starts");
        let mut output = BufReader::new(child.stdout.take().expect("piped"));
        let (sender, messages) = channel();
        std::thread::spawn(move || {
            while let Some(message) = read(&mut output) {
                if sender.send(message).is_err() {
                    return;
                }
            }
        });
        Editor { child, messages, told: Vec::new(), asked: 0 }
    }

    /// Starts a server on the project's folder.
    fn open(space: &Space) -> Editor {
        let mut editor = Editor::silent(space);
        let folder = uri(space, "");
        let snippets = json!({ "completion": { "completionItem": { "snippetSupport": true } } });
        let answer = editor.ask(
            "initialize",
            json!({
                "processId": null,
                "workspaceFolders": [{ "uri": folder.trim_end_matches('/'), "name": "project" }],
                "capabilities": { "textDocument": snippets },
            }),
        );
        assert_eq!(answer["result"]["serverInfo"]["name"], "mlp");
        editor.tell("initialized", json!({}));
        editor
    }

    fn write(&mut self, bytes: &[u8]) {
        let input = self.child.stdin.as_mut().expect("piped");
        input.write_all(bytes).and_then(|()| input.flush()).expect("the server reads");
    }

    fn send(&mut self, message: &Value) {
        let body = message.to_string();
        self.write(format!("Content-Length: {}\r\n\r\n{body}", body.len()).as_bytes());
    }

    fn tell(&mut self, method: &str, params: Value) {
        self.send(&json!({ "jsonrpc": "2.0", "method": method, "params": params }));
    }

    /// Asks, and waits for the answer.
    fn ask(&mut self, method: &str, params: Value) -> Value {
        self.asked += 1;
        let id = self.asked;
        self.send(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }));
        self.until(method, |message| message["id"] == id && message.get("method").is_none())
    }

    /// The next message that is wanted; the others are kept.
    fn until(&mut self, what: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        if let Some(at) = self.told.iter().position(&wanted) {
            return self.told.remove(at);
        }
        let begin = Instant::now();
        loop {
            let left = PATIENCE.saturating_sub(begin.elapsed());
            let message = self.messages.recv_timeout(left).unwrap_or_else(|why| panic!("{what}: {why}"));
            if wanted(&message) {
                return message;
            }
            self.told.push(message);
        }
    }

    fn open_text(&mut self, uri: &str, text: &str) {
        self.tell(
            "textDocument/didOpen",
            json!({
                "textDocument": { "uri": uri, "languageId": "mlp", "version": 1, "text": text },
            }),
        );
    }

    fn change(&mut self, uri: &str, version: i64, changes: Value) {
        self.tell(
            "textDocument/didChange",
            json!({
                "textDocument": { "uri": uri, "version": version },
                "contentChanges": changes,
            }),
        );
    }

    /// What is wrong in a version of a document.
    fn findings(&mut self, uri: &str, version: i64) -> Vec<Value> {
        let message = self.until("findings", |message| {
            message["method"] == "textDocument/publishDiagnostics"
                && message["params"]["uri"] == uri
                && message["params"]["version"] == version
        });
        message["params"]["diagnostics"].as_array().expect("a list").clone()
    }

    fn ask_at(&mut self, method: &str, uri: &str, position: &Value) -> Value {
        self.ask(method, json!({ "textDocument": { "uri": uri }, "position": position }))["result"].take()
    }

    /// Says goodbye; gives the exit code.
    fn leave(mut self) -> Option<i32> {
        assert_eq!(self.ask("shutdown", Value::Null)["result"], Value::Null);
        self.tell("exit", Value::Null);
        self.child.wait().expect("it ends").code()
    }
}

fn read(output: &mut impl BufRead) -> Option<Value> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        if output.read_line(&mut line).ok()? == 0 {
            return None;
        }
        match line.trim().split_once(": ") {
            Some((_, number)) => length = number.parse().ok()?,
            None => break,
        }
    }
    let mut body = vec![0; length];
    output.read_exact(&mut body).ok()?;
    serde_json::from_slice(&body).ok()
}

fn uri(space: &Space, file: &str) -> String {
    format!("file://{}", space.path(file).display())
}

/// The line and column of the first `what` in a text of ASCII, and `further` columns.
fn position(text: &str, what: &str, further: usize) -> Value {
    let at = text.find(what).unwrap_or_else(|| panic!("{what:?} is in the text")) + further;
    let line = text[..at].matches('\n').count();
    let column = at - text[..at].rfind('\n').map_or(0, |newline| newline + 1);
    json!({ "line": line, "character": column })
}

/// A text after the edits that an answer asks for.
fn edited(text: &str, edits: &Value) -> String {
    let offset = |position: &Value| {
        let line = position["line"].as_u64().expect("a line") as usize;
        let start: usize = text.split_inclusive('\n').take(line).map(str::len).sum();
        start + position["character"].as_u64().expect("a column") as usize
    };
    let mut edits: Vec<(usize, usize, &str)> = edits
        .as_array()
        .expect("edits")
        .iter()
        .map(|edit| {
            let range = &edit["range"];
            (offset(&range["start"]), offset(&range["end"]), edit["newText"].as_str().expect("a text"))
        })
        .collect();
    edits.sort_unstable();
    let mut text = text.to_owned();
    edits.iter().rev().for_each(|(start, end, with)| text.replace_range(start..end, with));
    text
}

#[test]
fn an_editor_finds_completes_renames_mends_and_formats() {
    let space = Space::with_example("breast_cancer");
    let text = space.read("breast_cancer.mlp");
    let uri = uri(&space, "breast_cancer.mlp");
    let mut editor = Editor::open(&space);
    editor.open_text(&uri, &text);
    assert_eq!(editor.findings(&uri, 1), Vec::<Value>::new(), "the example is sound");

    // A column that does not exist, typed behind a call.
    let call = "tabular.split(biopsies, train_rows: train_rows, shuffle: false";
    let end = position(&text, call, call.len());
    editor.change(&uri, 2, json!([{ "range": { "start": end, "end": end }, "text": ", stratify: diagnos" }]));
    let changed = text.replace(call, &format!("{call}, stratify: diagnos"));
    let found = editor.findings(&uri, 2);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0]["code"], "E0206");

    // The columns are offered, the one that was meant among them.
    let here = position(&changed, "stratify: diagnos", "stratify: diagnos".len());
    let items = editor.ask_at("textDocument/completion", &uri, &here);
    let items = items.as_array().expect("items");
    let column = items.iter().find(|item| item["label"] == "diagnosis").expect("the column is offered");
    assert!(items.iter().any(|item| item["label"] == "worst_area"));
    let completed = edited(&changed, &json!([column["textEdit"]]));
    assert!(completed.contains("stratify: diagnosis)"), "{completed}");

    // So does the finding's fix.
    let range = &found[0]["range"];
    let actions = editor.ask(
        "textDocument/codeAction",
        json!({
            "textDocument": { "uri": uri }, "range": range, "context": { "diagnostics": found },
        }),
    );
    let fix = actions["result"].as_array().expect("actions").iter().find(|action| action["kind"] == "quickfix");
    let fix = fix.expect("a fix");
    let mended = edited(&changed, &fix["edit"]["changes"][&uri]);
    assert_eq!(mended, completed);
    editor.change(&uri, 3, json!([{ "text": text }]));
    assert_eq!(editor.findings(&uri, 3), Vec::<Value>::new());

    // A step under another name, where it is declared and where it is read.
    let named = position(&text, "step train =", 6);
    let prepared = editor.ask_at("textDocument/prepareRename", &uri, &named);
    assert_eq!(prepared["placeholder"], "train");
    let rename = json!({ "textDocument": { "uri": uri }, "position": named, "newName": "fitted" });
    let renamed = editor.ask("textDocument/rename", rename);
    let renamed = edited(&text, &renamed["result"]["changes"][&uri]);
    assert!(renamed.contains("step fitted = ") && renamed.contains("model cancer = fitted.model"), "{renamed}");
    assert!(renamed.contains("classify.logistic(split.train)"), "the module's word stays: {renamed}");
    editor.change(&uri, 4, json!([{ "text": renamed }]));
    assert_eq!(editor.findings(&uri, 4), Vec::<Value>::new(), "what was renamed is sound");

    let hover = editor.ask_at("textDocument/hover", &uri, &position(&renamed, "eval.auc", 6));
    assert!(hover["contents"]["value"].as_str().is_some_and(|text| text.contains("eval.auc: fraction")), "{hover}");
    let formatted = editor.ask(
        "textDocument/formatting",
        json!({
            "textDocument": { "uri": uri }, "options": { "tabSize": 2, "insertSpaces": true },
        }),
    );
    assert!(formatted["result"].is_array(), "{formatted}");
    assert_eq!(editor.leave(), Some(0));
}

#[test]
fn a_name_is_renamed_in_the_files_that_read_it() {
    let space = Space::new();
    space.write("lib/common.mlp", "mlp 1\nparam share: fraction = 20%\n");
    let text = "mlp 1\nuse std/tabular\nuse \"./lib/common.mlp\" as common\nschema Row { a: int }\n\
                data rows_in: Row { source = csv(\"a.csv\") }\nstep parts = tabular.split(rows_in, test: common.share)\n";
    space.write("main.mlp", text);
    let (main, common) = (uri(&space, "main.mlp"), uri(&space, "lib/common.mlp"));
    let mut editor = Editor::open(&space);
    editor.open_text(&main, text);
    let here = position(text, "common.share", 8);
    let begin = Instant::now();
    let mut definition = editor.ask_at("textDocument/definition", &main, &here);
    // The files that a file uses are read beside the first answers.
    while definition.is_null() && begin.elapsed() < PATIENCE {
        std::thread::sleep(Duration::from_millis(50));
        definition = editor.ask_at("textDocument/definition", &main, &here);
    }
    assert_eq!((&definition["uri"], &definition["range"]["start"]["line"]), (&json!(common), &json!(1)));
    let rename = json!({ "textDocument": { "uri": main }, "position": here, "newName": "part" });
    let changes = editor.ask("textDocument/rename", rename)["result"]["changes"].take();
    assert!(edited(text, &changes[&main]).contains("test: common.part)"));
    assert!(edited(&space.read("lib/common.mlp"), &changes[&common]).contains("param part: fraction"));
    assert_eq!(editor.leave(), Some(0));
}

#[test]
fn the_last_run_and_the_next_are_told() {
    let space = Space::with_example("breast_cancer");
    let text = space.read("breast_cancer.mlp");
    let uri = uri(&space, "breast_cancer.mlp");
    let mut editor = Editor::open(&space);
    editor.open_text(&uri, &text);
    let plan = |editor: &mut Editor| {
        let lenses = editor.ask("textDocument/codeLens", json!({ "textDocument": { "uri": uri } }));
        let lens = lenses["result"].as_array().expect("lenses").iter().find(|lens| lens["data"].is_object());
        let lens = lens.expect("what would run").clone();
        editor.ask("codeLens/resolve", lens)["result"]["command"]["title"].clone()
    };
    assert_eq!(plan(&mut editor), "plan: 3 steps would run");
    space.mlp(&["run", "breast_cancer.mlp"]).exits(0);
    assert_eq!(plan(&mut editor), "plan: nothing would run");
    let here = position(&text, "eval.auc", 6);
    let begin = Instant::now();
    // What a journal said is believed for a moment.
    while !editor.ask_at("textDocument/hover", &uri, &here).to_string().contains("Last: **") {
        assert!(begin.elapsed() < PATIENCE);
        std::thread::sleep(Duration::from_millis(200));
    }
    assert_eq!(editor.leave(), Some(0));
}

#[test]
fn messages_out_of_order_are_answered_and_the_exit_code_tells_how_it_ended() {
    let space = Space::new();
    let code = |answer: Value| answer["error"]["code"].as_i64();
    let mut editor = Editor::silent(&space);
    assert_eq!(code(editor.ask("textDocument/hover", json!({}))), Some(-32002), "before `initialize`");
    editor.tell("textDocument/didOpen", json!({ "textDocument": 4 }));
    assert!(editor.ask("initialize", json!([]))["result"].is_object(), "an editor that says nothing about itself");
    assert_eq!(code(editor.ask("initialize", json!({}))), Some(-32600), "twice");
    assert_eq!(code(editor.ask("textDocument/inventory", json!({}))), Some(-32601));
    assert_eq!(code(editor.ask("textDocument/hover", json!({ "position": "here" }))), Some(-32602));
    let nowhere =
        json!({ "textDocument": { "uri": "file:///no/such.mlp" }, "position": { "line": 0, "character": 0 } });
    assert_eq!(editor.ask("textDocument/hover", nowhere)["result"], Value::Null, "a document that nobody opened");
    let uri = uri(&space, "a.mlp");
    editor.open_text(&uri, "mlp 1\nparam p: int = 1\n");
    for (line, character) in [(0, u32::MAX), (u32::MAX, 0), (2, 9), (1, 7)] {
        let far = json!({ "textDocument": { "uri": uri }, "position": { "line": line, "character": character } });
        assert!(editor.ask("textDocument/completion", far.clone())["error"].is_null());
        assert!(editor.ask("textDocument/hover", far)["error"].is_null());
    }
    let backwards = json!({ "start": { "line": 1, "character": 9 }, "end": { "line": 0, "character": 2 } });
    editor.change(&uri, 2, json!([{ "range": backwards, "text": "x" }]));
    editor.change("file:///not/open.mlp", 2, json!([{ "text": "x" }]));
    editor.tell("$/cancelRequest", json!({ "id": 4_000 }));
    editor.write(b"Content-Length: 2\r\n\r\n[]Content-Length: 3\r\n\r\n{\"aContent-Length: zwei\r\n\r\n");
    assert_eq!(
        code(editor.until("an error", |message| message["id"].is_null() && message["error"].is_object())),
        Some(-32600)
    );
    assert!(editor.ask("textDocument/documentSymbol", json!({ "textDocument": { "uri": uri } }))["result"].is_array());
    assert_eq!(editor.ask("shutdown", Value::Null)["result"], Value::Null);
    assert_eq!(code(editor.ask("textDocument/hover", json!({}))), Some(-32600), "after `shutdown`");
    editor.tell("exit", Value::Null);
    assert_eq!(editor.child.wait().expect("it ends").code(), Some(0));

    let mut editor = Editor::open(&space);
    editor.tell("exit", Value::Null);
    assert_eq!(editor.child.wait().expect("it ends").code(), Some(1), "without `shutdown`");
    let mut editor = Editor::open(&space);
    drop(editor.child.stdin.take());
    assert_eq!(editor.child.wait().expect("it ends").code(), Some(1), "the pipe was closed");
}

/// Numbers that look like chance and are the same each time.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % sides.max(1)
    }
}

#[test]
fn no_stream_of_messages_ends_the_server() {
    const METHODS: [&str; 20] = [
        "textDocument/hover",
        "textDocument/completion",
        "textDocument/signatureHelp",
        "textDocument/definition",
        "textDocument/references",
        "textDocument/documentHighlight",
        "textDocument/documentSymbol",
        "workspace/symbol",
        "textDocument/codeAction",
        "textDocument/codeLens",
        "codeLens/resolve",
        "textDocument/documentLink",
        "textDocument/prepareRename",
        "textDocument/rename",
        "textDocument/foldingRange",
        "textDocument/selectionRange",
        "textDocument/inlayHint",
        "textDocument/semanticTokens/full",
        "textDocument/semanticTokens/range",
        "textDocument/formatting",
    ];
    let space = Space::with_example("bikeshare");
    let text = space.read("bikeshare.mlp");
    let uri = uri(&space, "bikeshare.mlp");
    let mut editor = Editor::open(&space);
    let mut dice = Dice(20_261_121);
    editor.open_text(&uri, &text);
    let lines = text.lines().count();
    for round in 0..400 {
        let at = |dice: &mut Dice| json!({ "line": dice.roll(lines + 2), "character": dice.roll(90) });
        let (start, end) = (at(&mut dice), at(&mut dice));
        match dice.roll(8) {
            0 => {
                let pieces = ["", "{", "}", "\"", "\"\"\"", "step x = ", "(", ")\n", "\u{1F600}", "#", ".", "${", "\r"];
                let piece = pieces[dice.roll(pieces.len())];
                let range = json!({ "start": start, "end": if dice.roll(4) == 0 { &end } else { &start } });
                editor.change(&uri, round + 2, json!([{ "range": range, "text": piece }]));
            }
            1 if dice.roll(4) == 0 => editor.change(&uri, round + 2, json!([{ "text": text }])),
            2 => editor
                .tell("workspace/didChangeWatchedFiles", json!({ "changes": [{ "uri": uri, "type": dice.roll(5) }] })),
            3 => {
                let noise = [
                    "{}",
                    "[1,2]",
                    "null",
                    "{\"method\":\"\"}",
                    "{\"id\":{},\"method\":\"x\"}",
                    "{\"id\":1}",
                    "\"\u{fffd}\"",
                ];
                let body = noise[dice.roll(noise.len())];
                editor.write(format!("Content-Length: {}\r\n\r\n{body}", body.len()).as_bytes());
            }
            4 => editor.tell("$/cancelRequest", json!({ "id": editor.asked })),
            _ => {
                let method = METHODS[dice.roll(METHODS.len())];
                let mut params = json!({
                    "textDocument": { "uri": uri }, "position": start, "range": { "start": start, "end": end },
                    "positions": [start, end], "newName": "other", "query": "s", "context": { "diagnostics": [],
                    "includeDeclaration": true }, "options": { "tabSize": 2, "insertSpaces": true },
                });
                let wrong = ["textDocument", "position", "range", "context"];
                if dice.roll(6) == 0 {
                    params[wrong[dice.roll(wrong.len())]] = json!(["what"]);
                }
                let answer = editor.ask(method, params);
                assert_ne!(answer["error"]["code"], -32603, "{method} has a defect: {answer}");
            }
        }
    }
    editor.change(&uri, 9_999, json!([{ "text": text }]));
    assert_eq!(editor.findings(&uri, 9_999), Vec::<Value>::new(), "after all that the example is sound");
    assert_eq!(editor.leave(), Some(0));
}

/// A file of about a thousand lines that says something in each.
fn thousand_lines(seed: usize) -> String {
    let mut text = String::from("mlp 1\n\nuse std/tabular\nuse std/classify\n\n");
    for part in 0..25 {
        let n = seed * 100 + part;
        text.push_str(&format!("param share{n}: fraction = 2{}%\n\nschema Row{n} {{\n", part % 10));
        (0..16).for_each(|column| text.push_str(&format!("  column_{column}: float in 0.0..=1.0\n")));
        text.push_str(&format!(
            "  label_{n}: bool label\n}}\n\ndata rows{n}: Row{n} {{\n  source = csv(\"data/rows{n}.csv\")\n"
        ));
        text.push_str("  expect rows >= 1_000\n  expect missing(column_1) <= 2%\n}\n\n");
        text.push_str(&format!("step split{n} = tabular.split(rows{n}, test: share{n})\n"));
        text.push_str(&format!("step train{n} = classify.logistic(split{n}.train, features: [column_1, column_2])\n"));
        text.push_str(&format!("step eval{n} = classify.evaluate(train{n}.model, split{n}.test)\n\n"));
        text.push_str(&format!(
            "gate quality{n} {{\n  require eval{n}.auc >= 0.85  because \"below it costs money\"\n}}\n\n"
        ));
        text.push_str(&format!("model churn{n} = train{n}.model after quality{n}\n\n"));
    }
    text
}

/// Kilobytes of memory that the process has in use.
fn memory(pid: u32) -> Option<u64> {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}

#[test]
fn a_hundred_open_files_of_a_thousand_lines_fit_into_200_mib() {
    let space = Space::new();
    let mut editor = Editor::open(&space);
    let texts: Vec<String> = (0..100).map(thousand_lines).collect();
    let lines = texts[0].lines().count();
    assert!(lines > 950, "{lines} lines");
    for (file, text) in texts.iter().enumerate() {
        editor.open_text(&uri(&space, &format!("{file}.mlp")), text);
    }
    for file in 0..texts.len() {
        let uri = uri(&space, &format!("{file}.mlp"));
        assert_eq!(editor.findings(&uri, 1), Vec::<Value>::new());
        for method in ["semanticTokens/full", "documentSymbol", "foldingRange"] {
            editor.ask(&format!("textDocument/{method}"), json!({ "textDocument": { "uri": uri } }));
        }
    }
    let first = uri(&space, "0.mlp");
    let here = position(&texts[0], "eval3.auc", 2);
    editor.ask(
        "textDocument/references",
        json!({
            "textDocument": { "uri": first }, "position": here, "context": { "includeDeclaration": true },
        }),
    );
    let mut times = Vec::new();
    for version in 2..22 {
        let start = position(&texts[0], "below it costs", 0);
        let begin = Instant::now();
        editor.change(&first, version, json!([{ "range": { "start": start, "end": start }, "text": "x" }]));
        editor.findings(&first, version);
        times.push(begin.elapsed());
    }
    times.sort();
    println!(
        "one edit of {lines} lines to findings: median {:?}, slowest {:?}",
        times[times.len() / 2],
        times[times.len() - 1]
    );
    let used = memory(editor.child.id());
    assert_eq!(editor.leave(), Some(0));
    // Only Linux tells it so.
    let Some(kilobytes) = used else { return };
    println!("memory of the server on {} open files of {lines} lines: {} MiB", texts.len(), kilobytes >> 10);
    assert!(kilobytes < 200 << 10, "{} MiB", kilobytes >> 10);
}

#[test]
fn an_lsp_client_from_pypi_works_with_it() {
    let Some(python) = std::env::var_os("MLP_TEST_PYTHON") else {
        assert!(std::env::var_os("CI").is_none(), "CI must set MLP_TEST_PYTHON");
        eprintln!("\n!!! SKIPPED: no client from PyPI was tried. Set MLP_TEST_PYTHON to a Python that has pygls\n");
        return;
    };
    let space = Space::with_example("breast_cancer");
    let script = repository().join("tests/e2e/editor_client.py");
    let ran = Command::new(python).arg(script).arg(env!("CARGO_BIN_EXE_mlp")).arg(space.path("")).output();
    let ran = ran.expect("Python starts");
    assert!(ran.status.success(), "{}{}", String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
}

#[test]
fn neovim_works_with_it() {
    let has = Command::new("nvim").arg("--version").output().is_ok_and(|ran| ran.status.success());
    if !has {
        assert!(std::env::var_os("CI").is_none(), "CI must install Neovim");
        eprintln!("\n!!! SKIPPED: there is no nvim on this machine\n");
        return;
    }
    let space = Space::with_example("breast_cancer");
    let ran = Command::new("nvim")
        .args(["--headless", "-u", "NONE", "-i", "NONE", "-n"])
        .arg(space.path("breast_cancer.mlp"))
        .arg("-S")
        .arg(repository().join("editors/neovim/test/server.lua"))
        .env("MLP", env!("CARGO_BIN_EXE_mlp"))
        .output()
        .expect("nvim starts");
    let said = format!("{}{}", String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    assert!(ran.status.success() && said.contains("neovim: ok"), "{said}");
}
