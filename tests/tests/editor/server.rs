//! A rust-analyzer that is talked to as an editor does, over its standard input and output. It is gone with this value.

use serde_json::{Value, json};
use std::collections::{HashMap, VecDeque};
use std::ffi::OsString;
use std::io::{self, BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::{Duration, Instant};

const START: Duration = Duration::from_secs(180);
const ANSWER: Duration = Duration::from_secs(60);

pub(crate) struct Server {
    process: Child,
    input: ChildStdin,
    messages: Receiver<Value>,
    root: PathBuf,
    requests: u64,
    /// By file: what was last said it holds.
    versions: HashMap<String, u64>,
    /// The last of what the server has said without being asked.
    said: VecDeque<String>,
}

/// Where rust-analyzer is, and what it says of itself.
pub(crate) fn found() -> Option<(PathBuf, String)> {
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let cache = cache.or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".cache")));
    let installed = cache.map(|cache| cache.join("routilux/rust-analyzer/bin/rust-analyzer"));
    let given = std::env::var_os("RUST_ANALYZER").map(PathBuf::from);
    let on_path = Some(PathBuf::from("rust-analyzer"));
    [given, installed, on_path].into_iter().flatten().find_map(|program| {
        // That of rustup is there without its component too, and only says so.
        let answer =
            Command::new(&program).arg("--version").output().ok().filter(|answer| answer.status.success())?;
        Some((program, String::from_utf8_lossy(&answer.stdout).trim().to_owned()))
    })
}

impl Server {
    /// One that has read the crate at `root`; or why it cannot read the standard library.
    pub(crate) fn start(program: &Path, root: &Path, target: &Path) -> Result<Self, String> {
        let mut process = Command::new(program)
            .current_dir(root)
            .envs([("CARGO_TARGET_DIR", OsString::from(target))])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("{} does not start: {error}", program.display()));
        let (input, output) = (process.stdin.take().unwrap(), process.stdout.take().unwrap());
        let (sender, messages) = channel();
        std::thread::spawn(move || {
            let mut output = BufReader::new(output);
            while let Ok(message) = read(&mut output) {
                if sender.send(message).is_err() {
                    return;
                }
            }
        });
        let mut server = Server {
            process,
            input,
            messages,
            root: root.to_owned(),
            requests: 0,
            versions: HashMap::new(),
            said: VecDeque::new(),
        };
        server.request_within(
            START,
            "initialize",
            &json!({
                "processId": std::process::id(),
                "rootUri": server.uri(""),
                "workspaceFolders": [{ "uri": server.uri(""), "name": "fixture" }],
                "capabilities": {
                    "experimental": { "serverStatusNotification": true },
                    "textDocument": {
                        "diagnostic": {},
                        "hover": { "contentFormat": ["markdown"] },
                        "completion": { "completionItem": { "documentationFormat": ["markdown"] } },
                    },
                    "workspace": { "workspaceEdit": { "documentChanges": true } },
                },
                "initializationOptions": {
                    "cachePriming": { "enable": false },
                    "checkOnSave": false,
                    "procMacro": { "enable": true },
                    "numThreads": 2,
                },
            }),
        );
        server.send(&json!({ "jsonrpc": "2.0", "method": "initialized", "params": {} }));
        server.wait_until_ready()?;
        Ok(server)
    }

    fn wait_until_ready(&mut self) -> Result<(), String> {
        let end = Instant::now() + START;
        loop {
            let message = self.next(end, "to be ready");
            let status = &message["params"];
            if message["method"] == "experimental/serverStatus" && status["quiescent"] == true {
                let said = status["message"].as_str().unwrap_or_default();
                if said.contains("sysroot") {
                    return Err(said.to_owned());
                }
                assert_eq!(status["health"], "ok", "rust-analyzer cannot read the fixture: {said}");
                return Ok(());
            }
        }
    }

    pub(crate) fn request(&mut self, method: &str, params: &Value) -> Value {
        self.request_within(ANSWER, method, params)
    }

    fn request_within(&mut self, time: Duration, method: &str, params: &Value) -> Value {
        let end = Instant::now() + time;
        loop {
            self.requests += 1;
            let id = self.requests;
            self.send(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }));
            let answer = loop {
                let message = self.next(end, method);
                if message["id"] == id && message.get("method").is_none() {
                    break message;
                }
            };
            match answer["error"]["code"].as_i64() {
                None => return answer["result"].clone(),
                // What was asked about has changed meanwhile.
                Some(-32801 | -32802) => {}
                // There is nothing to rename there, say: an answer without what is asked for.
                Some(_) => return answer["error"].clone(),
            }
        }
    }

    /// The next message; what the server asks is answered with nothing.
    fn next(&mut self, end: Instant, what_for: &str) -> Value {
        let left = end.saturating_duration_since(Instant::now());
        let message = match self.messages.recv_timeout(left) {
            Ok(message) => message,
            Err(RecvTimeoutError::Timeout) => {
                panic!("rust-analyzer takes too long {what_for}; it has said:\n{}", self.said())
            }
            Err(RecvTimeoutError::Disconnected) => {
                panic!("rust-analyzer has ended; it has said:\n{}", self.said())
            }
        };
        if message.get("method").is_some() {
            self.said.push_back(message.to_string().chars().take(500).collect());
            if self.said.len() > 20 {
                self.said.pop_front();
            }
            if let Some(id) = message.get("id") {
                self.send(&json!({ "jsonrpc": "2.0", "id": id, "result": null }));
            }
        }
        message
    }

    fn said(&self) -> String {
        self.said.iter().map(|said| format!("  {said}\n")).collect()
    }

    fn send(&mut self, message: &Value) {
        let text = message.to_string();
        let sent = write!(self.input, "Content-Length: {}\r\n\r\n{text}", text.len());
        sent.and_then(|()| self.input.flush())
            .unwrap_or_else(|error| panic!("rust-analyzer has ended: {error}"));
    }

    pub(crate) fn uri(&self, file: &str) -> String {
        format!("file://{}", self.root.join(file).display())
    }

    /// What an editor shows of a file, which need not be what is on the disk.
    pub(crate) fn set(&mut self, file: &str, text: &str) {
        let uri = self.uri(file);
        let version = *self.versions.entry(file.to_owned()).and_modify(|version| *version += 1).or_insert(1);
        self.send(&match version {
            1 => json!({ "jsonrpc": "2.0", "method": "textDocument/didOpen", "params": {
                "textDocument": { "uri": uri, "languageId": "rust", "version": version, "text": text },
            } }),
            _ => json!({ "jsonrpc": "2.0", "method": "textDocument/didChange", "params": {
                "textDocument": { "uri": uri, "version": version },
                "contentChanges": [{ "text": text }],
            } }),
        });
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

fn read(output: &mut impl BufRead) -> io::Result<Value> {
    let mut length = 0;
    loop {
        let mut line = String::new();
        if output.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        match line.trim().split_once(": ") {
            Some((name, value)) if name.eq_ignore_ascii_case("content-length") => {
                length = value.parse().map_err(io::Error::other)?;
            }
            Some(_) => {}
            None => break,
        }
    }
    let mut text = vec![0; length];
    output.read_exact(&mut text)?;
    serde_json::from_slice(&text).map_err(io::Error::other)
}
