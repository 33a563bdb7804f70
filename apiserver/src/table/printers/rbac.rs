//! Role bindings. Roles have no printer of their own.

use serde_json::{Value, json};

use super::{AGE, NAME, Printer, created, items, name, string, text};

pub(super) static BINDING: Printer = Printer {
    columns: &[
        NAME,
        text("Role", "The role that is granted."),
        AGE,
        text("Users", "Users to whom the role is granted.").wide(),
        text("Groups", "Groups to which the role is granted.").wide(),
        text(
            "ServiceAccounts",
            "Service accounts to which the role is granted.",
        )
        .wide(),
    ],
    cells: |binding, now| {
        let role = &binding["roleRef"];
        vec![
            name(binding),
            json!(format!(
                "{}/{}",
                string(&role["kind"]),
                string(&role["name"])
            )),
            created(binding, now),
            json!(subjects(binding, "User")),
            json!(subjects(binding, "Group")),
            json!(subjects(binding, "ServiceAccount")),
        ]
    },
};

fn subjects(binding: &Value, kind: &str) -> String {
    let names: Vec<String> = items(&binding["subjects"])
        .iter()
        .filter(|subject| subject["kind"] == kind)
        .map(|subject| match kind {
            "ServiceAccount" => format!(
                "{}/{}",
                string(&subject["namespace"]),
                string(&subject["name"])
            ),
            _ => string(&subject["name"]).to_owned(),
        })
        .collect();
    names.join(", ")
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::*;

    #[test]
    fn subjects_are_listed_by_kind() {
        let binding = json!({
            "metadata": {"name": "b"}, "roleRef": {"kind": "Role", "name": "r"},
            "subjects": [
                {"kind": "User", "name": "u"}, {"kind": "User", "name": "v"},
                {"kind": "ServiceAccount", "name": "s", "namespace": "n"},
            ],
        });
        assert_eq!(
            (BINDING.cells)(&binding, Timestamp::UNIX_EPOCH),
            ["b", "Role/r", "<unknown>", "u, v", "", "n/s"]
        );
    }
}
