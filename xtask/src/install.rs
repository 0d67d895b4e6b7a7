//! What is missing on this machine: installed where that can be done, otherwise named with its remedy.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, bail};

use crate::process::{find, root, run};

const WASM: &str = "wasm32-unknown-unknown";

/// The target of the client.
pub fn wasm_target() -> Result<()> {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let answer = Command::new(rustc)
        .args(["--print", "sysroot"])
        .current_dir(root())
        .output()
        .context("cannot start rustc; install Rust from https://rustup.rs")?;
    let sysroot = String::from_utf8_lossy(&answer.stdout);
    let installed = Path::new(sysroot.trim()).join("lib/rustlib").join(WASM).join("lib");
    if installed.is_dir() {
        return Ok(());
    }
    if find(&["rustup", "rustup.exe"]).is_none() {
        bail!(
            "Rust's target {WASM} is missing, and so is rustup, which would install it.\n\
             Install rustup from https://rustup.rs, or the target through your system's package of Rust."
        );
    }
    println!("Installing Rust's target {WASM} …");
    run(
        Command::new("rustup").args(["target", "add", WASM]).current_dir(root()),
        "installing the target of the client (`rustup target add wasm32-unknown-unknown`)",
    )
}

/// The browser for the tests: `CHROMIUM` from the environment, or what is installed, or through apt.
pub fn chromium() -> Result<PathBuf> {
    if let Some(given) = std::env::var_os("CHROMIUM") {
        let given = PathBuf::from(given);
        if given.is_file() {
            return Ok(given);
        }
        bail!("CHROMIUM names {}, which does not exist", given.display());
    }
    if let Some(found) = find_chromium() {
        return Ok(found);
    }
    apt_install("Chromium", "chromium")?;
    find_chromium()
        .context("the package chromium is installed, but no browser is on the path; set CHROMIUM to its program")
}

fn find_chromium() -> Option<PathBuf> {
    find(&["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"])
}

/// Fonts with Chinese characters; without them the browser draws boxes.
pub fn cjk_fonts() -> Result<()> {
    let listed = Command::new("fc-list").arg(":lang=zh-cn").stderr(Stdio::null()).output();
    if listed.is_ok_and(|answer| !answer.stdout.is_empty()) {
        return Ok(());
    }
    apt_install("a font with Chinese characters", "fonts-noto-cjk")
}

fn apt_install(what: &str, package: &str) -> Result<()> {
    if find(&["apt-get"]).is_none() {
        bail!(
            "{what} is missing. Install it with your system's package manager (on Debian the package is {package})\
             {}.",
            if package == "chromium" { ", and set CHROMIUM to the program if it is not on the path" } else { "" }
        );
    }
    println!("Installing {what} (apt package {package}) …");
    let is_root = fs::metadata("/proc/self").is_ok_and(|metadata| is_owned_by_root(&metadata));
    for arguments in [&["update"][..], &["install", "-y", "--no-install-recommends", package]] {
        let mut command = if is_root {
            Command::new("apt-get")
        } else if find(&["sudo"]).is_some() {
            let mut sudo = Command::new("sudo");
            sudo.arg("apt-get");
            sudo
        } else {
            bail!("{what} is missing. As root: apt-get install {package}");
        };
        command.args(arguments).env("DEBIAN_FRONTEND", "noninteractive");
        run(&mut command, &format!("installing {what} (as root: apt-get install {package})"))?;
    }
    Ok(())
}

#[cfg(unix)]
fn is_owned_by_root(metadata: &fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    metadata.uid() == 0
}

#[cfg(not(unix))]
fn is_owned_by_root(_: &fs::Metadata) -> bool {
    false
}

/// The npm packages under `tests/`, exactly as locked; nothing is done while the lock has not changed.
pub fn npm_packages() -> Result<()> {
    let tests = root().join("tests");
    if !tests.join("package.json").is_file() {
        bail!("tests/package.json is missing: there are no browser tests to install for");
    }
    if find(&["node"]).is_none() || find(&["npm"]).is_none() {
        bail!(
            "node and npm are missing. Install Node.js 20 or later (https://nodejs.org, or apt-get install nodejs npm)."
        );
    }
    let lock = fs::read(tests.join("package-lock.json")).unwrap_or_default();
    let stamp = tests.join("node_modules/.installed-from");
    let expected = format!("{:08x}", crc32fast::hash(&lock));
    if fs::read_to_string(&stamp).is_ok_and(|text| text == expected) {
        return Ok(());
    }
    println!("Installing the npm packages of tests/ …");
    // The system's Chromium is used, so the browsers of Playwright itself are not wanted.
    let mut command = Command::new("npm");
    command
        .arg(if lock.is_empty() { "install" } else { "ci" })
        .args(["--no-audit", "--no-fund"])
        .env("PLAYWRIGHT_SKIP_BROWSER_DOWNLOAD", "1")
        .current_dir(&tests);
    run(&mut command, "installing npm packages (`npm ci` in tests/)")?;
    fs::write(stamp, expected)?;
    Ok(())
}
