//! What others' code asks of us: licences, and where it comes from, by the lists in `deny.toml`. The part of cargo-deny that needs nothing
//! but `cargo metadata`, so that it can be part of `cargo xtask tidy`; and the way to the whole of it.

use std::collections::BTreeSet;
use std::process::Command;

use anyhow::{Context, Result, bail};
use serde_json::Value;
use spdx::{Expression, ParseMode};

use crate::process::{cargo, root, run as run_program};
use crate::tidy::Problem;

/// Whom we compile for; nobody else's dependencies are shipped, and only these are surely on this machine.
const PLATFORMS: [&str; 2] = ["x86_64-unknown-linux-gnu", "wasm32-unknown-unknown"];
const REGISTRY: &str = "registry+https://github.com/rust-lang/crates.io-index";

/// `cargo xtask deny`: advisories, licences, bans and sources, where cargo-deny is installed.
pub fn deny() -> Result<()> {
    if !cargo(["deny", "--version"]).output().is_ok_and(|answer| answer.status.success()) {
        bail!(
            "cargo-deny is not installed. `cargo install --locked cargo-deny` builds it in some ten minutes on two cores; licences and \
             sources are also checked by `cargo xtask tidy`, without it"
        );
    }
    run_program(&mut cargo(["deny", "check", "licenses", "bans", "sources"]), "licences, bans and sources")?;
    // Needs the internet once, for its list.
    run_program(&mut cargo(["deny", "check", "advisories"]), "advisories")
}

/// Looks for packages whose licence is not on the list, or that come from elsewhere.
pub fn check() -> Result<Vec<Problem>> {
    let file = root().join("deny.toml");
    let text = std::fs::read_to_string(&file).context("cannot read deny.toml")?;
    let allowed = allowed(&text)?;
    let mut problems = BTreeSet::new();
    for platform in PLATFORMS {
        for package in packages(platform)? {
            problems.extend(judge(&package, &allowed));
        }
    }
    Ok(problems.into_iter().map(|message| Problem::new(&file, 1, message)).collect())
}

/// The licences in `allow`.
fn allowed(deny: &str) -> Result<BTreeSet<String>> {
    let (_, list) = deny.split_once("\nallow = [").context("deny.toml has no list of licences")?;
    let (list, _) = list.split_once(']').context("deny.toml's list of licences has no end")?;
    let names: BTreeSet<String> = list.split('"').skip(1).step_by(2).map(str::to_owned).collect();
    if names.is_empty() { bail!("deny.toml allows no licence") } else { Ok(names) }
}

struct Package {
    name: String,
    licence: Option<String>,
    source: Option<String>,
}

/// All packages that are compiled for a platform.
fn packages(platform: &str) -> Result<Vec<Package>> {
    let mut command: Command = cargo(["metadata", "--format-version", "1", "--locked", "--filter-platform", platform]);
    let answer = command.output().context("cargo metadata")?;
    if !answer.status.success() {
        bail!("cargo metadata: {}", String::from_utf8_lossy(&answer.stderr));
    }
    let metadata: Value = serde_json::from_slice(&answer.stdout)?;
    let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
    let used: BTreeSet<String> =
        list(&metadata["resolve"]["nodes"]).iter().filter_map(|node| node["id"].as_str().map(str::to_owned)).collect();
    let text = |value: &Value| value.as_str().map(str::to_owned);
    let packages = list(&metadata["packages"]);
    let packages = packages.iter().filter(|package| package["id"].as_str().is_some_and(|id| used.contains(id)));
    Ok(packages
        .map(|package| Package {
            name: format!("{} {}", package["name"].as_str().unwrap_or("?"), package["version"].as_str().unwrap_or("?")),
            licence: text(&package["license"]),
            source: text(&package["source"]),
        })
        .collect())
}

/// What is wrong with a package.
fn judge(package: &Package, allowed: &BTreeSet<String>) -> Option<String> {
    let Package { name, licence, source } = package;
    if source.as_deref().is_some_and(|source| source != REGISTRY) {
        return Some(format!("{name} comes from {}", source.as_deref().unwrap_or_default()));
    }
    let Some(licence) = licence else { return Some(format!("{name} does not say its licence")) };
    let Ok(expression) = Expression::parse_mode(licence, ParseMode::LAX) else {
        return Some(format!("{name}: the licence `{licence}` cannot be read"));
    };
    let fits = expression.evaluate(|wanted| allowed.contains(&wanted.to_string()));
    (!fits).then(|| format!("{name}: the licence `{licence}` is not on the list"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn package(licence: &str) -> Package {
        Package { name: "p 1.0.0".into(), licence: Some(licence.into()), source: Some(REGISTRY.into()) }
    }

    #[test]
    fn licences_are_judged_by_the_list() {
        let allowed = BTreeSet::from(["MIT".to_owned(), "Apache-2.0".to_owned(), "Unicode-3.0".to_owned()]);
        for good in ["MIT", "MIT OR GPL-3.0-only", "MIT/Apache-2.0", "(MIT OR Apache-2.0) AND Unicode-3.0"] {
            assert_eq!(judge(&package(good), &allowed), None, "{good}");
        }
        for bad in ["GPL-3.0-only", "MIT AND GPL-3.0-only", "Apache-2.0 WITH LLVM-exception", "whatever"] {
            assert!(judge(&package(bad), &allowed).is_some(), "{bad}");
        }
        let elsewhere = Package { source: Some("git+https://example.com/x".into()), ..package("MIT") };
        assert!(judge(&elsewhere, &allowed).is_some());
        assert!(judge(&Package { licence: None, ..package("") }, &allowed).is_some());
    }

    #[test]
    fn everything_we_build_on_is_on_the_list() -> Result<()> {
        let problems = check()?;
        assert!(problems.is_empty(), "{problems:?}");
        assert!(packages(PLATFORMS[0])?.len() > 200, "all of it was looked at");
        Ok(())
    }
}
