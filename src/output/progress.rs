//! Progress bars, on stderr and only on a terminal.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressStyle};

/// A spinner moves this often; what takes less time is over before it is drawn.
const TICK: Duration = Duration::from_millis(150);

/// A bar for so many steps.
pub(crate) fn bar(steps: u64, what: &'static str) -> ProgressBar {
    let bar = ProgressBar::new(steps).with_message(what);
    // The template is a constant that the tests draw.
    if let Ok(style) = ProgressStyle::with_template("{msg} {wide_bar} {pos}/{len} {eta}") {
        bar.set_style(style);
    }
    bar
}

/// Something of a known length whose figures change while it goes on. They are shown while the value lives.
#[cfg(all(feature = "serve", feature = "sim"))]
#[must_use]
pub(crate) struct Figures(ProgressBar);

/// Shows what goes on and how far it is.
#[cfg(all(feature = "serve", feature = "sim"))]
pub(crate) fn figures(what: &str, whole: Duration) -> Figures {
    let seconds = whole.as_secs().max(1);
    let bar = ProgressBar::new(seconds).with_prefix(what.to_owned());
    if let Ok(style) = ProgressStyle::with_template("{prefix} {wide_bar} {pos}/{len} s {msg}") {
        bar.set_style(style);
    }
    Figures(bar)
}

#[cfg(all(feature = "serve", feature = "sim"))]
impl Figures {
    pub(crate) fn is_hidden(&self) -> bool {
        self.0.is_hidden()
    }

    pub(crate) fn show(&self, elapsed: Duration, figures: &str) {
        let whole = self.0.length().unwrap_or(u64::MAX);
        self.0.set_message(figures.to_owned());
        self.0.set_position(elapsed.as_secs().min(whole));
    }
}

#[cfg(all(feature = "serve", feature = "sim"))]
impl Drop for Figures {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}

/// A wait that may take long. It is shown while the value lives.
#[must_use]
pub(crate) struct Waiting(ProgressBar);

/// Says what is waited for and since when.
pub(crate) fn waiting(what: String) -> Waiting {
    let bar = ProgressBar::new_spinner().with_message(what);
    if bar.is_hidden() {
        return Waiting(bar);
    }
    if let Ok(style) =
        ProgressStyle::with_template("{spinner} {msg}, {elapsed} so far, Ctrl-C gives up")
    {
        bar.set_style(style);
    }
    bar.enable_steady_tick(TICK);
    Waiting(bar)
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.0.finish_and_clear();
    }
}
