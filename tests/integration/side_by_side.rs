//! The gateway's protocol for signals and ours on the same embedded server, under a paused clock: what each costs, and
//! what only one of them does right.

mod counting;
mod creating;
mod requests;
mod waiting;
mod world;
