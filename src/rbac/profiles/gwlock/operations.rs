//! What each operation of gwlock asks, and which operations belong together. What the requests are for is not said here.

use super::permissions::*;
use super::{Operation, Permission};

const ACQUIRE: Operation = Operation {
    name: "acquire",
    needed: &[LEASE_CREATE, LEASE_GET, LEASE_UPDATE],
    // What cannot be handed over or is over is released. What is busy is told with its holder's pod.
    optional: &[LEASE_WATCH, LEASE_DELETE, HOLDER_POD_GET],
};
const RENEW: Operation = Operation {
    name: "renew",
    needed: &[LEASE_GET, LEASE_UPDATE],
    optional: &[],
};
const RELEASE: Operation = Operation {
    name: "release",
    needed: &[LEASE_GET, LEASE_DELETE],
    optional: &[],
};
const VERIFY: Operation = Operation {
    name: "verify",
    needed: &[LEASE_GET],
    optional: &[],
};
const RUN: Operation = Operation {
    name: "run",
    optional: &[LEASE_WATCH, LEASE_DELETE],
    ..ACQUIRE
};
const INSPECT: Operation = Operation {
    name: "inspect",
    needed: &[LEASE_LIST, LEASE_GET],
    optional: &[],
};
/// With keys, `-o wide` or `--evidence`.
const INSPECT_EVIDENCE: Operation = Operation {
    name: "inspect --evidence",
    needed: &[LEASE_LIST, LEASE_GET],
    optional: &[
        HOLDER_POD_GET,
        HOLDER_POD_LIST,
        HOLDER_NODE_GET,
        HOLDER_NODE_LIST,
        REQUEST_LIST,
        BEHIND_GET,
        EVENT_LIST,
    ],
};
const INSPECT_WATCH: Operation = Operation {
    name: "inspect --watch",
    needed: &[LEASE_LIST],
    // It polls without the one, and lists without the other.
    optional: &[LEASE_WATCH, LEASE_GET],
};
const DOCTOR: Operation = Operation {
    name: "doctor",
    needed: &[],
    optional: &[
        LEASE_LIST,
        REQUEST_LIST,
        POD_LIST,
        NAMESPACE_GET,
        DEFINITION_GET,
        ACCESS_REVIEW,
        LOCK_ROLE_LIST,
        LOCK_BINDING_LIST,
        CLUSTER_ROLE_LIST,
        CLUSTER_BINDING_LIST,
    ],
};
const FORCE_EXPIRE: Operation = Operation {
    name: "force-expire",
    needed: &[LEASE_GET, LEASE_DELETE],
    optional: &[EVENT_CREATE, HOLDER_POD_GET, HOLDER_NODE_GET],
};
const GC: Operation = Operation {
    name: "gc",
    needed: &[LEASE_LIST, LEASE_GET, LEASE_DELETE],
    optional: &[],
};
const RESOLVE: Operation = Operation {
    name: "resolve",
    needed: &[REQUEST_LIST, LEASE_GET],
    optional: &[],
};
const DEDUP_LIST: Operation = Operation {
    name: "dedup list",
    needed: &[REQUEST_LIST],
    optional: &[],
};
const DEDUP_CHECK: Operation = Operation {
    name: "dedup check",
    needed: &[REQUEST_LIST],
    optional: &[LEASE_LIST],
};

/// What counting a signal asks, whoever does it.
const COUNTS: &[Permission] = &[
    LEASE_CREATE,
    LEASE_GET,
    LEASE_UPDATE,
    LEASE_DELETE,
    REQUEST_LIST,
    REQUEST_GET,
    REQUEST_CREATE,
    REQUEST_COUNT,
    NAMESPACE_GET,
    POD_GET,
    POD_LIST,
    SERVICE_GET,
    NODE_GET,
    VOLUME_GET,
    CLAIM_GET,
    DEPLOYMENT_GET,
    REPLICA_SET_GET,
    STATEFUL_SET_GET,
    DAEMON_SET_GET,
    JOB_GET,
    CRON_JOB_GET,
    AUTOSCALER_GET,
    BUDGET_GET,
];

