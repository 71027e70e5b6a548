//! A small Hugging Face hub on loopback. It answers as the real one does: descriptions of repositories, headers
//! with commit and checksum, small files behind a relative redirect and large ones behind an absolute one to
//! another host, ranges, refusals with their codes; and it misbehaves on demand.
#![allow(dead_code, reason = "each test file uses a part")]

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::thread;

use sha1::Sha1;
use sha2::{Digest, Sha256};

/// A running hub; it ends with the value.
pub struct Hub {
    port: u16,
    state: Arc<Mutex<State>>,
}

#[derive(Default)]
struct State {
    models: BTreeMap<String, Model>,
    faults: Vec<(String, Fault)>,
    requests: Vec<Request>,
    closed: bool,
}

#[derive(Clone, Default)]
struct Model {
    commit: String,
    files: BTreeMap<String, Vec<u8>>,
    /// Token without which files are refused.
    gate: Option<String>,
}

/// A request that was received.
#[derive(Clone, Debug)]
pub struct Request {
    pub method: String,
    pub path: String,
    /// By name in lower case.
    pub headers: BTreeMap<String, String>,
}

/// One misbehaviour; each is used up by one request.
#[derive(Clone, Debug)]
pub enum Fault {
    /// This status with these headers.
    Status(u16, &'static [(&'static str, &'static str)]),
    /// The connection ends after so many bytes of the body.
    Cut(usize),
    /// Nothing more comes after so many bytes of the body, until the client goes away.
    Stall(usize),
    /// The connection ends without an answer.
    HangUp,
    /// The body has its first byte changed.
    Garble,
    /// The whole file, though a range was asked for.
    IgnoreRange,
    /// No answer, until the client goes away.
    Silence,
    /// A page that is no answer of a hub.
    SignInPage,
}

impl Hub {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let state = Arc::new(Mutex::new(State::default()));
        let shared = state.clone();
        thread::spawn(move || {
            for stream in listener.incoming() {
                if shared.lock().unwrap().closed {
                    return;
                }
                let shared = shared.clone();
                thread::spawn(move || stream.ok().and_then(|stream| serve(stream, port, &shared)));
            }
        });
        Self { port, state }
    }

    /// The address to put into `HF_ENDPOINT`.
    pub fn endpoint(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    /// Publishes a commit of a model, which becomes `main`; gives the commit.
    pub fn publish(&self, repo: &str, files: &[(&str, &[u8])]) -> String {
        let mut commit = Sha1::new();
        for (name, bytes) in files {
            commit.update(name);
            commit.update(bytes);
        }
        let commit = hex(&commit.finalize());
        let files = files.iter().map(|(name, bytes)| (name.to_string(), bytes.to_vec())).collect();
        let model = Model { commit: commit.clone(), files, gate: None };
        self.state.lock().unwrap().models.insert(repo.to_owned(), model);
        commit
    }

    /// Lets only those with the token read the model's files.
    pub fn gate(&self, repo: &str, token: &str) {
        self.state.lock().unwrap().models.get_mut(repo).unwrap().gate = Some(token.to_owned());
    }

    /// Lets the next request whose `METHOD path` contains `place` meet the fault.
    pub fn fail(&self, place: &str, fault: Fault) {
        self.state.lock().unwrap().faults.push((place.to_owned(), fault));
    }

    /// All requests so far.
    pub fn requests(&self) -> Vec<Request> {
        self.state.lock().unwrap().requests.clone()
    }

    /// `METHOD path` of the requests so far that contain `place`.
    pub fn requests_for(&self, place: &str) -> Vec<String> {
        let lines = self.requests().into_iter().map(|request| format!("{} {}", request.method, request.path));
        lines.filter(|line| line.contains(place)).collect()
    }

    /// Points a command's environment at this hub and at a cache folder, whatever the machine's own settings.
    pub fn configure(&self, command: &mut Command, home: &Path) {
        isolate(command, home);
        command.env("HF_ENDPOINT", self.endpoint());
    }
}

/// Keeps a command away from the machine's own hub settings, cache, token, models file and proxies.
pub fn isolate(command: &mut Command, home: &Path) {
    for name in [
        "HF_ENDPOINT",
        "HF_HUB_CACHE",
        "HF_TOKEN",
        "HF_TOKEN_PATH",
        "HF_HUB_OFFLINE",
        "HF_HUB_DOWNLOAD_TIMEOUT",
        "HF_HUB_DISABLE_IMPLICIT_TOKEN",
        "XDG_CACHE_HOME",
        "HTTP_PROXY",
        "http_proxy",
        "HTTPS_PROXY",
        "https_proxy",
        "ALL_PROXY",
        "all_proxy",
        "NO_PROXY",
        "no_proxy",
    ] {
        command.env_remove(name);
    }
    command.env("HF_HOME", home).env("XDG_CONFIG_HOME", home.join("config")).env("HOME", home);
}

/// An HTTP proxy that knows one more name than the machine does: `hub.invalid:80` leads to the hub. Gives its address
/// and what it was asked to connect to.
pub fn start_proxy(hub: &Hub) -> (String, Arc<Mutex<Vec<String>>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}", listener.local_addr().unwrap());
    let targets = Arc::new(Mutex::new(Vec::new()));
    let (seen, port) = (targets.clone(), hub.port);
    thread::spawn(move || {
        for client in listener.incoming().flatten() {
            let mut reader = BufReader::new(client.try_clone().unwrap());
            let Some(request) = read_request(&mut reader) else { continue };
            seen.lock().unwrap().push(format!("{} {}", request.method, request.path));
            let (mut up, mut down) = (TcpStream::connect(("127.0.0.1", port)).unwrap(), client);
            down.write_all(b"HTTP/1.1 200 Connected\r\n\r\n").unwrap();
            let mut answers = (up.try_clone().unwrap(), down.try_clone().unwrap());
            thread::spawn(move || std::io::copy(&mut answers.0, &mut answers.1));
            thread::spawn(move || std::io::copy(&mut down, &mut up));
        }
    });
    (address, targets)
}

