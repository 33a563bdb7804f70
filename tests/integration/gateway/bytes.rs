//! Neither parser ever panics, whatever the bytes.
