//! What is no manifest ends with 65, with its place, and in bounds.

use std::fs;

use super::{check, gwlock};

/// An alias bomb: nine levels of nine.
fn bomb() -> String {
    let mut text = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n".to_owned();
    for level in 1..10 {
        let names = vec![format!("*a{}", level - 1); 9].join(", ");
        text.push_str(&format!("a{level}: &a{level} [{names}]\n"));
    }
    text
}

#[test]
fn what_cannot_be_read_is_refused_with_line_and_column() {
    for (text, expected) in [
        ("a: b\n  c: [", "<stdin>:2:"),
        (
            "just a text\n",
            "<stdin>:1:1: no Kubernetes object: it has to be a mapping",
        ),
        (
            "- a\n- b\n",
            "<stdin>:1:1: no Kubernetes object: it has to be a mapping",
        ),
        (
            "replicaCount: 3\nimage: x\n",
            "<stdin>:1:1: no Kubernetes object: it has no apiVersion and kind",
        ),
        (
            "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n---\nfoo: bar\n",
            "<stdin>:5:1: no Kubernetes object: it has no apiVersion and kind",
        ),
        (
            "apiVersion: v1\nkind: Pod\nmetadata:\n  name: {{ .Release.Name }}\n",
            "<stdin>:4:9: this is a template, {{, that has to be rendered first: helm template",
        ),
        (
            "apiVersion: v1\nkind: Pod\n# {{ a comment }}\n{{- if .Values.x }}\nmetadata:\n",
            "<stdin>:4:1: this is a template, {{, that has to be rendered first: helm template",
        ),
        (
            "apiVersion: v1\nkind: Pod\nmetadata:\n  name: gw-{{ .Release.Name }}\n",
            "<stdin>:4:9: name is a template, {{, that has to be rendered first: helm template",
        ),
        (
            "apiVersion: v1\nkind: Pod\nmetadata:\n  name: \"{{ .Release.Name }}\"\n",
            "<stdin>:4:9: name is a template, {{, that has to be rendered first: helm template",
        ),
        (
            "a: &a [*a]\n",
            "<stdin>:1:8: an alias stands within what it names",
        ),
        (
            "a: &a {b: *a}\n",
            "<stdin>:1:11: an alias stands within what it names",
        ),
        ("a: *nothing\n", "<stdin>:1:4: no YAML: "),
        (
            "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: a}\nrules:\n- verbs: get\n",
            "<stdin>:5:10: verbs is a number, a boolean or a word, and has to be a list",
        ),
        (
            "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: a}\nrules: {verbs: [get]}\n",
            "<stdin>:4:8: rules is a mapping, and has to be a list",
        ),
        (
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: 5}\n",
            "<stdin>:3:18: name is a number, a boolean or a word, and has to be a text",
        ),
        (
            "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\nspec: {replicas: many}\n",
            "<stdin>:4:18: replicas is a number, a boolean or a word, and has to be a number",
        ),
        (
            "apiVersion: rbac.authorization.k8s.io/v1\nkind: RoleBinding\nmetadata: {name: a}\n",
            "<stdin>:1:1: RoleBinding a has no roleRef",
        ),
        ("a: b\0c\n", "<stdin>:1:5: no text: this is a NUL byte"),
        ("", "no Kubernetes objects in stdin: it is empty"),
        (
            "---\n# nothing\n---\n",
            "no Kubernetes objects in stdin: it is empty",
        ),
        (
            "apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\nmetadata: {name: a}\nrules: []\n",
            "no workload in the files, so that nobody knows whose rights are meant",
        ),
    ] {
        let run = gwlock(&["-f", "-"]).stdin(text).run();
        assert_eq!(run.code, 65, "{text}: {}", run.stderr);
        assert!(run.stdout.is_empty(), "{text}: {}", run.stdout);
        let error = run.stderr.lines().next().unwrap();
        assert!(
            error.starts_with(&format!("error: {expected}")),
            "{text}: {error}"
        );
    }
}

#[test]
fn what_grows_when_it_is_read_is_refused() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let block: String = (0..2000)
        .map(|at| format!("{}- \n", "  ".repeat(at)))
        .collect();
    let chain: String = (0..100_000)
        .map(|at| match at {
            0 => "- &a0 [x]\n".to_owned(),
            at => format!("- &a{at} [*a{}]\n", at - 1),
        })
        .collect();
    for (name, text, expected) in [
        ("bomb", bomb(), "values, with what its aliases repeat"),
        ("deep", deep, "<stdin>:1:"),
        ("block", block, "<stdin>:"),
        ("chain", chain, "values, with what its aliases repeat"),
    ] {
        let run = gwlock(&["-f", "-"]).stdin(&text).run();
        assert_eq!(run.code, 65, "{name}: {}", run.stderr);
        assert!(run.stderr.contains(expected), "{name}: {}", run.stderr);
    }
}

#[test]
fn files_that_are_none_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    fs::write(at("binary.yaml"), [b'a', b'\n', b'b', 0xff, 0xfe]).unwrap();
    fs::create_dir(at("empty")).unwrap();
    fs::create_dir(at("kustomize")).unwrap();
    fs::write(at("kustomize/kustomization.yaml"), "resources: []\n").unwrap();
    for (path, expected) in [
        (
            at("binary.yaml"),
            "binary.yaml:2:2: no text: this is no UTF-8",
        ),
        (at("nothing.yaml"), "cannot read "),
        (at("empty"), "no file ends with .yaml, .yml or .json"),
        (at("kustomize"), "kustomize build "),
    ] {
        let run = check(&["-f", &path]);
        assert_eq!(run.code, 65, "{path}: {}", run.stderr);
        assert!(run.stderr.contains(expected), "{path}: {}", run.stderr);
    }
}
