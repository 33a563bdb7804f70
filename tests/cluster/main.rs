//! On a real control plane: processes of gwlock's protocol beside processes that speak the gateway's, and what a gateway
//! assumes of an API server.

mod contention;
mod gateway;
