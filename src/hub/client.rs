//! The hub over HTTP: what it is asked, how its refusals read, and when it is asked again.

use std::cell::Cell;
use std::io;
use std::time::{Duration, Instant};

use hf_hub::api::RepoInfo;
use hf_hub::{Repo, RepoType};
use ureq::config::RedirectAuthHeaders;
use ureq::http::{HeaderMap, Method, Response, StatusCode, Uri, header};
use ureq::{Agent, Body, Timeout};

use super::digest::Etag;
use super::{Error, HubOptions, Progress};
use crate::registry::{RepoId, Revision};

/// The longest wait that the hub may ask for before the request is given up.
const LONGEST_WAIT: Duration = Duration::from_secs(60);
/// The longest pause between attempts that we choose ourselves.
const LONGEST_PAUSE: Duration = Duration::from_secs(8);
/// More than the hub's description of any repository takes.
const DESCRIPTION_LIMIT: u64 = 64 << 20;
/// Redirects that a request for a file's description follows.
const MAX_HOPS: usize = 5;

/// What the hub says of one file.
pub(super) struct Metadata {
    pub(super) etag: Etag,
    /// In bytes.
    pub(super) size: u64,
}

/// A failed attempt.
pub(super) enum Failure {
    /// Trying again would not help.
    Final(Error),
    /// It may work later: after `wait`, where the hub asks for one.
    Passing { error: Error, wait: Option<Duration> },
}

/// Counts failures in a row, and pauses longer after each.
pub(super) struct Patience<'a> {
    options: &'a HubOptions,
    /// When to give up at the latest.
    deadline: Option<Instant>,
    failures: u32,
}

impl<'a> Patience<'a> {
    pub(super) fn new(client: &Client<'a>) -> Self {
        Self { options: client.options, deadline: client.deadline.get(), failures: 0 }
    }

    /// Forgets the failures so far, since there was progress.
    pub(super) fn renew(&mut self) {
        self.failures = 0;
    }

    /// Pauses before the next attempt, or gives up.
    pub(super) fn after(&mut self, failure: Failure, progress: &mut dyn Progress) -> Result<(), Error> {
        let (mut error, wait) = match failure {
            Failure::Final(error) => return Err(error),
            Failure::Passing { error, wait } => (error, wait),
        };
        self.failures += 1;
        let doubled = self.options.backoff.saturating_mul(1 << (self.failures - 1).min(16));
        let pause = wait.unwrap_or(doubled.min(LONGEST_PAUSE));
        let is_late = self.deadline.is_some_and(|deadline| Instant::now() + pause >= deadline);
        if self.failures > self.options.retries || pause > LONGEST_WAIT || is_late {
            if let Error::Broken { attempts, .. } = &mut error {
                *attempts = self.failures;
            }
            return Err(error);
        }
        let again = if pause.is_zero() { String::new() } else { format!(" in {:.1} s", pause.as_secs_f64()) };
        progress.note(&format!("{}: trying again{again}", error.reason()));
        std::thread::sleep(pause);
        Ok(())
    }
}

/// One repository at one revision, over the network.
pub(super) struct Client<'a> {
    options: &'a HubOptions,
    repo: &'a RepoId,
    agent: Agent,
    /// Whether anything has ever answered; until then a dead network is reported at once.
    reached: Cell<bool>,
    /// When a first file must be here.
    deadline: Cell<Option<Instant>>,
}

impl<'a> Client<'a> {
    pub(super) fn new(options: &'a HubOptions, repo: &'a RepoId) -> Self {
        let agent = Agent::config_builder()
            .http_status_as_error(false)
            .redirect_auth_headers(RedirectAuthHeaders::SameHost)
            .accept_encoding("identity")
            .user_agent(concat!("translate/", env!("CARGO_PKG_VERSION")))
            .timeout_resolve(Some(options.connect_timeout))
            .timeout_connect(Some(options.connect_timeout))
            .timeout_recv_response(Some(options.read_timeout))
            .timeout_per_read(Some(options.read_timeout))
            .timeout_per_write(Some(options.read_timeout))
            .build()
            .new_agent();
        let deadline = options.first_answer.map(|wait| Instant::now() + wait);
        Self { options, repo, agent, reached: Cell::new(false), deadline: Cell::new(deadline) }
    }

    /// Sets no deadline any more: the hub has shown that it works.
    pub(super) fn trust(&self) {
        self.deadline.set(None);
    }

