//! Makes `client/dist`, which the server embeds: WebAssembly, its JavaScript, one style sheet and a page that loads them.
//!
//! Every file that the page loads carries a hash of its content in its name, so browsers may keep it for ever.

use std::fs;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::thread;

use anyhow::{Context, Result, bail};
use flate2::{Compression, write::GzEncoder};

use crate::process::{cargo, files_under, root, run, shown, target_dir};
use crate::{bind, css, install};

/// Where the page wants its links and scripts.
const PLACE: &str = "<!-- tablehop:load -->";

/// What is worth compressing.
const TEXT: [&str; 9] = ["html", "js", "css", "wasm", "svg", "json", "webmanifest", "txt", "map"];

/// How much time a build may take for a smaller and quicker result.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub enum Mode {
    /// As small as it gets.
    Release,
    /// Soon there, for working on it.
    Dev,
}

impl Mode {
    /// What `--dev` asks for.
    pub fn from_flag(dev: bool) -> Self {
        if dev { Self::Dev } else { Self::Release }
    }

    fn profile(self) -> &'static str {
        match self {
            Self::Release => "wasm",
            Self::Dev => "dev",
        }
    }

    /// The folder cargo names after the profile.
    fn folder(self) -> &'static str {
        match self {
            Self::Release => "wasm",
            Self::Dev => "debug",
        }
    }

    /// Of brotli, 0 to 11.
    fn brotli_quality(self) -> i32 {
        match self {
            Self::Release => 11,
            Self::Dev => 5,
        }
    }

    fn gzip_level(self) -> Compression {
        match self {
            Self::Release => Compression::best(),
            Self::Dev => Compression::fast(),
        }
    }
}

/// Compiles the client and replaces `client/dist` if anything in it would change; prints what the browser loads.
pub fn build(mode: Mode) -> Result<()> {
    install::wasm_target()?;
    println!("1/4 Client: compiling to WebAssembly ({} profile) …", mode.profile());
    let mut compile = cargo(["build", "--package", "tablehop-client", "--target", "wasm32-unknown-unknown"]);
    run(compile.args(["--profile", mode.profile()]), "compiling the client")?;

    let sources = Sources::read(mode)?;
    let dist = root().join("client/dist");
    let stamp = target_dir().join("client.stamp");
    let expected = |listing: &str| format!("{:016x}\n{listing}", sources.key(mode));
    let is_current =
        fs::read_to_string(&stamp).is_ok_and(|text| list(&dist).is_ok_and(|listing| text == expected(&listing)));
    if is_current {
        println!("2/4 Client: unchanged");
        println!("3/4 Client: unchanged");
        print_sizes(&dist)?;
        return Ok(());
    }

    println!("2/4 Client: bindings, names and style sheet …");
    // Its own for each run: two may build at once.
    let staging = dist.with_extension(format!("{}.new", std::process::id()));
    remove(&staging)?;
    fs::create_dir_all(&staging)?;
    sources.stage(mode, &staging)?;
    println!("3/4 Client: compressing (brotli {}, gzip) …", mode.brotli_quality());
    compress(mode, &staging)?;
    replace(&dist, &staging)?;
    fs::write(&stamp, expected(&list(&dist)?))?;
    print_sizes(&dist)
}

/// Everything the result depends on.
struct Sources {
    wasm: Vec<u8>,
    css: String,
    page: String,
    /// Copied as they are: path below `client/public`, content.
    public: Vec<(PathBuf, Vec<u8>)>,
}

impl Sources {
    fn read(mode: Mode) -> Result<Self> {
        let root = root();
        let wasm = target_dir().join("wasm32-unknown-unknown").join(mode.folder()).join("tablehop-client.wasm");
        let page = root.join("client/index.html");
        let folder = root.join("client/public");
        let mut public = Vec::new();
        for file in files_under(&folder, &|_| true)? {
            let name = file.strip_prefix(&folder)?.to_path_buf();
            public.push((name, read(&file)?));
        }
        Ok(Self {
            wasm: read(&wasm)?,
            css: css::bundle()?,
            page: String::from_utf8(read(&page)?).context("client/index.html is not UTF-8")?,
            public,
        })
    }