const SERVE: Operation = Operation {
    name: "serve",
    needed: COUNTS,
    optional: &[LEASE_WATCH],
};
const SERVE_AUTH: Operation = Operation {
    name: "serve --auth token",
    needed: &[TOKEN_REVIEW, ACCESS_REVIEW],
    optional: &[],
};
const SEND_DIRECT: Operation = Operation {
    name: "send --direct",
    ..SERVE
};
const BENCH_REQUESTS: Operation = Operation {
    name: "bench requests",
    needed: &[
        LEASE_CREATE,
        LEASE_GET,
        LEASE_UPDATE,
        LEASE_DELETE,
        REQUEST_LIST,
        REQUEST_GET,
        REQUEST_CREATE,
        REQUEST_COUNT,
        REQUEST_DELETE,
    ],
    optional: &[LEASE_WATCH],
};
const BENCH_OWN: Operation = Operation {
    name: "bench requests in a namespace of its own",
    needed: &[NAMESPACE_CREATE, NAMESPACE_DELETE],
    optional: &[],
};
/// The replicas that it starts ask as whoever starts them.
const BENCH_SIGNALS: Operation = Operation {
    name: "bench signals",
    needed: &[
        LEASE_CREATE,
        LEASE_GET,
        LEASE_UPDATE,
        LEASE_DELETE,
        LEASE_LIST,
        REQUEST_LIST,
        REQUEST_GET,
        REQUEST_CREATE,
        REQUEST_COUNT,
        REQUEST_DELETE,
    ],
    optional: &[LEASE_WATCH],
};
const BENCH_SIGNALS_OWN: Operation = Operation {
    name: "bench signals in namespaces of its own",
    ..BENCH_OWN
};
const BENCH_LEASE: Operation = Operation {
    name: "bench lease",
    needed: &[LEASE_CREATE, LEASE_GET, LEASE_DELETE, LEASE_LIST],
    optional: &[LEASE_WATCH],
};
/// A pod of a simulation: a replica that looks up nothing but what is there for it, and what others do on a cluster.
const MEMBER: Operation = Operation {
    name: "simulate --member",
    needed: &[
        MEETING_CREATE,
        MEETING_GET,
        MEETING_PATCH,
        LEASE_CREATE,
        LEASE_GET,
        LEASE_UPDATE,
        LEASE_DELETE,
        REQUEST_LIST,
        REQUEST_GET,
        REQUEST_CREATE,
        REQUEST_COUNT,
        SUBJECT_GET,
    ],
    // What others do is left out without, and signals fail that are counted otherwise.
    optional: &[
        LEASE_WATCH,
        LEASE_LIST,
        LEASE_TOUCH,
        REQUEST_DELETE,
        REQUEST_COUNT_WHOLE,
    ],
};
const COLLECT: Operation = Operation {
    name: "simulate collect",
    needed: &[
        SIMULATION_GET,
        HOLDER_POD_LIST,
        HISTORY_GET,
        LEASE_LIST,
        REQUEST_LIST,
    ],
    optional: &[],
};
/// Asked of a server on this machine alone, before something that cannot be taken back: no role is worth it.
const LAB: Operation = Operation {
    name: "force-expire or bench without --yes",
    needed: &[],
    optional: &[NAMESPACE_GET],
};
const COMPLETION: Operation = Operation {
    name: "completion",
    needed: &[],
    optional: &[LEASE_LIST, NAMESPACE_LIST],
};
const CHECK_LIVE: Operation = Operation {
    name: "rbac check --live",
    needed: &[],
    optional: &[
        ROLE_LIST,
        BINDING_LIST,
        CLUSTER_ROLE_LIST,
        CLUSTER_BINDING_LIST,
    ],
};
const CHECK_OTHERS: Operation = Operation {
    name: "rbac check --live --serviceaccount",
    needed: &[ACCESS_REVIEW],
    ..CHECK_LIVE
};

pub(super) const HOLDS: &[Operation] = &[RUN, ACQUIRE, RENEW, RELEASE, VERIFY];
pub(super) const READS: &[Operation] = &[
    INSPECT,
    INSPECT_EVIDENCE,
    INSPECT_WATCH,
    VERIFY,
    RESOLVE,
    DEDUP_LIST,
    DEDUP_CHECK,
];
pub(super) const REPAIRS: &[Operation] = &[
    INSPECT,
    INSPECT_EVIDENCE,
    INSPECT_WATCH,
    VERIFY,
    RESOLVE,
    DEDUP_LIST,
    DEDUP_CHECK,
    DOCTOR,
    FORCE_EXPIRE,
    GC,
];
pub(super) const COLLECTS: &[Operation] = &[GC];
pub(super) const SERVES: &[Operation] = &[SERVE, SERVE_AUTH];

pub(super) const SIMULATES: &[Operation] = &[MEMBER];

pub(super) const READS_ROLES: &[Operation] = &[CHECK_LIVE];

pub(super) const ALL: &[Operation] = &[
    RUN,
    ACQUIRE,
    RENEW,
    RELEASE,
    VERIFY,
    INSPECT,
    INSPECT_EVIDENCE,
    INSPECT_WATCH,
    DOCTOR,
    RESOLVE,
    DEDUP_LIST,
    DEDUP_CHECK,
    FORCE_EXPIRE,
    GC,
    SERVE,
    SERVE_AUTH,
    SEND_DIRECT,
    BENCH_REQUESTS,
    BENCH_OWN,
    BENCH_SIGNALS,
    BENCH_SIGNALS_OWN,
    BENCH_LEASE,
    MEMBER,
    COLLECT,
    LAB,
    COMPLETION,
    CHECK_LIVE,
    CHECK_OTHERS,
];