impl Drop for Hub {
    fn drop(&mut self) {
        self.state.lock().unwrap().closed = true;
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

/// Answers the requests of one connection until it ends; gives nothing of interest.
fn serve(mut stream: TcpStream, port: u16, state: &Mutex<State>) -> Option<()> {
    stream.set_nodelay(true).ok()?;
    let mut reader = BufReader::new(stream.try_clone().ok()?);
    loop {
        let request = read_request(&mut reader)?;
        let (fault, models) = {
            let mut state = state.lock().unwrap();
            state.requests.push(request.clone());
            let line = format!("{} {}", request.method, request.path);
            let at = state.faults.iter().position(|(place, _)| line.contains(place.as_str()));
            (at.map(|at| state.faults.remove(at).1), state.models.clone())
        };
        let mut answer = answer(&request, &models, port, matches!(fault, Some(Fault::IgnoreRange)));
        let mut cut = None;
        let stalls = matches!(fault, Some(Fault::Stall(_)));
        match fault {
            Some(Fault::Status(status, headers)) => {
                answer = Answer::new(status);
                answer.headers.extend(headers.iter().map(|(name, value)| (name.to_string(), value.to_string())));
            }
            Some(Fault::Cut(after) | Fault::Stall(after)) => cut = Some(after),
            Some(Fault::HangUp) => return None,
            Some(Fault::Garble) => answer.body[0] ^= 0xff,
            Some(Fault::Silence) => {
                let _ = reader.read(&mut [0]);
                return None;
            }
            Some(Fault::SignInPage) => {
                answer = Answer::new(200);
                answer.body = b"<html>Welcome to the lobby's network</html>".to_vec();
            }
            Some(Fault::IgnoreRange) | None => {}
        }
        let mut head = format!("HTTP/1.1 {} Whatever\r\nContent-Length: {}\r\n", answer.status, answer.body.len());
        for (name, value) in &answer.headers {
            head += &format!("{name}: {value}\r\n");
        }
        stream.write_all(format!("{head}\r\n").as_bytes()).ok()?;
        if request.method != "HEAD" {
            stream.write_all(&answer.body[..cut.unwrap_or(answer.body.len())]).ok()?;
        }
        if stalls {
            let _ = reader.read(&mut [0]);
        }
        if cut.is_some() {
            return None;
        }
    }
}

fn read_request(reader: &mut BufReader<TcpStream>) -> Option<Request> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|n| *n > 0)?;
    let mut words = line.split_whitespace();
    let (method, path) = (words.next()?.to_owned(), words.next()?.to_owned());
    let mut headers = BTreeMap::new();
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok()?;
        match line.trim().split_once(':') {
            Some((name, value)) => headers.insert(name.to_lowercase(), value.trim().to_owned()),
            None => return Some(Request { method, path, headers }),
        };
    }
}

struct Answer {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
}

impl Answer {
    fn new(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new() }
    }

    fn with(mut self, name: &str, value: impl ToString) -> Self {
        self.headers.push((name.to_owned(), value.to_string()));
        self
    }

    fn refusal(status: u16, code: &str) -> Self {
        Self::new(status).with("X-Error-Code", code)
    }
}

