//! A QR picture, dark on white on every theme: cameras need it so.

use fast_qr::QRBuilder;
use leptos::prelude::*;

/// A QR picture drawn by the server.
#[component]
pub fn Qr(
    /// Address of the picture.
    #[prop(into)]
    src: Signal<String>,
    /// What it leads to, in words.
    #[prop(into)]
    alt: Signal<String>,
) -> impl IntoView {
    view! {
        <div class="qr">
            <img src=move || src.get() alt=move || alt.get() width="320" height="320" decoding="async" />
        </div>
    }
}

/// A QR picture of a link that the server does not know again: drawn here. Nothing for a link that is too long for one.
#[component]
pub fn QrOf(
    /// Where it leads.
    #[prop(into)]
    link: Signal<String>,
    /// What it leads to, in words.
    #[prop(into)]
    alt: Signal<String>,
) -> impl IntoView {
    let drawn = Memo::new(move |_| link.with(|link| drawing(link)));
    move || {
        drawn.get().map(|(side, path)| {
            view! {
                <div class="qr">
                    <svg
                        viewBox=format!("0 0 {side} {side}")
                        role="img"
                        aria-label=move || alt.get()
                        shape-rendering="crispEdges"
                    >
                        <path d=path />
                    </svg>
                </div>
            }
        })
    }
}

/// Side and dark squares of a picture, with the quiet margin of four squares that cameras ask for.
fn drawing(link: &str) -> Option<(usize, String)> {
    const MARGIN: usize = 4;
    let code = QRBuilder::new(link).build().ok()?;
    let dark = (0..code.size).flat_map(|y| (0..code.size).map(move |x| (x, y))).filter(|(x, y)| code[*y][*x].value());
    let path = dark.map(|(x, y)| format!("M{} {}h1v1h-1z", x + MARGIN, y + MARGIN)).collect();
    Some((code.size + 2 * MARGIN, path))
}

#[cfg(test)]
mod tests {
    use super::drawing;

    #[test]
    fn a_link_becomes_squares_within_their_margin() {
        let (side, path) = drawing("http://192.168.1.20:8080/review/abc#0123456789abcdef").unwrap();
        assert!(side > 29, "{side}");
        // The corner of the first finder pattern.
        assert!(path.starts_with("M4 4h1v1h-1z"), "{path}");
        assert!(drawing(&"x".repeat(8_000)).is_none());
    }
}