    /// The same key, the same result: it covers the sources and the way they are treated.
    fn key(&self, mode: Mode) -> u64 {
        let mut hasher = DefaultHasher::new();
        mode.hash(&mut hasher);
        for way in [include_str!("client.rs"), include_str!("bind.rs"), include_str!("css.rs")] {
            way.hash(&mut hasher);
        }
        crc32fast::hash(&self.wasm).hash(&mut hasher);
        self.wasm.len().hash(&mut hasher);
        self.css.hash(&mut hasher);
        self.page.hash(&mut hasher);
        self.public.hash(&mut hasher);
        hasher.finish()
    }

    fn stage(&self, mode: Mode, dir: &Path) -> Result<()> {
        let bind::Bound { js, wasm } = bind::bind(&self.wasm, mode, dir)?;
        let css = write_hashed(dir, "style", "css", self.css.as_bytes())?;
        let boot = write_hashed(dir, "boot", "js", boot_module(&js, &wasm).as_bytes())?;

        let Some((head, tail)) = self.page.split_once(PLACE) else {
            bail!("client/index.html: the line {PLACE} is missing, so nothing would be loaded");
        };
        let load = [
            format!(r#"<link rel="stylesheet" href="/{css}" />"#),
            format!(r#"<link rel="preload" href="/{wasm}" as="fetch" type="application/wasm" crossorigin />"#),
            format!(r#"<link rel="modulepreload" href="/{js}" />"#),
            format!(r#"<script type="module" src="/{boot}"></script>"#),
        ]
        .join("\n    ");
        fs::write(dir.join("index.html"), format!("{head}{load}{tail}"))?;

        for (name, content) in &self.public {
            let file = dir.join(name);
            if let Some(parent) = file.parent() {
                fs::create_dir_all(parent)?;
            }
            fs::write(file, content)?;
        }
        Ok(())
    }
}

/// Starts the client without a script in the page, which the content security policy forbids.
///
/// The splash goes once the client has mounted; it turns into an apology if that fails.
fn boot_module(js: &str, wasm: &str) -> String {
    format!(
        r#"import init from "./{js}";
const boot = document.getElementById("boot");
init({{ module_or_path: new URL("./{wasm}", import.meta.url) }}).then(
  () => boot?.remove(),
  (error) => {{
    console.error(error);
    boot?.setAttribute("data-state", "failed");
    boot?.querySelector("[hidden]")?.removeAttribute("hidden");
  }},
);
"#
    )
}

/// Writes `stem-<crc32>.ending` and returns that name.
fn write_hashed(dir: &Path, stem: &str, ending: &str, content: &[u8]) -> Result<String> {
    let name = format!("{stem}-{:08x}.{ending}", crc32fast::hash(content));
    fs::write(dir.join(&name), content)?;
    Ok(name)
}

/// Puts `<name>.br` and `<name>.gz` beside each file for which that is smaller.
///
/// Browsers accept brotli over https and from localhost; phones on `http://<LAN address>` get gzip.
fn compress(mode: Mode, dir: &Path) -> Result<()> {
    let mut files: Vec<(u64, PathBuf)> = Vec::new();
    for file in files_under(dir, &|_| true)? {
        let ending = file.extension().unwrap_or_default();
        if TEXT.iter().any(|text| ending == *text) {
            files.push((fs::metadata(&file)?.len(), file));
        }
    }
    // The largest first, so that the others are done beside it.
    files.sort_by(|a, b| b.cmp(a));
    thread::scope(|scope| {
        let mut workers = Vec::new();
        for (_, file) in &files {
            workers.push(scope.spawn(move || compress_file(mode, file)));
        }
        for worker in workers {
            match worker.join() {
                Ok(result) => result?,
                Err(_) => bail!("compressing failed"),
            }
        }
        Ok(())
    })
}

fn compress_file(mode: Mode, file: &Path) -> Result<()> {
    let content = read(file)?;
    let params = brotli::enc::BrotliEncoderParams {
        quality: mode.brotli_quality(),
        lgwin: 22,
        size_hint: content.len(),
        ..Default::default()
    };
    let mut small = Vec::new();
    brotli::BrotliCompress(&mut content.as_slice(), &mut small, &params)?;
    write_if_smaller(file, "br", &content, &small)?;

    let mut gzip = GzEncoder::new(Vec::new(), mode.gzip_level());
    gzip.write_all(&content)?;
    write_if_smaller(file, "gz", &content, &gzip.finish()?)
}

fn write_if_smaller(file: &Path, ending: &str, content: &[u8], small: &[u8]) -> Result<()> {
    if small.len() < content.len() {
        let mut name = file.as_os_str().to_owned();
        name.push(format!(".{ending}"));
        fs::write(name, small)?;
    }
    Ok(())
}

/// Puts the new folder in the place of the old one; a server that is being compiled never sees half of it.
fn replace(dist: &Path, staging: &Path) -> Result<()> {
    let old = dist.with_extension(format!("{}.old", std::process::id()));
    remove(&old)?;
    if dist.exists() {
        fs::rename(dist, &old)?;
    }
    fs::rename(staging, dist).with_context(|| format!("cannot write {}", shown(dist)))?;
    remove(&old)
}

fn remove(dir: &Path) -> Result<()> {
    if dir.exists() {
        fs::remove_dir_all(dir).with_context(|| format!("cannot remove {}", shown(dir)))?;
    }
    Ok(())
}

fn read(file: &Path) -> Result<Vec<u8>> {
    fs::read(file).with_context(|| format!("cannot read {}", shown(file)))
}

/// The files of the result with their sizes, to notice when somebody else has touched it.
fn list(dist: &Path) -> Result<String> {
    let mut lines = String::new();
    for file in files_under(dist, &|_| true)? {
        let size = fs::metadata(&file)?.len();
        lines.push_str(&format!("{} {size}\n", shown(&file)));
    }
    Ok(lines)
}

/// What the first visit loads and what comes later, in bytes, plain and compressed.
fn print_sizes(dist: &Path) -> Result<()> {
    let compressed = |file: &Path, ending: &str| {
        let mut name = file.as_os_str().to_owned();
        name.push(ending);
        fs::metadata(name).map(|metadata| metadata.len())
    };
    println!("    {:<28} {:>10} {:>10} {:>10}", "file", "plain", "gzip", "brotli");
    let (mut first, mut later) = ([0; 3], [0; 3]);
    for file in files_under(dist, &|_| true)? {
        if file.extension().is_some_and(|e| e == "br" || e == "gz") {
            continue;
        }
        let plain = fs::metadata(&file)?.len();
        let sizes = [plain, compressed(&file, ".gz").unwrap_or(plain), compressed(&file, ".br").unwrap_or(plain)];
        let name = file.strip_prefix(dist)?.display().to_string();
        print_row(&name, sizes);
        let totals = if name.starts_with(bind::PART) { &mut later } else { &mut first };
        for (total, size) in totals.iter_mut().zip(sizes) {
            *total += size;
        }
    }
    print_row("first load", first);
    print_row("parts, when they are shown", later);
    Ok(())
}

fn print_row(name: &str, sizes: [u64; 3]) {
    let [plain, gzip, brotli] = sizes.map(kilobytes);
    println!("    {name:<28} {plain:>10} {gzip:>10} {brotli:>10}");
}

/// Tenths of a kilobyte (1,000 bytes), as text.
fn kilobytes(bytes: u64) -> String {
    let tenths = bytes.div_ceil(100);
    format!("{}.{} KB", tenths / 10, tenths % 10)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_rounded_up_so_that_nothing_looks_free() {
        assert_eq!(kilobytes(0), "0.0 KB");
        assert_eq!(kilobytes(1), "0.1 KB");
        assert_eq!(kilobytes(305_000), "305.0 KB");
    }

    #[test]
    fn boot_module_loads_the_hashed_files() {
        let module = boot_module("client-1.js", "client-2.wasm");
        assert!(module.starts_with("import init from \"./client-1.js\";"));
        assert!(module.contains("new URL(\"./client-2.wasm\", import.meta.url)"));
    }
}
