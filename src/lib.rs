//! The gwlock command line.
