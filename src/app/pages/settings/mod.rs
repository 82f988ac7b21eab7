//! Settings: one's own, one's tokens, and, for administrators, who the users are and what everybody did. Members of a project are shown on its page
//! ([`members`]).
//!
//! None of this is in the stream: lists are fetched, say of when they are, and are fetched anew after each change.

mod audit;
mod fetched;
mod members;
mod own;
mod tokens;
mod told;
mod users;

pub use audit::AuditPage;
pub use members::Members;
pub use own::SettingsPage;
pub use tokens::TokensPage;
pub use users::UsersPage;

use crate::{
    app::{
        components::{Glyph, Question, State, StateBadge, Tone},
        error::ApiError,
        guard::Desk,
        store::use_store,
    },
    model::{Role, UserStatus},
};
use fetched::Fetched;
use leptos::{ev::SubmitEvent, form::FromFormData, prelude::*, task::spawn_local};
use leptos_router::{components::A, hooks::use_location};
use serde::de::DeserializeOwned;
use std::future::Future;

/// The ways between the pages of settings.
#[component]
pub fn SettingsNav() -> impl IntoView {
    let path = use_location().pathname;
    let current = move |wanted: &'static str| path.with(|path| path == wanted).then_some("page");
    let admin = use_store().may_administer();
    view! {
        <nav class="tabs" aria-label="Settings">
            <A href="/settings" exact=true attr:aria-current=move || current("/settings")>"Your account"</A>
            <A href="/settings/tokens" attr:aria-current=move || current("/settings/tokens")>"Tokens"</A>
            {admin
                .then(|| {
                    view! {
                        <A href="/settings/users" attr:aria-current=move || current("/settings/users")>"Users"</A>
                        <A href="/settings/webhooks" attr:aria-current=move || current("/settings/webhooks")>"Webhooks"</A>
                        <A href="/settings/audit" attr:aria-current=move || current("/settings/audit")>"Audit log"</A>
                    }
                })}
            // A document of the server's, not a page of this application.
            <a href="/api/docs" rel="external">"API"</a>
        </nav>
    }
    .into_any()
}

/// Takes over a form: asks first where something is lost, sends it, says how it ended, and has the list fetched anew.
fn take_over<Ask, F, T>(
    desk: Desk,
    list: Fetched<T>,
    question: impl Fn(&Ask) -> Option<Question> + Copy + Send + Sync + 'static,
    send: impl Fn(Ask) -> F + Copy + Send + Sync + 'static,
) -> Callback<SubmitEvent>
where
    Ask: DeserializeOwned + 'static,
    F: Future<Output = Result<String, ApiError>> + 'static,
    T: Send + Sync + 'static,
{
    let busy = RwSignal::new(false);
    Callback::new(move |event: SubmitEvent| {
        let Ok(ask) = Ask::from_event(&event) else { return };
        event.prevent_default();
        if busy.get_untracked() {
            return;
        }
        busy.set(true);
        spawn_local(async move {
            let wanted = match question(&ask) {
                Some(question) => desk.confirm.ask(question).await,
                None => true,
            };
            if wanted {
                match send(ask).await {
                    Ok(message) => desk.toasts.success(message),
                    Err(error) => desk.toasts.error(error.to_string()),
                }
                list.again();
            }
            _ = busy.try_set(false);
        });
    })
}

/// A choice of roles; `None` stands for `none`.
#[component]
fn RoleChoice(
    #[prop(into)] id: String,
    /// What is offered, in order.
    among: &'static [Option<Role>],
    chosen: Option<Role>,
) -> impl IntoView {
    let options = among.iter().map(|role| {
        let word = role.map_or("none", Role::as_str);
        view! { <option value=word selected=*role == chosen>{word}</option> }
    });
    view! {
        <select id=id name="role" class="select">
            {options.collect_view()}
        </select>
    }
    .into_any()
}

const IN_A_PROJECT: &[Option<Role>] = &[Some(Role::Viewer), Some(Role::Operator), Some(Role::Admin)];
const IN_THE_FLEET: &[Option<Role>] = &[None, Some(Role::Viewer), Some(Role::Operator), Some(Role::Admin)];

#[component]
fn UserState(status: UserStatus) -> impl IntoView {
    let (glyph, tone) = match status {
        UserStatus::Active => (Glyph::Dot, Tone::Good),
        UserStatus::Invited => (Glyph::Ring, Tone::Busy),
        UserStatus::Disabled => (Glyph::Square, Tone::Quiet),
    };
    let state = Signal::stored(State::new(glyph, tone, status.as_str()));
    view! { <StateBadge state/> }
}
