//! Downloads and translations on the terminal.

use std::cell::Cell;
use std::fs;
use std::io::IsTerminal;
use std::path::Path;
use std::time::Instant;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use translate::document::Part;
use translate::hub::Progress;
use translate::translator::Translation;

/// A bar a file, with bytes, rate and time left, and notes as lines above it; both on standard error, and only
/// when that is a terminal.
pub struct DownloadBar {
    bar: Option<ProgressBar>,
    shown: bool,
}

impl DownloadBar {
    /// `quiet` hides it on a terminal too.
    pub fn new(quiet: bool) -> Self {
        Self { bar: None, shown: !quiet && std::io::stderr().is_terminal() }
    }
}

impl Progress for DownloadBar {
    fn start(&mut self, file: &str, bytes: u64, already: u64) {
        if !self.shown {
            return;
        }
        let template = "{msg:24!} {wide_bar} {bytes}/{total_bytes} {bytes_per_sec} {eta}";
        let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
        let bar = ProgressBar::with_draw_target(Some(bytes), ProgressDrawTarget::stderr());
        bar.set_style(style);
        bar.set_message(file.to_owned());
        bar.set_position(already);
        bar.reset_eta();
        self.bar = Some(bar);
    }

    fn advance(&mut self, bytes: u64) {
        if let Some(bar) = &self.bar {
            bar.inc(bytes);
        }
    }

    fn finish(&mut self) {
        if let Some(bar) = self.bar.take() {
            bar.finish();
        }
    }

    fn note(&mut self, message: &str) {
        match &self.bar {
            Some(bar) => bar.println(message),
            None if self.shown => eprintln!("{message}"),
            None => {}
        }
    }
}

/// How far a translation is: segments, tokens a second and, where the inputs are files, the time left. On standard
/// error, and only when that is a terminal.
pub struct Meter {
    bar: ProgressBar,
    started: Instant,
    segments: Cell<u64>,
    tokens: Cell<u64>,
    /// Segments with a remark that an editor should see.
    doubtful: Cell<u64>,
}

impl Meter {
    /// For these inputs, `None` being standard input; `quiet` hides it on a terminal too.
    pub fn new<'p>(quiet: bool, inputs: impl Iterator<Item = Option<&'p Path>>) -> Self {
        let sizes = inputs.map(|path| Some(fs::metadata(path?).ok()?.len()));
        let total: Option<u64> = sizes.sum();
        let bar = if quiet || !std::io::stderr().is_terminal() {
            ProgressBar::hidden()
        } else {
            ProgressBar::with_draw_target(total, ProgressDrawTarget::stderr())
        };
        let template = if total.is_some() { "{wide_bar} {percent}% {msg} {eta}" } else { "{spinner} {msg} {elapsed}" };
        bar.set_style(ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar()));
        Self { bar, started: Instant::now(), segments: Cell::new(0), tokens: Cell::new(0), doubtful: Cell::new(0) }
    }

    /// Counts a part that is done.
    pub fn add(&self, part: &Part, translation: &Translation) {
        self.bar.inc(match part {
            Part::Segment(segment) => segment.text.len(),
            Part::Verbatim(text) => text.len(),
            Part::Record(_) => 0,
        } as u64);
        if let Part::Segment(_) = part {
            self.segments.set(self.segments.get() + 1);
            self.tokens.set(self.tokens.get() + translation.target_ids.len() as u64);
            let is_doubtful = translation.flags.iter().any(|flag| flag.wants_checking());
            self.doubtful.set(self.doubtful.get() + u64::from(is_doubtful));
            self.bar.set_message(self.summary());
        }
    }

    /// Says on a terminal how many segments want checking.
    pub fn note_doubtful(&self) {
        let (doubtful, of) = (self.doubtful.get(), self.segments.get());
        if doubtful > 0 && !self.bar.is_hidden() {
            self.bar.println(format!(
                "note: {doubtful} of {of} segments want checking: see the flags `suspect` and `unsupported-number` in -f jsonl"
            ));
        }
    }

    /// Takes the bar away; `verbose` leaves a line in its place.
    pub fn finish(&self, verbose: bool) {
        self.bar.finish_and_clear();
        if verbose {
            eprintln!("{} in {:.1} s", self.summary(), self.started.elapsed().as_secs_f64());
        }
    }

    fn summary(&self) -> String {
        let rate = self.tokens.get() as f64 / self.started.elapsed().as_secs_f64().max(1e-9);
        format!("{} segments, {rate:.0} tokens/s", self.segments.get())
    }
}
