//! The arrows between crates: what may depend on what, read from manifests.
//!
//! The table is the architecture page's; a crate missing from it, or an arrow
//! that is not in it, fails the check. Heavy libraries are named with the only
//! crates that may hold them, so that nobody else compiles them.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context as _, Result, bail};

use crate::root;

/// Crate, and the crates of ours that it may depend on.
const ARROWS: &[(&str, &[&str])] = &[
    ("hostler-core", &[]),
    ("hostler-daemon", &[]),
    ("hostler-kubesim", &[]),
    ("hostler-oidc", &[]),
    ("hostler-wasm", &[]),
    ("hostler-js", &[]),
    ("hostler-wire", &["hostler-core"]),
    ("hostler-store", &["hostler-core"]),
    (
        "hostler-agent",
        &["hostler-core", "hostler-wire", "hostler-wasm", "hostler-js"],
    ),
    (
        "hostler-node",
        &["hostler-core", "hostler-wire", "hostler-daemon"],
    ),
    (
        "hostler-runners",
        &["hostler-core", "hostler-wire", "hostler-daemon"],
    ),
    (
        "hostler-kubernetes",
        &["hostler-core", "hostler-daemon", "hostler-runners"],
    ),
    (
        "hostler-aws",
        &["hostler-core", "hostler-daemon", "hostler-runners"],
    ),
    (
        "hostler-libvirt",
        &[
            "hostler-core",
            "hostler-wire",
            "hostler-daemon",
            "hostler-node",
        ],
    ),
    (
        "hostler-control",
        &[
            "hostler-core",
            "hostler-wire",
            "hostler-daemon",
            "hostler-store",
            "hostler-runners",
            "hostler-oidc",
        ],
    ),
    (
        "hostler",
        &[
            "hostler-core",
            "hostler-wire",
            "hostler-daemon",
            "hostler-control",
            "hostler-node",
            "hostler-runners",
            "hostler-kubernetes",
            "hostler-aws",
        ],
    ),
    ("hostler-e2e", EVERYTHING),
];

const EVERYTHING: &[&str] = &[
    "hostler-core",
    "hostler-wire",
    "hostler-daemon",
    "hostler-store",
    "hostler-control",
    "hostler-node",
    "hostler-runners",
    "hostler-kubernetes",
    "hostler-aws",
    "hostler-libvirt",
    "hostler",
];

/// A library, and the only crates that may depend on it.
const KEPT: &[(&str, &[&str])] = &[
    ("openidconnect", &["hostler-oidc"]),
    ("wasmtime", &["hostler-wasm"]),
    ("wasmtime-wasi", &["hostler-wasm"]),
    ("rquickjs", &["hostler-js"]),
    ("sea-orm", &["hostler-store"]),
    ("sea-orm-migration", &["hostler-store"]),
    ("utoipa-swagger-ui", &["hostler-control"]),
    ("landlock", &["hostler-agent", "hostler-node"]),
    ("kube", &["hostler-kubernetes"]),
    ("k8s-openapi", &["hostler-kubernetes"]),
    ("aws-config", &["hostler-aws"]),
    ("aws-sdk-ec2", &["hostler-aws"]),
    ("aws-sdk-autoscaling", &["hostler-aws"]),
    ("virt", &["hostler-libvirt"]),
    ("virt-sys", &["hostler-libvirt"]),
];

/// Fails with every arrow that should not be.
pub(crate) fn check() -> Result<()> {
    let mut wrong = Vec::new();
    for entry in fs::read_dir(root()?.join("crates"))? {
        let manifest = entry?.path().join("Cargo.toml");
        let (name, dependencies) = read(&manifest)?;
        wrong.extend(faults(&name, &dependencies));
    }
    if !wrong.is_empty() {
        bail!("arrows that should not be:\n  {}", wrong.join("\n  "));
    }
    Ok(())
}

fn read(manifest: &Path) -> Result<(String, BTreeSet<String>)> {
    let text = fs::read_to_string(manifest).with_context(|| manifest.display().to_string())?;
    let table: toml::Table = text.parse()?;
    let name = table["package"]["name"]
        .as_str()
        .context("a package has a name")?
        .to_owned();
    let dependencies = table.get("dependencies").and_then(toml::Value::as_table);
    Ok((
        name,
        dependencies
            .map(|table| table.keys().cloned().collect())
            .unwrap_or_default(),
    ))
}

fn faults(name: &str, dependencies: &BTreeSet<String>) -> Vec<String> {
    let Some((_, allowed)) = ARROWS.iter().find(|(from, _)| *from == name) else {
        return vec![format!(
            "{name} is not in the table of arrows (xtask/src/arrows.rs)"
        )];
    };
    let is_fault = |dependency: &&String| {
        let ours = dependency.starts_with("hostler") && !allowed.contains(&dependency.as_str());
        let kept = KEPT
            .iter()
            .any(|(library, by)| dependency == library && !by.contains(&name));
        ours || kept
    };
    dependencies
        .iter()
        .filter(is_fault)
        .map(|to| format!("{name} -> {to}"))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, dependencies: &[&str], expected: &[&str]) {
        let dependencies = dependencies.iter().map(ToString::to_string).collect();
        assert_eq!(faults(name, &dependencies), expected);
    }

    #[test]
    fn only_arrows_of_the_table_are_allowed() {
        check("hostler-wire", &["hostler-core", "serde"], &[]);
        check(
            "hostler-core",
            &["hostler-wire"],
            &["hostler-core -> hostler-wire"],
        );
        check("hostler-node", &["wasmtime"], &["hostler-node -> wasmtime"]);
        assert_eq!(faults("hostler-new", &BTreeSet::new()).len(), 1);
    }

    #[test]
    fn the_workspace_keeps_its_arrows() {
        super::check().expect("the arrows hold");
    }
}
