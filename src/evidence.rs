//! What else is known about the holder of a lease than the lease says, and what that proves.
//!
//! Pure: what an API server answered goes in. Nothing here decides about expiry, which is the engine's alone. A finding
//! is data; commands put it into words.

pub mod acquisition;
pub mod findings;
pub mod holder;
pub mod machine_clock;
pub mod pod;
pub mod shared_name;
pub mod timeline;
