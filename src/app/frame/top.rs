//! The top bar: what this is, whether it is live, and who is signed in.

use super::{ThemeChoice, badge::RealtimeBadge, palette::PaletteButton, switcher::Switcher};
use crate::app::{
    actions::{SetTheme, SignOut},
    components::{Icon, Menu, ToastHistory, use_toasts},
    live::{
        page::show_theme,
        session::{set_realtime, sign_out},
    },
    notify::Notify,
    snapshot::Theme,
    store::use_store,
};
use leptos::{ev::SubmitEvent, form::FromFormData, prelude::*};
use leptos_router::components::A;
use server_fn::ServerFn;

#[component]
pub fn TopBar() -> impl IntoView {
    let store = use_store();
    let (toasts, notify): (_, Notify) = (use_toasts(), expect_context());
    let leave = Action::new_local(move |(): &()| async move {
        if let Err(error) = sign_out().await {
            toasts.error(format!("Could not sign out. {error}"));
        }
    });
    let on_leave = move |event: SubmitEvent| {
        event.prevent_default();
        leave.dispatch(());
    };
    let me = store.me.get_untracked();
    let (name, about) =
        me.map(|me| (me.name.clone(), format!("{} · {}", me.email, me.role.as_str()))).unwrap_or_default();
    let user_face = view! {
        <Icon name="user"/>
        <span class="user-name">{name.clone()}</span>
    }
    .into_any();
    view! {
        <header class="top">
            <A href="/" attr:class="brand">
                <Icon name="muster"/>
                "Muster"
            </A>
            <Switcher/>
            <span class="top-space"></span>
            <PaletteButton/>
            <span class="top-space"></span>
            <RealtimeBadge/>
            <ToastHistory>
                <p class="messages-more">
                    <button type="button" class="link" on:click=move |_| notify.open_settings()>"What I am told"</button>
                    <A href="/events">"All events"</A>
                </p>
            </ToastHistory>
            <ThemeMenu/>
            <Menu label=format!("Account: {name}") face=user_face>
                <p class="menu-text">
                    <strong>{name}</strong>
                    <br/>
                    {about}
                </p>
                <A href="/settings" attr:class="menu-item">"Settings"</A>
                <A href="/settings/tokens" attr:class="menu-item">"Tokens"</A>
                {store.may_administer().then(|| view! { <A href="/settings/users" attr:class="menu-item">"Users"</A> })}
                <button
                    type="button"
                    class="menu-item"
                    aria-pressed=move || store.realtime.get().to_string()
                    on:click=move |_| set_realtime(!store.realtime.get_untracked())
                >
                    {move || if store.realtime.get() { "Switch real-time off" } else { "Switch real-time on" }}
                </button>
                // Leaving is a whole new document, in every tab, so nothing of this one stays.
                <form method="post" action=SignOut::url() on:submit=on_leave>
                    <button class="menu-item">"Sign out"</button>
                </form>
            </Menu>
        </header>
    }
    .into_any()
}

#[component]
fn ThemeMenu() -> impl IntoView {
    let ThemeChoice(chosen) = expect_context();
    let on_submit = move |event: SubmitEvent| {
        if let Ok(SetTheme { theme }) = SetTheme::from_event(&event) {
            event.prevent_default();
            chosen.set(theme);
            show_theme(theme);
        }
    };
    let face = view! { <Icon name="theme"/> }.into_any();
    view! {
        <Menu label="Theme" face>
            <form method="post" action=SetTheme::url() on:submit=on_submit>
                {Theme::ALL
                    .map(|theme| {
                        view! {
                            <button
                                class="menu-item"
                                name="theme"
                                value=theme.as_str()
                                aria-pressed=move || (chosen.get() == theme).to_string()
                            >
                                {theme.label()}
                            </button>
                        }
                    })
                    .collect_view()}
            </form>
        </Menu>
    }
    .into_any()
}
