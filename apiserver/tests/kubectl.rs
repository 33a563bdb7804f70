//! Real kubectl against both servers: what it prints has to be the same, to the letter.
//!
//! Only what differs between any two servers is masked: uids, versions, times and ages. kubectl comes with the control
//! plane, so that without one nothing here runs.

mod kubectl {
    mod access;
    mod changing;
    mod creating;
    mod deleting;
    mod getting;
    mod mask;
    mod requests;
    mod run;
    mod transcripts;
    mod watching;
}