fn answer(request: &Request, models: &BTreeMap<String, Model>, port: u16, ignore_range: bool) -> Answer {
    let parts: Vec<&str> = request.path.trim_start_matches('/').split('/').collect();
    let range = request.headers.get("range").filter(|_| !ignore_range);
    match parts.as_slice() {
        ["api", "models", org, name, "revision", revision] => {
            at_revision(models, org, name, revision, |model| description(&format!("{org}/{name}"), model))
        }
        ["api", "resolve-cache", org, name, file] => match models[&format!("{org}/{name}")].files.get(*file) {
            Some(bytes) => described(ranged(bytes, range), &models[&format!("{org}/{name}")].commit, bytes, file),
            None => Answer::refusal(404, "EntryNotFound"),
        },
        ["cdn", org, name, file] => ranged(&models[&format!("{org}/{name}")].files[*file], range),
        [org, name, "resolve", revision, file] => at_revision(models, org, name, revision, |model| {
            let given = request.headers.get("authorization");
            if model.gate.as_ref().is_some_and(|token| given != Some(&format!("Bearer {token}"))) {
                return Answer::refusal(401, "GatedRepo");
            }
            let Some(bytes) = model.files.get(*file) else { return Answer::refusal(404, "EntryNotFound") };
            if is_large(file) {
                let place = format!("http://localhost:{port}/cdn/{org}/{name}/{file}");
                described(Answer::new(302), &model.commit, bytes, file).with("Location", place)
            } else {
                Answer::new(307).with("Location", format!("/api/resolve-cache/{org}/{name}/{file}"))
            }
        }),
        _ => Answer::new(404),
    }
}

fn at_revision(
    models: &BTreeMap<String, Model>,
    org: &str,
    name: &str,
    revision: &str,
    then: impl FnOnce(&Model) -> Answer,
) -> Answer {
    match models.get(&format!("{org}/{name}")) {
        None => Answer::refusal(404, "RepoNotFound"),
        Some(model) if revision == "main" || revision == model.commit => then(model),
        Some(_) => Answer::refusal(404, "RevisionNotFound"),
    }
}

fn description(id: &str, model: &Model) -> Answer {
    let siblings: Vec<_> = model.files.keys().map(|name| serde_json::json!({ "rfilename": name })).collect();
    let body = serde_json::json!({ "id": id, "sha": model.commit, "siblings": siblings, "private": false });
    Answer { body: body.to_string().into_bytes(), ..Answer::new(200).with("Content-Type", "application/json") }
}

/// The hub keeps these apart, with a sha256 as their checksum.
fn is_large(file: &str) -> bool {
    [".bin", ".safetensors", ".spm"].iter().any(|extension| file.ends_with(extension))
}

fn described(answer: Answer, commit: &str, bytes: &[u8], file: &str) -> Answer {
    let answer = answer.with("X-Repo-Commit", commit);
    if is_large(file) {
        let etag = format!("\"{}\"", sha256(bytes));
        answer.with("X-Linked-Etag", etag).with("X-Linked-Size", bytes.len()).with("ETag", "\"the-cdn's-own\"")
    } else {
        answer.with("ETag", format!("W/\"{}\"", git_sha1(bytes)))
    }
}

fn ranged(bytes: &[u8], range: Option<&String>) -> Answer {
    let start = range.and_then(|range| range.strip_prefix("bytes=")?.strip_suffix('-')?.parse::<usize>().ok());
    match start {
        None => Answer { body: bytes.to_vec(), ..Answer::new(200) },
        Some(start) if start >= bytes.len() => Answer::new(416),
        Some(start) => {
            let range = format!("bytes {start}-{}/{}", bytes.len() - 1, bytes.len());
            Answer { body: bytes[start..].to_vec(), ..Answer::new(206).with("Content-Range", range) }
        }
    }
}

pub fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

pub fn git_sha1(bytes: &[u8]) -> String {
    hex(&Sha1::new_with_prefix(format!("blob {}\0", bytes.len())).chain_update(bytes).finalize())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A model of the Marian family as far as its file names and `model_type` go; its bytes mean nothing.
pub fn files() -> Vec<(&'static str, Vec<u8>)> {
    vec![
        ("README.md", b"not needed".to_vec()),
        ("config.json", br#"{"model_type": "marian"}"#.to_vec()),
        ("generation_config.json", b"{}".to_vec()),
        ("pytorch_model.bin", noise(200_000, 1)),
        ("source.spm", noise(3_000, 2)),
        ("target.spm", noise(3_000, 3)),
        ("tf_model.h5", noise(500, 4)),
        ("tokenizer_config.json", b"{}\n".to_vec()),
        ("vocab.json", b"{\"</s>\": 0}".to_vec()),
    ]
}

/// Bytes without a pattern, the same for the same seed (xorshift).
pub fn noise(length: usize, seed: u64) -> Vec<u8> {
    let mut x = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let step = |_| {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        (x >> 32) as u8
    };
    (0..length).map(step).collect()
}
