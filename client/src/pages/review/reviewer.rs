//! Who comments and decides: the name that management gives once, remembered on this device.

use leptos::prelude::*;
use shared::id::Role;
use shared::limits;
use shared::workshop::{Command, Phase};

use crate::i18n::{I18n, t, t_string, use_i18n};
use crate::platform;
use crate::state::cafe::Cafe;
use crate::ui::button::{Button, ButtonKind};
use crate::ui::field::TextField;

const REMEMBERED: &str = "tablehop.reviewer";

/// The one who reads.
#[derive(Clone, Copy)]
pub struct Reviewer {
    /// Their name, as it will stand beside comments and decisions.
    pub name: RwSignal<String>,
    /// Whether the name has been given; it is then shown, and asked for no more.
    pub signed: RwSignal<bool>,
    /// Whether they are management, who decide; facilitators may record what was decided elsewhere.
    pub decides: bool,
    /// Whether they are among those who review: comments are between them, decisions are for everybody.
    pub reviews: bool,
    /// Whether they may comment now.
    pub may_comment: Memo<bool>,
    /// Whether they may decide now.
    pub may_decide: Memo<bool>,
    /// Whether they may record what became of an action now: also once the café is closed.
    pub may_follow_up: Memo<bool>,
    i18n: I18n,
}

impl Reviewer {
    /// From what this device remembers.
    pub fn new(cafe: Cafe) -> Self {
        let i18n = use_i18n();
        let identity = cafe.identity();
        let role = identity.role;
        let remembered = platform::local_get(&key(role)).unwrap_or_else(|| match role {
            Role::Facilitator => untrack(|| t_string!(i18n, review.facilitator).to_string()),
            _ => identity.name,
        });
        let signed = RwSignal::new(!remembered.trim().is_empty());
        let name = RwSignal::new(remembered);
        Effect::new(move |before: Option<()>| {
            let name = name.get();
            if before.is_some() {
                platform::local_set(&key(role), name.trim());
            }
        });
        let phase = cafe.memo(|view| view.phase);
        let reviews = role != Role::Participant;
        let may_comment = Memo::new(move |_| reviews && matches!(phase.get(), Some(Phase::Plan | Phase::Review)));
        let may_decide = Memo::new(move |_| reviews && phase.get() == Some(Phase::Review));
        let may_follow_up = Memo::new(move |_| reviews && matches!(phase.get(), Some(Phase::Review | Phase::Closed)));
        let decides = role == Role::Reviewer;
        Self { name, signed, decides, reviews, may_comment, may_decide, may_follow_up, i18n }
    }

    /// Sends what stands under their name, once there is one. `ended` learns whether it is stored; what is wrong is said at its field.
    pub fn send(self, cafe: Cafe, command: Command, wrong: Wrong, ended: impl FnOnce(bool) + 'static) {
        let Self { i18n, signed, .. } = self;
        if self.name.with_untracked(|name| name.trim().is_empty()) {
            signed.set(false);
            wrong.name.set(Some(t_string!(i18n, review.name_needed).to_string()));
            ended(false);
            return;
        }
        leptos::task::spawn_local(async move {
            let answer = cafe.try_command(command).await;
            // The page may have been left meanwhile, so everything is only tried.
            match &answer {
                Ok(()) => {
                    let _ = signed.try_set(true);
                }
                Err(error) if error.field.as_deref() == Some("name") => {
                    let _ = signed.try_set(false);
                    let _ = wrong.name.try_set(Some(error.text(i18n)));
                }
                Err(error) => {
                    let _ = wrong.text.try_set(Some(error.text(i18n)));
                }
            }
            ended(answer.is_ok());
        });
    }
}

/// What is wrong with a comment or a reason, and with the name under it.
#[derive(Clone, Copy)]
pub struct Wrong {
    /// The words themselves.
    pub text: RwSignal<Option<String>>,
    /// The name.
    pub name: RwSignal<Option<String>>,
}

impl Wrong {
    /// Nothing yet.
    pub fn nothing() -> Self {
        Self { text: RwSignal::new(None), name: RwSignal::new(None) }
    }

    /// What was said before is taken back.
    pub fn clear(self) {
        self.text.set(None);
        self.name.set(None);
    }
}

/// One device may be both the facilitator's and management's.
fn key(role: Role) -> String {
    match role {
        Role::Facilitator => format!("{REMEMBERED}.facilitator"),
        _ => REMEMBERED.to_owned(),
    }
}

/// Under whose name it will stand: asked for once, afterwards shown with a way to change it.
#[component]
pub fn Signature(error: RwSignal<Option<String>>) -> impl IntoView {
    let i18n = use_i18n();
    let reviewer = expect_context::<Reviewer>();
    view! {
        <Show
            when=move || reviewer.signed.get()
            fallback=move || {
                view! {
                    <TextField
                        label=Signal::derive(move || t_string!(i18n, review.your_name).to_string())
                        value=reviewer.name
                        error
                        max_chars=limits::NAME_CHARS
                        autocomplete=Signal::stored(Some("name".to_owned()))
                    />
                }
            }
        >
            <p class="signature small">
                <span class="quiet">{t!(i18n, review.signed_as)}</span>
                <strong>{move || reviewer.name.get()}</strong>
                <Button kind=ButtonKind::Plain class="button-small" on_click=move |_| reviewer.signed.set(false)>
                    {t!(i18n, review.change_name)}
                </Button>
            </p>
        </Show>
    }
}
