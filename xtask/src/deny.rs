//! The part of `cargo deny` that needs neither its program nor a network:
//! every crate in the lock file has a licence of `deny.toml`, comes from the
//! registry, and is none of the banned ones. Known vulnerabilities are not
//! looked up here; that takes `cargo deny check advisories`.

use std::collections::BTreeSet;

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;

use crate::{root, tool};

#[derive(Deserialize)]
struct Rules {
    licenses: Licenses,
    bans: Bans,
}

#[derive(Deserialize)]
struct Licenses {
    allow: BTreeSet<String>,
}

#[derive(Deserialize)]
struct Bans {
    deny: Vec<Banned>,
}

#[derive(Deserialize)]
struct Banned {
    #[serde(rename = "crate")]
    name: String,
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    version: String,
    license: Option<String>,
    /// `None`: it lies in this workspace.
    source: Option<String>,
}

/// Fails with every crate that is not allowed.
pub(crate) fn check() -> Result<()> {
    let rules = std::fs::read_to_string(root()?.join("deny.toml"))?;
    let rules: Rules = toml::from_str(&rules).context("deny.toml")?;
    let arguments = ["metadata", "--format-version", "1", "--all-features"];
    let told = tool("cargo", &arguments)?.output()?;
    anyhow::ensure!(told.status.success(), "cargo metadata failed");
    let metadata: Metadata = serde_json::from_slice(&told.stdout)?;
    let faults: Vec<String> = metadata
        .packages
        .iter()
        .filter_map(|package| fault(&rules, package))
        .collect();
    if !faults.is_empty() {
        bail!("not allowed by deny.toml:\n  {}", faults.join("\n  "));
    }
    Ok(())
}

/// What is wrong with a crate, if anything.
fn fault(rules: &Rules, package: &Package) -> Option<String> {
    let source = package.source.as_deref()?;
    let Package { name, version, .. } = package;
    if rules.bans.deny.iter().any(|banned| banned.name == *name) {
        return Some(format!("{name} {version} is banned"));
    }
    if !source.starts_with("registry+") {
        return Some(format!("{name} {version} comes from {source}"));
    }
    let license = package.license.as_deref().unwrap_or("none");
    let is_allowed = |one: &spdx::LicenseReq| rules.licenses.allow.contains(&one.to_string());
    let allowed = spdx::Expression::parse_mode(license, spdx::ParseMode::LAX)
        .is_ok_and(|expression| expression.evaluate(is_allowed));
    (!allowed).then(|| format!("{name} {version} has the licence {license}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, source: Option<&str>, license: &str, expected: Option<&str>) {
        let rules = "licenses = { allow = ['MIT', 'Apache-2.0 WITH LLVM-exception'] }\n\
                     bans = { deny = [{ crate = 'openssl-sys' }] }";
        let package = Package {
            name: name.to_owned(),
            version: "1.0.0".to_owned(),
            license: Some(license.to_owned()),
            source: source.map(str::to_owned),
        };
        let found = fault(&toml::from_str(rules).unwrap(), &package);
        assert_eq!(found.is_some(), expected.is_some(), "{found:?}");
        assert!(
            found
                .unwrap_or_default()
                .contains(expected.unwrap_or_default())
        );
    }

    #[test]
    fn a_crate_is_allowed_by_name_source_and_licence() {
        let registry = Some("registry+https://example.org/index");
        check("serde", registry, "MIT OR Apache-2.0", None);
        check("serde", registry, "MIT/Apache-2.0", None);
        check("llvm", registry, "Apache-2.0 WITH LLVM-exception", None);
        check("copyleft", registry, "AGPL-3.0", Some("licence AGPL-3.0"));
        check("both", registry, "MIT AND GPL-3.0", Some("licence"));
        check("openssl-sys", registry, "MIT", Some("banned"));
        check(
            "fork",
            Some("git+https://example.org"),
            "MIT",
            Some("comes from"),
        );
        check("ours", None, "none", None);
    }
}