    pub(super) fn repo(&self) -> &'a RepoId {
        self.repo
    }

    /// Commit and list of files of a revision.
    pub(super) fn info(&self, revision: &Revision, progress: &mut dyn Progress) -> Result<RepoInfo, Error> {
        let api = self.at(revision.as_str()).api_url();
        let url = format!("{}/api/{api}", self.options.endpoint);
        self.patiently(progress, || {
            let response = self.send(Method::GET, &url, None, true)?;
            let mut response = self.accept(response, &url, revision.as_str(), None)?;
            let body = response.body_mut().with_config().limit(DESCRIPTION_LIMIT).read_to_string();
            let text = body.map_err(|error| self.broken(&url, &error))?;
            serde_json::from_str(&text).map_err(|error| {
                Failure::Final(Error::Protocol {
                    url: url.clone(),
                    reason: format!("no description of a model, {error}"),
                })
            })
        })
    }

    /// Checksum and size of a file at a commit.
    pub(super) fn metadata(&self, commit: &str, file: &str, progress: &mut dyn Progress) -> Result<Metadata, Error> {
        let url = self.file_url(commit, file);
        self.patiently(progress, || {
            let response = self.head(&url)?;
            let response = self.accept(response, &url, commit, Some(file))?;
            let missing = |what: &str| {
                Failure::Final(Error::Protocol {
                    url: url.clone(),
                    reason: format!("it does not tell the file's {what}"),
                })
            };
            let headers = response.headers();
            let etag = text(headers, "x-linked-etag").or_else(|| text(headers, "etag"));
            let length = if response.status().is_redirection() { None } else { text(headers, "content-length") };
            let size = text(headers, "x-linked-size").or(length);
            Ok(Metadata {
                etag: etag.and_then(Etag::parse).ok_or_else(|| missing("checksum"))?,
                size: size.and_then(|size| size.parse().ok()).ok_or_else(|| missing("size"))?,
            })
        })
    }

    /// A file's bytes from `start` on, and where they really start: at 0 when the server takes no ranges.
    /// One attempt only.
    pub(super) fn open(&self, commit: &str, file: &str, start: u64) -> Result<(u64, Response<Body>), Failure> {
        let url = self.file_url(commit, file);
        let response = self.send(Method::GET, &url, (start > 0).then_some(start), true)?;
        if start > 0 && response.status() == StatusCode::RANGE_NOT_SATISFIABLE {
            let (_, response) = self.open(commit, file, 0)?;
            return Ok((0, response));
        }
        let response = self.accept(response, &url, commit, Some(file))?;
        if response.status() != StatusCode::PARTIAL_CONTENT {
            return Ok((0, response));
        }
        let range = text(response.headers(), "content-range").unwrap_or_default();
        let first = range.strip_prefix("bytes ").and_then(|range| range.split('-').next());
        if first.and_then(|first| first.parse().ok()) == Some(start) {
            Ok((start, response))
        } else {
            Err(Failure::Final(Error::Protocol {
                url,
                reason: format!("bytes from {start} were asked for, it sends {range:?}"),
            }))
        }
    }

    /// A connection that broke while `url` was read, as a failure.
    pub(super) fn interrupted(&self, commit: &str, file: &str, reason: &dyn std::fmt::Display) -> Failure {
        broken(&self.file_url(commit, file), reason)
    }

    fn at(&self, revision: &str) -> Repo {
        Repo::with_revision(self.repo.to_string(), RepoType::Model, revision.to_owned())
    }

    fn file_url(&self, commit: &str, file: &str) -> String {
        let repo = self.at(commit);
        format!("{}/{}/resolve/{}/{file}", self.options.endpoint, repo.url(), repo.url_revision())
    }

    fn patiently<T>(
        &self,
        progress: &mut dyn Progress,
        mut attempt: impl FnMut() -> Result<T, Failure>,
    ) -> Result<T, Error> {
        let mut patience = Patience::new(self);
        loop {
            match attempt() {
                Ok(value) => return Ok(value),
                Err(failure) => patience.after(failure, progress)?,
            }
        }
    }

    /// Asks for the headers alone. The hub's redirects to itself are followed; the one that leads to where
    /// a large file is stored is not, because its answer is what describes the file.
    fn head(&self, url: &str) -> Result<Response<Body>, Failure> {
        let mut url = url.to_owned();
        for _ in 0..MAX_HOPS {
            let response = self.send(Method::HEAD, &url, None, false)?;
            let location = text(response.headers(), "location").filter(|_| response.status().is_redirection());
            match location {
                Some(path) if path.starts_with('/') && !path.starts_with("//") => url = origin(&url) + path,
                _ => return Ok(response),
            }
        }
        Err(Failure::Final(Error::Protocol { url, reason: "it redirects in a circle".to_owned() }))
    }

    fn send(&self, method: Method, url: &str, start: Option<u64>, follow: bool) -> Result<Response<Body>, Failure> {
        let request = if method == Method::HEAD { self.agent.head(url) } else { self.agent.get(url) };
        let left = self.deadline.get().map(|deadline| deadline.saturating_duration_since(Instant::now()));
        let config = request.config().max_redirects(if follow { 10 } else { 0 });
        let mut request = config.timeout_global(left.map(|left| left.max(Duration::from_millis(1)))).build();
        if let Some(token) = &self.options.token {
            request = request.header(header::AUTHORIZATION, format!("Bearer {}", token.secret()));
        }
        if let Some(start) = start {
            request = request.header(header::RANGE, format!("bytes={start}-"));
        }
        let response = request.call().map_err(|error| self.broken(url, &error))?;
        self.reached.set(true);
        Ok(response)
    }

    /// Lets answers that carry what was asked for through, and reads the others.
    fn accept(
        &self,
        response: Response<Body>,
        url: &str,
        revision: &str,
        file: Option<&str>,
    ) -> Result<Response<Body>, Failure> {
        let status = response.status();
        if status.is_success() || (file.is_some() && status.is_redirection()) {
            return Ok(response);
        }
        let repo = self.repo.to_string();
        let headers = response.headers();
        let url = url.to_owned();
        Err(match (status.as_u16(), text(headers, "x-error-code"), file) {
            (_, Some("RevisionNotFound"), _) => {
                Failure::Final(Error::RevisionNotFound { repo, revision: revision.to_owned() })
            }
            (404, Some("EntryNotFound"), Some(file)) | (404, None, Some(file)) => {
                Failure::Final(Error::FileNotFound { repo, file: file.to_owned() })
            }
            (401 | 403, ..) => Failure::Final(Error::Denied { repo, advice: self.advice() }),
            (404, ..) => Failure::Final(Error::RepoNotFound { repo }),
            (429, ..) => {
                let wait = wait_asked(headers);
                let clause = wait.map_or_else(String::new, |wait| format!(" and asks to wait {} s", wait.as_secs()));
                Failure::Passing { error: Error::RateLimited { url, wait: clause }, wait }
            }
            (status @ (408 | 500 | 502 | 503 | 504), ..) => {
                Failure::Passing { error: Error::Status { url, status }, wait: wait_asked(headers) }
            }
            (status, ..) => Failure::Final(Error::Status { url, status }),
        })
    }

    fn advice(&self) -> String {
        let page = format!("{}/{}", self.options.endpoint, self.repo);
        match self.options.token {
            Some(_) => format!("the token that was sent is not valid or has no access; ask for access on {page}"),
            None => {
                format!("it is private, gated or misspelt; accept its terms on {page} and put your token in HF_TOKEN")
            }
        }
    }

    /// A request that got no answer. What never answered at all is not tried again, except where the
    /// connection stood and then broke.
    fn broken(&self, url: &str, error: &ureq::Error) -> Failure {
        use io::ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
        let stood = match error {
            ureq::Error::Timeout(Timeout::Resolve | Timeout::Connect | Timeout::Global) => false,
            ureq::Error::Timeout(_) | ureq::Error::Protocol(_) => true,
            ureq::Error::Io(error) => {
                matches!(error.kind(), ConnectionReset | ConnectionAborted | BrokenPipe | UnexpectedEof)
            }
            _ => false,
        };
        let reason = match error {
            ureq::Error::Timeout(Timeout::Global) => "no answer in time".to_owned(),
            error => error.to_string(),
        };
        if stood || self.reached.get() {
            broken(url, &reason)
        } else {
            Failure::Final(Error::Unreachable { endpoint: self.options.endpoint.clone(), reason })
        }
    }
}

fn broken(url: &str, reason: &dyn std::fmt::Display) -> Failure {
    Failure::Passing {
        error: Error::Broken { url: url.to_owned(), attempts: 1, reason: reason.to_string() },
        wait: None,
    }
}

fn text<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// How long the hub asks to wait: `Retry-After` in seconds, or `t` of the draft `RateLimit` header, as
/// `"api";r=0;t=55`.
fn wait_asked(headers: &HeaderMap) -> Option<Duration> {
    let retry_after = text(headers, "retry-after").and_then(|seconds| seconds.trim().parse().ok());
    let reset = || text(headers, "ratelimit")?.split(';').find_map(|part| part.trim().strip_prefix("t=")?.parse().ok());
    retry_after.or_else(reset).map(Duration::from_secs)
}

/// Scheme, host and port of an address.
fn origin(url: &str) -> String {
    match url.parse::<Uri>() {
        Ok(uri) => {
            let scheme = uri.scheme_str().unwrap_or("https");
            let host = uri.authority().map_or("", |authority| authority.as_str());
            format!("{scheme}://{host}")
        }
        Err(_) => String::new(),
    }
}
