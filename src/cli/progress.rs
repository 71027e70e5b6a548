//! Downloads on the terminal.

use std::io::IsTerminal;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use translate::hub::Progress;

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
