//! What a document may see while it is set: its template, its data, and fonts. There are no other files here, no network and no packages,
//! whatever somebody writes.

use std::sync::OnceLock;
use std::time::Instant;

use typst::diag::{FileError, FileResult};
use typst::foundations::{Bytes, Datetime, Duration};
use typst::syntax::{FileId, RootedPath, Source, VirtualPath, VirtualRoot};
use typst::text::{Font, FontBook};
use typst::utils::LazyHash;
use typst::{Library, LibraryExt, World};

use super::fonts::Found;

/// How every plan looks. What it says is in the data, and is never read as markup.
const TEMPLATE: &str = include_str!("plan.typ");

/// The world of one document.
pub(super) struct Desk<'a> {
    library: LazyHash<Library>,
    template: Source,
    data: (FileId, Bytes),
    found: &'a Found,
    fonts: Vec<OnceLock<Option<Font>>>,
    until: Instant,
}

impl<'a> Desk<'a> {
    /// With the data as JSON. After `until` nothing is drawn any more, so that a document that takes too long ends soon.
    ///
    /// # Errors
    /// None that are known: the names are ours.
    pub(super) fn new(data: Vec<u8>, found: &'a Found, until: Instant) -> Result<Self, String> {
        let named = |name: &str| {
            let path = VirtualPath::new(name).map_err(|why| format!("{name}: {why:?}"))?;
            Ok::<_, String>(RootedPath::new(VirtualRoot::Project, path).intern())
        };
        Ok(Self {
            library: LazyHash::new(Library::default()),
            template: Source::new(named("plan.typ")?, TEMPLATE.to_owned()),
            data: (named("plan.json")?, Bytes::new(data)),
            found,
            fonts: (0..found.len()).map(|_| OnceLock::new()).collect(),
            until,
        })
    }

    /// Whether its time is over.
    pub(super) fn is_late(&self) -> bool {
        Instant::now() > self.until
    }
}

impl World for Desk<'_> {
    fn library(&self) -> &LazyHash<Library> {
        &self.library
    }

    fn book(&self) -> &LazyHash<FontBook> {
        self.found.book()
    }

    fn main(&self) -> FileId {
        self.template.id()
    }

    fn source(&self, id: FileId) -> FileResult<Source> {
        if id == self.template.id() { Ok(self.template.clone()) } else { Err(FileError::AccessDenied) }
    }

    fn file(&self, id: FileId) -> FileResult<Bytes> {
        let (data, bytes) = &self.data;
        if id == *data { Ok(bytes.clone()) } else { Err(FileError::AccessDenied) }
    }

    fn font(&self, index: usize) -> Option<Font> {
        if self.is_late() {
            return None;
        }
        self.fonts.get(index)?.get_or_init(|| self.found.read(index)).clone()
    }

    fn today(&self, _: Option<Duration>) -> Option<Datetime> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::super::fonts::Fonts;
    use super::*;

    /// Everything by which a template could reach out; ours does not, and no text is one. The desk itself refuses, too.
    #[test]
    fn x6_there_is_no_file_and_no_network_beside_the_template() {
        let fonts = Fonts::new(Some("/nowhere".into()));
        for reach in [
            "#read(\"/etc/passwd\")",
            "#read(\"../../etc/passwd\")",
            "#include \"/etc/passwd\"",
            "#image(\"/etc/passwd\")",
            "#import \"@preview/tablex:0.0.8\": *",
            "#import \"other.typ\": *",
            "#json(\"/plan2.json\")",
            "#plugin(\"x.wasm\")",
            "#datetime.today()",
        ] {
            let mut desk = Desk::new(b"{}".to_vec(), fonts.found(), Instant::now()).expect("a desk");
            desk.template = Source::new(desk.template.id(), reach.to_owned());
            let set = typst::compile::<typst_layout::PagedDocument>(&desk);
            assert!(set.output.is_err(), "{reach}");
        }
    }
}
