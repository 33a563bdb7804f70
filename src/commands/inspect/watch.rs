//! `inspect --watch`: on a terminal a live table, and otherwise a row for every change, and one when a lease expires, which
//! changes nothing on the server.
//!
//! Arrows: `follow` finds out what is new, by what `pending` says is to be read of the `source`, and tells a view: `rows`,
//! or a `live` table on a `screen`.

mod follow;
mod known;
mod live;
mod pending;
mod rows;
mod screen;
mod source;
#[cfg(test)]
mod tests;

use futures_util::stream;
use gwlock_engine::client::SystemClock;
use gwlock_engine::client::list::Listing;
use gwlock_engine::protocol::key::LeaseName;

use super::Arguments;
use crate::context::{Cluster, of_terminal, variable};
use crate::exit::Exit;
use crate::failure::Failure;
use crate::output::escape::escape_line;
use crate::output::{self, colour, live as terminal};
use crate::rbac::Rule;

use follow::Follower;
use live::Settings;
use rows::Rows;
use screen::Screen;
use source::Source;

/// A lease: its namespace and its name.
type Lease = (String, String);

/// Shows what there is, then every change of it.
pub(super) async fn run(
    arguments: &Arguments,
    keys: &[LeaseName],
    cluster: &Cluster,
    listing: Listing,
) -> Result<Exit, Failure> {
    let source = Source {
        arguments,
        keys,
        cluster,
        clock: &SystemClock,
    };
    let namespace = arguments.namespace(cluster);
    if !arguments.is_table() || !terminal::is_possible(variable("TERM").as_deref()) {
        let rows = Rows::new(arguments, namespace);
        return Follower::new(source, rows)
            .run(listing, stream::pending())
            .await;
    }
    let signals = of_terminal().map_err(|error| Failure::new(Exit::Bug, error))?;
    let settings = Settings {
        namespace: namespace.map(str::to_owned),
        detail: arguments.detail(false),
        no_headers: arguments.no_headers,
        coloured: colour::on_stdout(),
    };
    let mut follower = Follower::new(source, Screen::new(settings));
    let ended = follower.run(listing, signals).await;
    if let Some(message) = follower.into_view().close()? {
        polling_note(&message, namespace);
    }
    ended
}

/// Says why lists take the place of a watch; `message` is the server's.
fn polling_note(message: &str, namespace: Option<&str>) {
    let rule = Rule {
        group: "coordination.k8s.io",
        resource: "leases",
        verb: "watch",
        namespace,
    };
    let message = escape_line(message);
    output::note(&format!(
        "watching is not allowed, so the leases are polled: {message}"
    ));
    let hint = format!("the rule that is missing:\n{rule}");
    output::problem("hint", colour::HINT, &hint);
}
