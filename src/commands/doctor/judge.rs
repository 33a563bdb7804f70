//! From what was read to checks: which subject judges what, and the roles that let a skipped check be made.

use serde_json::json;

use super::ask::Asker;
use super::facts::{Account, Facts, FirstAnswer, Place};
use super::{connection, permissions};
use crate::context::Cluster;
use crate::doctor::check::{Check, Outcome, Step, Subject, Trouble};
use crate::doctor::gateways::{self, Searched};
use crate::doctor::requests::Place as RequestPlace;
use crate::doctor::rights::{self, Namespaces, Who};
use crate::doctor::{clock, creators, definition, leases, requests, server};
use crate::rbac::requirement::Requirement;

struct Judge<'a> {
    place: Place<'a>,
    facts: &'a Facts,
}

/// All checks, in the order of their subjects.
pub(super) fn all(
    cluster: &Cluster,
    place: Place<'_>,
    asker: &Asker,
    first: &FirstAnswer,
    facts: &Facts,
) -> Vec<Check> {
    let judge = Judge { place, facts };
    let silent = asker.unread().into_iter();
    let silent: Vec<(String, String)> = silent
        .filter_map(|unread| match unread.trouble {
            Trouble::NoAnswer(why) => Some((unread.what, why)),
            _ => None,
        })
        .collect();
    let mut checks = vec![
        connection::kubeconfig(cluster, place.controller),
        server::reachable(&first.version, first.latency, &connection::url(cluster)),
        server::answered(&silent),
        server::lease_api(&facts.lease_api),
        judge.grant(
            server::namespace(&facts.namespace, place.lock),
            "gwlock-doctor-namespaces",
            &permissions::namespaces(),
        ),
        clock::machine(&asker.clocks()),
    ];
    checks.extend(judge.permissions());
    checks.extend(judge.definition());
    checks.extend(judge.pods());
    checks.extend(judge.leases());
    checks.extend(judge.requests());
    // Stable: within a subject they keep their order.
    checks.sort_by_key(|check| check.subject);
    checks
}

impl Judge<'_> {
    fn namespaces(&self) -> Namespaces<'_> {
        Namespaces {
            lock: self.place.lock,
            controller: self.place.controller,
        }
    }

    /// To a check that could not be made for lack of rights the roles that grant them.
    fn grant(&self, check: Check, role: &str, requirements: &[Requirement]) -> Check {
        if check.outcome != Outcome::Skipped || check.evidence["httpStatus"] != 403 {
            return check;
        }
        check.step(permissions::grant(
            role,
            &self.facts.who,
            requirements,
            self.namespaces(),
        ))
    }

    fn permissions(&self) -> Vec<Check> {
        let Facts {
            who,
            look,
            act,
            rbac,
            accounts,
            ..
        } = self.facts;
        let own = self.namespaces();
        let mut checks = vec![
            rights::check(
                "may-look",
                "look at leases and requests",
                who,
                look,
                own,
                "gwlock-look",
            ),
            rights::check(
                "may-act",
                "acquire and remove leases",
                who,
                act,
                own,
                "gwlock-act",
            ),
        ];
        for check in accounts.iter().flat_map(of_account) {
            checks.push(self.grant(check, "gwlock-doctor-reviews", &permissions::reviews()));
        }
        let gateways: Vec<Who> = accounts.iter().map(|account| account.who.clone()).collect();
        checks.push(match rbac {
            Ok(rbac) => creators::check(rbac, self.place.lock, &gateways),
            Err(trouble) => {
                let skipped = Check::skipped(Subject::Permissions, "lease-creators", trouble);
                self.grant(skipped, "gwlock-doctor-rbac", &permissions::rbac())
            }
        });
        checks
    }

    fn definition(&self) -> [Check; 2] {
        let facts = self.facts;
        [
            definition::definition(&facts.definition),
            definition::selectable(&facts.definition, &facts.selectable),
        ]
        .map(|check| {
            let (role, requirements) = match check.name {
                "definition" => ("gwlock-doctor-definition", permissions::definition()),
                _ => ("gwlock-look", permissions::look()),
            };
            self.grant(check, role, &requirements)
        })
    }

    fn pods(&self) -> Vec<Check> {
        let Place {
            lock,
            controller,
            selector,
            ..
        } = self.place;
        let searched = Searched {
            selector,
            namespace: self.facts.pods_in.as_deref(),
        };
        let checks =
            gateways::checks(&self.facts.gateways(), searched, lock, controller).into_iter();
        let pods = permissions::pods();
        checks
            .map(|check| self.grant(check, "gwlock-doctor-pods", &pods))
            .collect()
    }

    fn leases(&self) -> Vec<Check> {
        let lock = self.place.lock;
        match &self.facts.leases {
            Ok(listing) => {
                let requests = self.facts.requests.as_ref().ok();
                let active = requests.map(|groups| requests::active_keys(groups));
                vec![
                    clock::holders(listing),
                    leases::stale(listing, lock),
                    leases::malformed(listing, lock),
                    leases::long_held(listing, lock),
                    leases::count(listing, active, lock),
                ]
            }
            Err(trouble) => [
                (Subject::Clock, "holder-clocks"),
                (Subject::Leases, "stale-leases"),
                (Subject::Leases, "malformed-leases"),
                (Subject::Leases, "long-held-leases"),
                (Subject::Leases, "lease-count"),
            ]
            .map(|(subject, name)| self.skipped_look(subject, name, trouble))
            .into(),
        }
    }

    fn requests(&self) -> Vec<Check> {
        let names = ["active-requests", "request-findings"];
        let skipped = |trouble: &Trouble| {
            names.map(|name| self.skipped_look(Subject::Requests, name, trouble))
        };
        let place = RequestPlace {
            lock: self.place.lock,
            controller: self.place.controller,
        };
        let facts = self.facts;
        match (&facts.requests, facts.date) {
            (Ok(groups), Some(date)) => {
                requests::findings(groups, date, facts.leases.as_ref().ok(), place).into()
            }
            (Ok(_), None) => {
                let why =
                    "the answer has no Date, and requests are not judged by this machine's clock";
                skipped(&Trouble::NotAsked(why.to_owned())).into()
            }
            (Err(trouble), _) => skipped(trouble).into(),
        }
    }

    fn skipped_look(&self, subject: Subject, name: &'static str, trouble: &Trouble) -> Check {
        let skipped = Check::skipped(subject, name, trouble);
        self.grant(skipped, "gwlock-look", &permissions::look())
    }
}

fn of_account(account: &Account) -> Vec<Check> {
    let Account {
        who,
        lock,
        controller,
        asked,
        beyond,
    } = account;
    let namespaces = Namespaces { lock, controller };
    let what = "lock, make and count requests";
    let may = rights::check(
        "gateway-permissions",
        what,
        who,
        asked,
        namespaces,
        "gwlock-gateway",
    );
    let mut checks = vec![may];
    if beyond.iter().any(|asked| asked.granted == Ok(true)) {
        let name = who.username();
        let message = format!(
            "{name} may write the leases of nodes too: a Role for leases in {lock} is enough"
        );
        let evidence = json!({"subject": name, "granted": "update leases.coordination.k8s.io in kube-node-lease"});
        checks.push(
            Check::new(
                Subject::Permissions,
                "gateway-permissions-beyond",
                Outcome::Warning,
                message,
            )
            .with(evidence)
            .step(Step::Kubectl("get clusterrolebindings -o wide".to_owned())),
        );
    }
    checks
}
