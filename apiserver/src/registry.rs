//! Which kinds the server serves: built-in kinds and those that stored CustomResourceDefinitions add.
//!
//! The registry describes kinds and finds them by path. It must not hold objects, and it must not know how a
//! request is answered: every rule about a kind that another module applies stands here as data.

mod builtin;
pub(crate) mod scheme;

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::Value;

use crate::fields::Shape;
use crate::schema::Schema;

/// Everything the server knows about one resource in one API version.
#[derive(Debug, Clone)]
pub struct Resource {
    /// API group; empty for the core group.
    pub group: String,
    /// Version within the group, such as `v1`.
    pub version: String,
    /// Plural name, as it stands in paths.
    pub plural: String,
    /// Singular name.
    pub singular: String,
    /// Kind of one object.
    pub kind: String,
    /// Kind of a list of objects.
    pub list_kind: String,
    /// Short names that kubectl accepts.
    pub short_names: Vec<String>,
    /// Categories, such as `all`.
    pub categories: Vec<String>,
    /// Whether objects live in a namespace.
    pub scope: Scope,
    /// The verbs that are served.
    pub verbs: Vec<Verb>,
    /// The subresources that are served.
    pub subresources: Vec<Subresource>,
    /// Fields besides `metadata.name` and `metadata.namespace` that a field selector may name.
    pub selectable_fields: Vec<SelectableField>,
    /// How an unknown field in a field selector is refused.
    pub selector_wording: SelectorWording,
    /// What a write may do.
    pub write: WriteRules,
    /// Where the objects come from.
    pub origin: Origin,
    /// The name of the table that keeps the objects; two versions or groups may share one.
    pub stored_as: String,
}

/// Whether objects of a kind live in a namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Objects live in a namespace.
    Namespaced,
    /// Objects belong to the whole cluster.
    Cluster,
}

/// A verb as discovery, authorization and audit name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Verb {
    /// POST to a collection.
    Create,
    /// DELETE of one object.
    Delete,
    /// DELETE of a collection.
    DeleteCollection,
    /// GET of one object.
    Get,
    /// GET of a collection.
    List,
    /// PATCH of one object.
    Patch,
    /// PUT of one object.
    Update,
    /// GET with `watch=true`.
    Watch,
}

/// A subresource of a stored kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subresource {
    /// `/status`: the observed half of an object, written apart from its specification.
    Status,
}

/// A field that a field selector may name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SelectableField {
    /// The name in the selector, such as `spec.nodeName`.
    pub name: String,
    /// Where the value stands in the stored object, as a JSON pointer.
    pub pointer: String,
}

/// The two ways in which Kubernetes words the refusal of an unknown field selector.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SelectorWording {
    /// `"x" is not a known field selector: only "metadata.name", "metadata.namespace"`.
    Metadata,
    /// `field label not supported: x`.
    Label,
}

/// What a write to a kind may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WriteRules {
    /// A PUT of a name that does not exist creates it.
    pub create_on_update: bool,
    /// A PUT may leave out `metadata.resourceVersion`.
    pub unconditional_update: bool,
    /// `metadata.generation` counts the changes of the specification.
    pub generation: bool,
}

/// Where the objects of a kind come from.
#[derive(Debug, Clone)]
pub enum Origin {
    /// Kept in the store, under a kind that the server brings along.
    BuiltIn,
    /// Not kept: an object is posted and answered, as `SelfSubjectAccessReview` is.
    Review,
    /// Kept in the store, under a kind that a CustomResourceDefinition defines.
    Custom(Arc<CustomKind>),
}

/// What a CustomResourceDefinition says about one version beyond names and scope.
#[derive(Debug, Clone)]
pub struct CustomKind {
    /// Name of the CustomResourceDefinition.
    pub definition: String,
    /// Name of the version in which objects are stored.
    pub storage_version: String,
    /// `openAPIV3Schema` of this version.
    pub schema: Value,
    /// The same, ready to be applied.
    pub compiled: Schema,
    /// `additionalPrinterColumns` of this version, in their order.
    pub printer_columns: Vec<Value>,
}

/// The served kinds, found by group, version and plural name.
#[derive(Debug, Clone, Default)]
pub struct Registry {
    groups: BTreeMap<String, Group>,
}

/// One API group.
#[derive(Debug, Clone, Default)]
pub struct Group {
    /// Versions by priority; the first is the preferred one.
    pub versions: Vec<GroupVersion>,
}

/// One version of an API group.
#[derive(Debug, Clone)]
pub struct GroupVersion {
    /// Such as `v1`.
    pub version: String,
    /// Resources by plural name.
    pub resources: BTreeMap<String, Arc<Resource>>,
}

impl Verb {
    /// Every verb of a stored kind, in the order in which discovery lists them.
    pub const ALL: [Verb; 8] = [
        Verb::Create,
        Verb::Delete,
        Verb::DeleteCollection,
        Verb::Get,
        Verb::List,
        Verb::Patch,
        Verb::Update,
        Verb::Watch,
    ];

    /// The verb in lower case.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Verb::Create => "create",
            Verb::Delete => "delete",
            Verb::DeleteCollection => "deletecollection",
            Verb::Get => "get",
            Verb::List => "list",
            Verb::Patch => "patch",
            Verb::Update => "update",
            Verb::Watch => "watch",
        }
    }

    /// Whether the verb can change the store.
    #[must_use]
    pub const fn is_write(self) -> bool {
        !matches!(self, Verb::Get | Verb::List | Verb::Watch)
    }
}

