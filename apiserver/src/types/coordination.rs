//! `coordination.k8s.io/v1`.

use super::{
    Field,
    FieldType::{Int32, MicroTime, Named, String as Str, Struct},
    StructType,
};

pub(crate) const KINDS: &[&StructType] = &[&LEASE];

static LEASE: StructType = StructType {
    name: "Lease",
    definition: "io.k8s.api.coordination.v1.Lease",
    doc: "Lease defines a lease concept.",
    fields: &[
        Field::api_version(),
        Field::kind(),
        Field::metadata(),
        Field::always(
            2,
            "spec",
            Struct(&LEASE_SPEC),
            "Who holds the lease, and for how long.",
        ),
    ],
};

static LEASE_SPEC: StructType = StructType {
    name: "LeaseSpec",
    definition: "io.k8s.api.coordination.v1.LeaseSpec",
    doc: "LeaseSpec is a specification of a Lease.",
    fields: &[
        Field::pointer(1, "holderIdentity", Str, "Identity of the current holder."),
        Field::pointer(
            2,
            "leaseDurationSeconds",
            Int32,
            "Seconds after renewTime for which candidates have to wait.",
        ),
        Field::pointer(
            3,
            "acquireTime",
            MicroTime,
            "When the current holder acquired the lease.",
        ),
        Field::pointer(
            4,
            "renewTime",
            MicroTime,
            "When the current holder last renewed the lease.",
        ),
        Field::pointer(
            5,
            "leaseTransitions",
            Int32,
            "How often the lease changed holders.",
        ),
        Field::pointer(
            6,
            "strategy",
            Named("v1.CoordinatedLeaseStrategy"),
            "Strategy of coordinated leader election.",
        ),
        Field::pointer(
            7,
            "preferredHolder",
            Str,
            "A holder that would be better; needs a strategy.",
        ),
    ],
};
