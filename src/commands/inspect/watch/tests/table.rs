//! Frames of the live table.
