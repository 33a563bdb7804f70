//! The dedup protocol on the embedded API server, under a paused clock: real client code, no network, no waiting.

mod chaos;
mod counting;
mod creating;
mod rehearsing;
mod together;
mod world;
