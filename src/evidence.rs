//! What else is known about the holder of a lease than the lease says, and what that proves.
//!
//! Pure: what an API server answered goes in. Nothing here decides about expiry, which is the engine's alone.

pub mod machine_clock;
