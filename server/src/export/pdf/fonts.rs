//! The fonts of this machine, as far as documents need them. None are part of the program: those that hold Chinese are tens of megabytes,
//! and each has a licence of its own.
//!
//! Looked for once, when the first document is made. What is kept is where a font lies and which characters it has, of as few as have
//! them all; its bytes are read for each document and let go after it.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use fontdb::{Database, FaceInfo, Source, Stretch, Style};
use shared::workshop::Language;
use typst::foundations::Bytes;
use typst::text::{Font, FontBook, FontInfo};
use typst::utils::LazyHash;

/// Fonts that hold Chinese, the best first: those without serifs, as on the screens, then whatever is legible.
const CHINESE: [&str; 21] = [
    "PingFang SC",
    "Noto Sans CJK SC",
    "Noto Sans SC",
    "Source Han Sans SC",
    "Source Han Sans CN",
    "Microsoft YaHei",
    "HarmonyOS Sans SC",
    "MiSans",
    "Hiragino Sans GB",
    "Heiti SC",
    "STHeiti",
    "WenQuanYi Micro Hei",
    "WenQuanYi Zen Hei",
    "DengXian",
    "SimHei",
    "Noto Serif CJK SC",
    "Source Han Serif SC",
    "Songti SC",
    "STSong",
    "SimSun",
    "Droid Sans Fallback",
];

/// Fonts for Latin letters, the best first. Those for Chinese have them, too.
const LATIN: [&str; 9] = [
    "Source Sans 3",
    "Noto Sans",
    "Inter",
    "Segoe UI",
    "Helvetica Neue",
    "Roboto",
    "Liberation Sans",
    "Arial",
    "DejaVu Sans",
];

/// Fonts that claim every character and draw a box for it.
const BOXES: [&str; 3] = ["LastResort", "Last Resort", "Adobe Blank"];

/// Words of 64 characters each, for all of Unicode.
const WORDS: usize = 0x11_0000 / 64;

/// The fonts that documents are set in.
pub struct Fonts {
    /// Where to look instead of where the system keeps them.
    directory: Option<PathBuf>,
    found: OnceLock<Found>,
}

/// What was found.
pub(super) struct Found {
    book: LazyHash<FontBook>,
    /// In the order of the book.
    faces: Vec<Face>,
    /// Families in the order of preference, for Chinese and for Latin.
    families: (Vec<String>, Vec<String>),
    covered: Box<[u64]>,
}

/// One font in a file.
struct Face {
    path: PathBuf,
    index: u32,
}

/// A regular and a bold face that belong together.
struct Family {
    chinese: usize,
    latin: usize,
    faces: Vec<(Face, FontInfo)>,
}

impl Fonts {
    /// Those of the system, or those below a directory and no others. Nothing is read before it is needed.
    pub fn new(directory: Option<PathBuf>) -> Self {
        Self { directory, found: OnceLock::new() }
    }

    /// Looks for them, the first time; that takes as long as reading the tables of all fonts of the system.
    pub(super) fn found(&self) -> &Found {
        self.found.get_or_init(|| {
            let found = Found::look(self.directory.as_deref());
            tracing::info!(families = ?found.families.0, "the fonts for PDF documents");
            found
        })
    }
}

impl Found {
    fn look(directory: Option<&Path>) -> Self {
        let mut all = Database::new();
        match directory {
            Some(directory) => all.load_fonts_dir(directory),
            None => all.load_system_fonts(),
        }
        let mut found = Self {
            book: LazyHash::new(FontBook::new()),
            faces: Vec::new(),
            families: (Vec::new(), Vec::new()),
            covered: vec![0; WORDS].into(),
        };
        let mut book = FontBook::new();
        let mut kept: Vec<(usize, usize, String)> = Vec::new();
        let (mut has_chinese, mut has_latin) = (false, false);
        for family in ranked(&all) {
            let is_first_choice =
                (!has_chinese && family.chinese < CHINESE.len()) || (!has_latin && family.latin < LATIN.len());
            let adds = family.faces.iter().any(|(_, info)| info.coverage.iter().any(|c| !found.covers(c)));
            // A font that adds nothing to what the others have is not kept.
            let Some((_, first)) = family.faces.first().filter(|_| is_first_choice || adds) else { continue };
            has_chinese |= family.chinese < CHINESE.len();
            has_latin |= family.latin < LATIN.len();
            kept.push((family.chinese, family.latin, first.family.clone()));
            for (face, info) in family.faces {
                for c in info.coverage.iter() {
                    if let Some(word) = found.covered.get_mut(c as usize / 64) {
                        *word |= 1 << (c % 64);
                    }
                }
                book.push(info);
                found.faces.push(face);
            }
        }
        let names = |kept: &[(usize, usize, String)]| kept.iter().map(|(.., name)| name.clone()).collect();
        found.families.0 = names(&kept);
        kept.sort_by_key(|(_, latin, _)| *latin);
        found.families.1 = names(&kept);
        found.book = LazyHash::new(book);
        found
    }

