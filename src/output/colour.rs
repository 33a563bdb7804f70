//! Colours: when, and which.
//!
//! Text is styled always; the streams of anstream strip the styles where nobody can see them.

use anstyle::{AnsiColor, Style};
use clap::ValueEnum;

/// What goes wrong.
pub(crate) const ERROR: Style = AnsiColor::Red.on_default().bold();
/// What to do about it.
pub(crate) const HINT: Style = AnsiColor::Cyan.on_default().bold();
/// The first line of a table.
pub(crate) const HEADER: Style = Style::new().bold();
/// A row that asks for attention.
pub(crate) const ATTENTION: Style = AnsiColor::Yellow.on_default();
/// A row of what is there no more.
pub(crate) const GONE: Style = Style::new().dimmed();
/// A row that does not.
pub(crate) const PLAIN: Style = Style::new();

/// When to use colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub(crate) enum Color {
    /// On a terminal, unless `NO_COLOR` or `TERM=dumb` is set
    #[default]
    Auto,
    /// Always
    Always,
    /// Never
    Never,
}

impl Color {
    /// The choice that a word stands for; what it does not know is refused when the command line is parsed.
    pub(crate) fn of(word: Option<&str>) -> Self {
        word.and_then(|word| Self::from_str(word, false).ok())
            .unwrap_or_default()
    }

    /// Makes this the choice for everything that is printed from now on.
    pub(crate) fn apply(self) {
        match self {
            Self::Auto => anstream::ColorChoice::Auto,
            Self::Always => anstream::ColorChoice::Always,
            Self::Never => anstream::ColorChoice::Never,
        }
        .write_global();
    }
}

/// Whether styles on stdout can be seen.
pub(crate) fn on_stdout() -> bool {
    anstream::AutoStream::choice(&std::io::stdout()) != anstream::ColorChoice::Never
}

impl From<Color> for clap::ColorChoice {
    fn from(color: Color) -> Self {
        match color {
            Color::Auto => Self::Auto,
            Color::Always => Self::Always,
            Color::Never => Self::Never,
        }
    }
}
