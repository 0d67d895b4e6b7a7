//! Makes the server follow the client: it is embedded again whenever `client/dist` changes.

use std::path::Path;
use std::{env, fs};

fn main() -> std::io::Result<()> {
    let dist = Path::new(&env::var_os("CARGO_MANIFEST_DIR").unwrap_or_default()).join("..").join("client").join("dist");
    // On a clean clone there is no client yet. An empty folder can be watched; a missing one would rebuild the server every time.
    fs::create_dir_all(&dist)?;
    println!("cargo::rerun-if-changed={}", dist.display());
    println!("cargo::rerun-if-changed=build.rs");
    Ok(())
}
