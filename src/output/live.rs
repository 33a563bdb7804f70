//! A terminal that is drawn on: frames of whole lines, each written at once. What the lines say is decided by the commands.
//!
//! The terminal's settings stay as they are, and only the cursor is hidden. Frames begin at the top left corner, so
//! nothing that is typed or resized between two frames moves the next one.

use std::fmt::Write as _;
use std::io::{self, IsTerminal as _};
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::process::{Signal, getpgrp, getpid, kill_process};
use rustix::termios::{tcgetpgrp, tcgetwinsize};

use super::OutputError;
use super::colour::PLAIN;
use super::table::Line;

/// The size of a terminal that does not tell it.
const UNKNOWN: Size = Size {
    width: 80,
    height: 24,
};

const SHOW_CURSOR: &str = "\x1b[?25h";
const HIDE_CURSOR: &str = "\x1b[?25l";
/// What stands between these two is shown at once by terminals that know them, and others take no notice.
const BEGIN_FRAME: &str = "\x1b[?2026h";
const END_FRAME: &str = "\x1b[?2026l";
/// Where a terminal takes a character for wider than it is counted here, the line is cut off and not broken.
const NO_WRAP: &str = "\x1b[?7l";
const WRAP: &str = "\x1b[?7h";
const TOP_LEFT: &str = "\x1b[H";
const CLEAR_LINE_FROM_HERE: &str = "\x1b[K";
const CLEAR_FROM_HERE: &str = "\x1b[J";

/// Whether a cursor is hidden that has to be shown again, however this process ends.
static IS_HIDDEN: AtomicBool = AtomicBool::new(false);

/// Columns and lines of a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Size {
    pub(crate) width: u16,
    pub(crate) height: u16,
}

/// The terminal on stdout. Its cursor is hidden while it is drawn on.
#[derive(Debug, Default)]
pub(crate) struct Terminal {
    is_drawn_on: bool,
}

/// Whether stdout is a terminal that can be drawn on; `term` is what `TERM` says.
pub(crate) fn is_possible(term: Option<&str>) -> bool {
    io::stdout().is_terminal() && term.is_some_and(|term| term != "dumb")
}

/// Shows the cursor if it is hidden, where no value can do it any more.
pub(super) fn restore() {
    if IS_HIDDEN.swap(false, Ordering::SeqCst) {
        let _ = write_at_once(SHOW_CURSOR);
    }
}

impl Terminal {
    /// Makes room: what stands on the terminal moves up, where it can be scrolled back to.
    fn begin(&mut self) -> Result<(), OutputError> {
        self.is_drawn_on = true;
        IS_HIDDEN.store(true, Ordering::SeqCst);
        let up = "\n".repeat(usize::from(self.size().height));
        write_at_once(&format!("{HIDE_CURSOR}{up}"))
    }

    /// How large it is now.
    pub(crate) fn size(&self) -> Size {
        match tcgetwinsize(io::stdout()) {
            Ok(size) if size.ws_col > 0 && size.ws_row > 0 => Size {
                width: size.ws_col,
                // The last line is the cursor's, and of what is typed.
                height: size.ws_row.saturating_sub(1).max(1),
            },
            _ => Size {
                height: UNKNOWN.height - 1,
                ..UNKNOWN
            },
        }
    }

    /// Shows these lines and nothing else. In the background nothing is shown: the terminal is another job's.
    pub(crate) fn draw(&mut self, lines: &[Line]) -> Result<(), OutputError> {
        if tcgetpgrp(io::stdout()).is_ok_and(|foreground| foreground != getpgrp()) {
            return Ok(());
        }
        if !self.is_drawn_on {
            self.begin()?;
        }
        write_at_once(&frame(lines, self.size().width))
    }

    /// Stops this process until it is continued, as Ctrl-Z asks for, with the terminal as it was.
    pub(crate) fn suspend(&mut self) -> Result<(), OutputError> {
        self.end()?;
        kill_process(getpid(), Signal::STOP).map_err(io::Error::from)?;
        Ok(())
    }

    /// Leaves what is shown where it is.
    pub(crate) fn close(mut self) -> Result<(), OutputError> {
        self.end()
    }

    /// What was typed is wiped away, which is `^C` more often than not.
    fn end(&mut self) -> Result<(), OutputError> {
        if !std::mem::take(&mut self.is_drawn_on) {
            return Ok(());
        }
        IS_HIDDEN.store(false, Ordering::SeqCst);
        write_at_once(&format!("\r{CLEAR_FROM_HERE}{SHOW_CURSOR}"))
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        restore();
    }
}

/// A frame as it is written. The cursor ends below its last line.
fn frame(lines: &[Line], width: u16) -> String {
    let mut text = format!("{BEGIN_FRAME}{HIDE_CURSOR}{NO_WRAP}{TOP_LEFT}");
    for line in lines {
        let (clipped, clipped_width) = line.clipped(width);
        let style = line.style;
        // Writing into memory cannot fail.
        let _ = if style == PLAIN {
            write!(text, "{clipped}")
        } else {
            write!(text, "{style}{clipped}{style:#}")
        };
        // Behind the last column some terminals would clear that one.
        if clipped_width < width {
            text.push_str(CLEAR_LINE_FROM_HERE);
        }
        text.push_str("\r\n");
    }
    text + CLEAR_FROM_HERE + WRAP + END_FRAME
}

/// Writes without a buffer that would cut it at a line's end.
fn write_at_once(text: &str) -> Result<(), OutputError> {
    let mut rest = text.as_bytes();
    while !rest.is_empty() {
        let written = rustix::io::retry_on_intr(|| rustix::io::write(io::stdout(), rest));
        rest = &rest[written.map_err(io::Error::from)?..];
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::colour::ATTENTION;
    use super::*;

    #[test]
    fn a_frame_clears_what_it_does_not_cover_and_nothing_else() {
        let lines = [
            Line::new("ab", PLAIN),
            Line::new("日本語", ATTENTION),
            Line::new("abcd", PLAIN),
        ];
        assert_eq!(
            frame(&lines, 4),
            format!(
                "\x1b[?2026h\x1b[?25l\x1b[?7l\x1b[Hab\x1b[K\r\n{ATTENTION}日…{ATTENTION:#}\x1b[K\r\nabcd\r\n\
                 \x1b[J\x1b[?7h\x1b[?2026l"
            )
        );
    }
}
