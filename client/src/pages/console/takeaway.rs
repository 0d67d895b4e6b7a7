//! Taking the café along as a file.

use leptos::prelude::*;
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{Blob, BlobPropertyBag, HtmlAnchorElement, Url};

use crate::api;
use crate::i18n::{I18n, t_string, use_i18n};
use crate::state::cafe::Cafe;
use crate::ui::button::Button;
use crate::ui::icon::Picture;
use crate::ui::toast::{ToastKind, toast};

/// A file that can be taken along.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Format {
    Pdf,
    Word,
    Excel,
    Csv,
    Markdown,
    Json,
}

impl Format {
    /// Those that management opens come first.
    const ALL: [Self; 6] = [Self::Pdf, Self::Word, Self::Excel, Self::Csv, Self::Markdown, Self::Json];

    fn name(self) -> &'static str {
        match self {
            Self::Pdf => "pdf",
            Self::Word => "docx",
            Self::Excel => "xlsx",
            Self::Csv => "csv",
            Self::Markdown => "md",
            Self::Json => "json",
        }
    }

    fn media_type(self) -> &'static str {
        match self {
            Self::Pdf => "application/pdf",
            Self::Word => "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
            Self::Excel => "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
            Self::Csv => "text/csv;charset=utf-8",
            Self::Markdown => "text/markdown;charset=utf-8",
            Self::Json => "application/json",
        }
    }

    fn icon(self) -> Picture {
        match self {
            Self::Pdf => icondata_lu::LuFileDown,
            Self::Word => icondata_lu::LuFileText,
            Self::Excel => icondata_lu::LuFileSpreadsheet,
            Self::Csv => icondata_lu::LuTable,
            Self::Markdown => icondata_lu::LuFileCode,
            Self::Json => icondata_lu::LuFileJson,
        }
    }

    fn words(self, i18n: I18n) -> String {
        match self {
            Self::Pdf => t_string!(i18n, console.export_pdf).to_string(),
            Self::Word => t_string!(i18n, console.export_word).to_string(),
            Self::Excel => t_string!(i18n, console.export_excel).to_string(),
            Self::Csv => t_string!(i18n, console.export_csv).to_string(),
            Self::Markdown => t_string!(i18n, console.export_markdown).to_string(),
            Self::Json => t_string!(i18n, console.export_json).to_string(),
        }
    }
}

/// Buttons that save the plan, and the whole café.
#[component]
pub(crate) fn TakeAway(cafe: Cafe) -> impl IntoView {
    let i18n = use_i18n();
    let busy = RwSignal::new(None::<Format>);
    let title = cafe.memo(|view| view.title.clone());
    let take = move |format: Format| {
        if busy.get_untracked().is_some() {
            return;
        }
        busy.set(Some(format));
        let identity = cafe.identity();
        let name = file_name(&title.get_untracked().unwrap_or_default(), format.name());
        leptos::task::spawn_local(async move {
            let file = api::document(&identity.workshop, &identity.token, format.name()).await;
            let _ = busy.try_set(None);
            match file {
                // A browser that cannot save a blob has no way at all to save one.
                Ok(file) => drop(save(&file, format.media_type(), &name)),
                Err(error) => toast(ToastKind::Bad, error.text(i18n)),
            }
        });
    };
    view! {
        <div class="row take-away no-print">
            {Format::ALL
                .map(|format| {
                    view! {
                        <Button
                            icon=format.icon()
                            busy=Signal::derive(move || busy.get() == Some(format))
                            on_click=move |_| take(format)
                        >
                            {move || format.words(i18n)}
                        </Button>
                    }
                })
                .into_iter()
                .collect_view()}
        </div>
    }
}

fn save(file: &[u8], media_type: &str, name: &str) -> Result<(), JsValue> {
    let options = BlobPropertyBag::new();
    options.set_type(media_type);
    let bytes = js_sys::Array::of1(&js_sys::Uint8Array::from(file));
    let blob = Blob::new_with_u8_array_sequence_and_options(&bytes, &options)?;
    let url = Url::create_object_url_with_blob(&blob)?;
    let link: HtmlAnchorElement = document().create_element("a")?.dyn_into()?;
    link.set_href(&url);
    link.set_download(name);
    link.click();
    // Some browsers begin the download only after this turn.
    set_timeout(move || drop(Url::revoke_object_url(&url)), std::time::Duration::from_secs(30));
    Ok(())
}

/// The café's title as a file name that every system takes.
fn file_name(title: &str, extension: &str) -> String {
    let safe: String =
        title.chars().map(|c| if c.is_control() || r#"/\:*?"<>|"#.contains(c) { '-' } else { c }).take(60).collect();
    let safe = safe.trim().trim_matches('.');
    let name = if safe.is_empty() { "tablehop" } else { safe };
    format!("{name}.{extension}")
}

#[cfg(test)]
mod tests {
    use super::file_name;

    #[test]
    fn titles_become_file_names() {
        assert_eq!(file_name("业主服务旅程", "md"), "业主服务旅程.md");
        assert_eq!(file_name("a/b: c?", "json"), "a-b- c-.json");
        assert_eq!(file_name(" .. ", "md"), "tablehop.md");
    }
}