impl Subresource {
    /// The last segment of the path.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Subresource::Status => "status",
        }
    }
}

impl Resource {
    /// Whether objects live in a namespace.
    #[must_use]
    pub fn is_namespaced(&self) -> bool {
        self.scope == Scope::Namespaced
    }

    /// Whether `/status` is served.
    #[must_use]
    pub fn has_status(&self) -> bool {
        self.subresources.contains(&Subresource::Status)
    }

    /// The value of `apiVersion` in objects of this kind.
    #[must_use]
    pub fn api_version(&self) -> String {
        if self.group.is_empty() {
            self.version.clone()
        } else {
            format!("{}/{}", self.group, self.version)
        }
    }

    /// The name of the resource as error messages print it: `leases.coordination.k8s.io`, `pods`.
    #[must_use]
    pub fn qualified_plural(&self) -> String {
        if self.group.is_empty() {
            self.plural.clone()
        } else {
            format!("{}.{}", self.plural, self.group)
        }
    }

    /// The kind as error messages print it: `Lease.coordination.k8s.io`, `Pod`.
    #[must_use]
    pub fn qualified_kind(&self) -> String {
        if self.group.is_empty() {
            self.kind.clone()
        } else {
            format!("{}.{}", self.kind, self.group)
        }
    }

    /// How the parts of an object of this kind merge.
    #[must_use]
    pub(crate) fn shape(&self) -> Shape<'_> {
        match &self.origin {
            Origin::Custom(kind) => Shape::custom(&kind.schema),
            Origin::BuiltIn | Origin::Review => Shape::BUILT_IN,
        }
    }

    /// What the CustomResourceDefinition says, for the kinds that have one.
    #[must_use]
    pub fn custom(&self) -> Option<&Arc<CustomKind>> {
        match &self.origin {
            Origin::Custom(kind) => Some(kind),
            Origin::BuiltIn | Origin::Review => None,
        }
    }
}

impl Registry {
    /// The kinds that the server brings along.
    #[must_use]
    pub fn built_in() -> Self {
        let mut registry = Self::default();
        for resource in builtin::resources() {
            registry.insert(resource);
        }
        registry
    }

    /// Finds a resource by the three parts of its path.
    #[must_use]
    pub fn resource(&self, group: &str, version: &str, plural: &str) -> Option<&Arc<Resource>> {
        self.version(group, version)?.resources.get(plural)
    }

    /// Finds one version of a group.
    #[must_use]
    pub fn version(&self, group: &str, version: &str) -> Option<&GroupVersion> {
        self.groups
            .get(group)?
            .versions
            .iter()
            .find(|candidate| candidate.version == version)
    }

    /// Finds a group; the core group has the empty name.
    #[must_use]
    pub fn group(&self, group: &str) -> Option<&Group> {
        self.groups.get(group)
    }

    /// Every group with its name, the core group first.
    pub fn groups(&self) -> impl Iterator<Item = (&str, &Group)> {
        self.groups
            .iter()
            .map(|(name, group)| (name.as_str(), group))
    }

    /// Adds a resource, or replaces the one under the same group, version and plural name.
    pub fn insert(&mut self, resource: Resource) {
        let group = self.groups.entry(resource.group.clone()).or_default();
        let position = match group
            .versions
            .iter()
            .position(|candidate| candidate.version == resource.version)
        {
            Some(position) => position,
            None => {
                group.versions.push(GroupVersion {
                    version: resource.version.clone(),
                    resources: BTreeMap::new(),
                });
                group.versions.len() - 1
            }
        };
        group.versions[position]
            .resources
            .insert(resource.plural.clone(), Arc::new(resource));
    }

    /// Removes a resource from every version of its group, as the deletion of its CustomResourceDefinition does.
    pub fn remove(&mut self, group: &str, plural: &str) {
        let Some(entry) = self.groups.get_mut(group) else {
            return;
        };
        for version in &mut entry.versions {
            version.resources.remove(plural);
        }
        entry
            .versions
            .retain(|version| !version.resources.is_empty());
        if entry.versions.is_empty() {
            self.groups.remove(group);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lease_is_found_by_its_path_and_names_itself_as_kubernetes_does() {
        let registry = Registry::built_in();
        let lease = registry
            .resource("coordination.k8s.io", "v1", "leases")
            .expect("leases are built in");
        assert_eq!(lease.qualified_plural(), "leases.coordination.k8s.io");
        assert_eq!(lease.qualified_kind(), "Lease.coordination.k8s.io");
        assert_eq!(lease.api_version(), "coordination.k8s.io/v1");
        assert_eq!(
            lease.write,
            WriteRules {
                create_on_update: true,
                unconditional_update: false,
                generation: false
            }
        );
    }

    #[test]
    fn the_core_group_has_no_suffix_and_comes_first() {
        let registry = Registry::built_in();
        let pod = registry
            .resource("", "v1", "pods")
            .expect("pods are built in");
        assert_eq!(
            (
                pod.qualified_plural(),
                pod.qualified_kind(),
                pod.api_version()
            ),
            ("pods".into(), "Pod".into(), "v1".into())
        );
        assert_eq!(registry.groups().next().map(|(name, _)| name), Some(""));
    }

    #[test]
    fn a_group_without_resources_is_no_longer_listed() {
        let mut registry = Registry::built_in();
        registry.remove("coordination.k8s.io", "leases");
        assert!(registry.group("coordination.k8s.io").is_none());
    }
}
