//! The chrome around every page of the console: top bar, navigation, command palette, keys, freshness line, messages, what the tab shows of
//! trouble, and the feed that they all stand on.

mod badge;
pub mod freshness;
mod keys;
mod nav;
pub mod palette;
mod sign_in_again;
mod switcher;
mod top;
pub mod trouble;

use super::{
    components::{Clock, Confirm, ConfirmDialog, ToastRegion, Toasts},
    error::ApiError,
    guard::{Desk, HostDesk, use_desk},
    live::{fleet_resource, follow},
    log_panel::{LogDock, LogPanel},
    notify::{Notify, SettingsDialog},
    snapshot::{Opening, Theme},
    store::{Store, use_store},
};
use crate::sync::Status;
use freshness::{Freshness, freshness};
use keys::{KeyMap, Keys};
use leptos::{prelude::*, server::ServerActionError};
use leptos_router::{
    components::{Outlet, Redirect},
    hooks::use_location,
};
use nav::Nav;
use palette::{Palette, PaletteDialog};
use server_fn::error::ServerFnUrlError;
use sign_in_again::{SignInAgain, SignInAgainDialog};
use switcher::{WithinNotice, keep_in_address};
use top::TopBar;

/// The theme that the operator chose, wherever that is done.
#[derive(Clone, Copy)]
pub struct ThemeChoice(pub RwSignal<Theme>);

/// Opens the store and shows the page inside its frame; whoever is not signed in is sent to sign in and back.
#[component]
pub fn Console() -> impl IntoView {
    let store = Store::new();
    let (toasts, confirm) = (Toasts::new(store.now), Confirm::new());
    provide_context(store);
    provide_context(Clock { now: store.now, utc_offset: store.utc_offset });
    provide_context(toasts);
    provide_context(confirm);
    provide_context(SignInAgain::new());
    provide_context(Palette::new());
    provide_context(KeyMap::new());
    provide_context(Notify::new());
    let (desk, logs) = (Desk { store, toasts, confirm }, LogPanel::new());
    provide_context(desk);
    provide_context(logs);
    provide_context(HostDesk::new(desk, logs));
    let opening = fleet_resource();
    view! {
        <Suspense>
            {move || Suspend::new(async move {
                match opening.await {
                    Ok(opening) => view! { <Opened opening/> }.into_any(),
                    Err(ApiError::Unauthorized) => view! { <ToSignIn/> }.into_any(),
                    Err(error) => view! { <CannotOpen error/> }.into_any(),
                }
            })}
        </Suspense>
    }
    .into_any()
}

#[component]
fn Opened(opening: Opening) -> impl IntoView {
    let store = use_store();
    store.open(&opening);
    let said = opening.said.clone();
    provide_context(ThemeChoice(RwSignal::new(opening.theme)));
    follow(store, opening);
    keep_in_address(store);
    let notify: Notify = expect_context();
    notify.follow(store);
    trouble::announce(store, use_desk().toasts, notify);
    trouble::mark_tab(store);
    super::live::focus::keep_focus();
    // A page that was not sent has no rows yet: it would show a part of the fleet as if it were all.
    let pathname = use_location().pathname;
    let first = pathname.get_untracked();
    let waits =
        Memo::new(move |_| store.part.with(Option::is_some) && pathname.with(|pathname| *pathname != first));
    // Of what a session saw nothing stays when it ended; it comes back with the first state that the next one is sent.
    let away = Memo::new(move |before: Option<&bool>| {
        store.link.with(|link| match link.status {
            Status::SignedOut => true,
            Status::Connected => false,
            _ => before.copied().unwrap_or(false),
        })
    });
    let stale = Memo::new(move |_| freshness(store) == Freshness::Stale);
    view! {
        <a class="skip" href="#main">
            "Skip to content"
        </a>
        <div class="frame">
            <TopBar/>
            <Nav/>
            <main id="main" class="main" tabindex="-1" class:stale=move || stale.get()>
                <Notice said/>
                <WithinNotice/>
                {move || {
                    if away.get() {
                        view! { <p class="empty" role="status">"You are signed out: nothing is shown until you sign in."</p> }.into_any()
                    } else if waits.get() {
                        view! { <p class="empty" role="status">"Loading the rest of the fleet…"</p> }.into_any()
                    } else {
                        view! { <Outlet/> }.into_any()
                    }
                }}
            </main>
            <ToastRegion/>
        </div>
        {move || (!away.get()).then(|| view! { <LogDock/> })}
        <ConfirmDialog/>
        <PaletteDialog/>
        <SignInAgainDialog/>
        <SettingsDialog/>
        <Keys/>
    }
    .into_any()
}

#[component]
fn ToSignIn() -> impl IntoView {
    let location = use_location();
    let here = format!(
        "{}{}",
        location.pathname.get_untracked(),
        match location.search.get_untracked() {
            search if search.is_empty() => String::new(),
            search => format!("?{}", search.trim_start_matches('?')),
        }
    );
    let path = if here == "/" { "/sign-in".to_owned() } else { format!("/sign-in?next={}", encode(&here)) };
    view! { <Redirect path/> }
}

#[component]
fn CannotOpen(error: ApiError) -> impl IntoView {
    view! {
        <main class="lone">
            <h1>"The console cannot be shown"</h1>
            <p role="alert">{error.to_string()}</p>
            <p>
                <a href="" rel="external">
                    "Try again"
                </a>
            </p>
        </main>
    }
    .into_any()
}

/// What a form that was sent without JavaScript came to: what was done, or what went wrong unless the form itself shows it.
#[component]
fn Notice(said: Option<String>) -> impl IntoView {
    use super::{
        account::{EditUser, RemoveMember, RevokeToken, SetMember},
        actions::{ActOnNet, ActOnWorker},
        admin_actions::{DeleteCluster, DeleteProject, EditProject, MoveNet, RenameCluster},
        event_actions::AcknowledgeEvents,
        host_actions::{ActOnHost, ActOnPipeline, RunCommand},
    };
    use server_fn::ServerFn;
    let error = use_context::<ServerActionError>()
        .filter(|error| {
            [
                ActOnWorker::PATH,
                ActOnNet::PATH,
                ActOnHost::PATH,
                RunCommand::PATH,
                ActOnPipeline::PATH,
                AcknowledgeEvents::PATH,
                RenameCluster::PATH,
                DeleteCluster::PATH,
                EditProject::PATH,
                DeleteProject::PATH,
                MoveNet::PATH,
                SetMember::PATH,
                RemoveMember::PATH,
                EditUser::PATH,
                RevokeToken::PATH,
            ]
            .contains(&error.path())
        })
        .map(|error| ServerFnUrlError::<ApiError>::decode_err(error.err()).to_string());
    let said = said.filter(|_| error.is_none());
    view! {
        {error.map(|error| view! { <p class="notice tone-bad" role="alert">{error}</p> })}
        {said.map(|said| view! { <p class="notice tone-good" role="status">{said}</p> })}
    }
    .into_any()
}

/// Percent-encodes what may not stand in a query value.
fn encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b'/' => {
                encoded.push(byte as char)
            }
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}