    fn covers(&self, c: u32) -> bool {
        self.covered.get(c as usize / 64).is_some_and(|word| word & (1 << (c % 64)) != 0)
    }

    /// Whether some font draws this character.
    pub(super) fn has(&self, c: char) -> bool {
        self.covers(c.into())
    }

    /// Whether there is none at all.
    pub(super) fn is_empty(&self) -> bool {
        self.faces.is_empty()
    }

    /// All families, those first that suit a language.
    pub(super) fn families(&self, language: Language) -> &[String] {
        match language {
            Language::ZhCn => &self.families.0,
            Language::En => &self.families.1,
        }
    }

    pub(super) fn book(&self) -> &LazyHash<FontBook> {
        &self.book
    }

    pub(super) fn len(&self) -> usize {
        self.faces.len()
    }

    /// Reads a font: some 20 MB for one with Chinese.
    pub(super) fn read(&self, at: usize) -> Option<Font> {
        let face = self.faces.get(at)?;
        let bytes = match std::fs::read(&face.path) {
            Ok(bytes) => bytes,
            Err(error) => {
                tracing::warn!(path = %face.path.display(), %error, "a font cannot be read any more");
                return None;
            }
        };
        Font::new(Bytes::new(bytes), face.index)
    }
}

/// The families of a system, best first: what suits Chinese, then what suits Latin, then the others, those without serifs before.
fn ranked(all: &Database) -> Vec<Family> {
    let mut families: BTreeMap<&str, Vec<&FaceInfo>> = BTreeMap::new();
    for face in all.faces().filter(|face| face.style == Style::Normal && face.stretch == Stretch::Normal) {
        if let Some((name, _)) = face.families.first().filter(|(name, _)| !BOXES.contains(&name.as_str())) {
            families.entry(name.as_str()).or_default().push(face);
        }
    }
    let rank = |names: &[&str], faces: &[&FaceInfo]| {
        let is_called = |name: &&str| faces.iter().flat_map(|face| &face.families).any(|(called, _)| called == name);
        names.iter().position(is_called).unwrap_or(names.len())
    };
    let mut families: Vec<_> = families
        .into_iter()
        .map(|(name, faces)| {
            let (chinese, latin) = (rank(&CHINESE, &faces), rank(&LATIN, &faces));
            let is_plain = !faces.iter().any(|face| face.monospaced) && !name.contains("Serif");
            (chinese, latin, Reverse(is_plain), name, faces)
        })
        .collect();
    families.sort_by_key(|(chinese, latin, plain, name, _)| (*chinese, *latin, *plain, *name));
    let family = |(chinese, latin, _, _, faces): (usize, usize, _, _, Vec<&FaceInfo>)| {
        let nearest = |weight: u16| faces.iter().min_by_key(|face| face.weight.0.abs_diff(weight)).copied();
        let (regular, bold) = (nearest(400)?, nearest(700)?);
        let bold = (bold.id != regular.id).then_some(bold);
        let faces = [Some(regular), bold].into_iter().flatten();
        Some(Family { chinese, latin, faces: faces.filter_map(|face| read_tables(all, face)).collect() })
    };
    families.into_iter().filter_map(family).collect()
}

/// What a font is, from its tables; nothing if it is none that can be used.
fn read_tables(all: &Database, face: &FaceInfo) -> Option<(Face, FontInfo)> {
    let (Source::File(path) | Source::SharedFile(path, _)) = &face.source else { return None };
    let info = all.with_face_data(face.id, FontInfo::new)??;
    Some((Face { path: path.clone(), index: face.index }, info))
}
