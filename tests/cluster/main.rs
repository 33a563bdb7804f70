//! On a real control plane: processes of gwlock's protocol beside processes that speak the gateway's.

mod contention;
