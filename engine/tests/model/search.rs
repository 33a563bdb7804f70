//! Searching all states of a model.

use std::fmt::Debug;
use std::hash::Hash;

use stateright::{Checker, HasDiscoveries, Model};

/// As many as there are processors on a small machine of a CI.
const THREADS: usize = 2;

/// Visits every state and panics with the shortest way to a violation if there is one. Gives the number of states.
pub(crate) fn exhaust<M>(model: M) -> usize
where
    M: Model + Send + Sync + 'static,
    M::State: Clone + Debug + PartialEq + Hash + Send + Sync + 'static,
    M::Action: Clone + Debug + PartialEq + Send + Sync + 'static,
{
    let found = model.checker().threads(THREADS).spawn_bfs().join();
    found.assert_properties();
    found.unique_state_count()
}

/// Searches until this property is violated, and panics if it never is.
pub(crate) fn find<M>(model: M, property: &'static str)
where
    M: Model + Send + Sync + 'static,
    M::State: Clone + Debug + PartialEq + Hash + Send + Sync + 'static,
    M::Action: Clone + Debug + PartialEq + Send + Sync + 'static,
{
    let search = model
        .checker()
        .threads(THREADS)
        .finish_when(HasDiscoveries::AnyOf([property].into()))
        .spawn_bfs()
        .join();
    let way = search.assert_any_discovery(property);
    assert!(!way.into_actions().is_empty());
}
