//! One's own account: who one is, what one may do, another password.

use super::SettingsNav;
use crate::{
    app::{account::ChangePassword, components::use_toasts, store::use_store},
    model::Role,
};
use leptos::{form::ActionForm, html, prelude::*};
use leptos_meta::Title;

#[component]
pub fn SettingsPage() -> impl IntoView {
    let (store, toasts) = (use_store(), use_toasts());
    let me = store.me.get_untracked();
    let action = ServerAction::<ChangePassword>::new();
    let error = Memo::new(move |_| {
        action.value().with(|value| value.as_ref()?.as_ref().err().map(ToString::to_string))
    });
    let (current, new) = (NodeRef::<html::Input>::new(), NodeRef::<html::Input>::new());
    Effect::new(move |_| {
        if action.value().with(|value| matches!(value, Some(Ok(())))) {
            toasts.success("Your password was changed. Your other sessions were ended.".to_owned());
            for input in [current, new].into_iter().filter_map(|input| input.get_untracked()) {
                input.set_value("");
            }
        }
    });
    let roles = me.as_ref().map(|me| {
        let fleet = me.roles.fleet.map_or("none", Role::as_str);
        let projects = me.roles.projects.iter().map(|(project, role)| {
            view! { <dt>{format!("Role in {}", store.project_name_now(*project))}</dt> <dd>{role.as_str()}</dd> }
        });
        view! {
            <dt>"Role in the whole fleet"</dt>
            <dd>{fleet}</dd>
            {projects.collect_view()}
        }
    });
    let (name, email) = me.as_ref().map(|me| (me.name.clone(), me.email.clone())).unwrap_or_default();
    view! {
        <Title text="Settings"/>
        <SettingsNav/>
        <div class="page-head">
            <h1>"Your account"</h1>
        </div>
        <div class="columns">
            <section class="panel" aria-labelledby="own-about">
                <h2 id="own-about">"You"</h2>
                <dl class="facts">
                    <dt>"Name"</dt>
                    <dd>{name}</dd>
                    <dt>"Email"</dt>
                    <dd>{email.clone()}</dd>
                    {roles}
                </dl>
                <p class="field-note">"The theme and real-time are switched in the bar above, for this browser."</p>
            </section>
            <section class="panel" aria-labelledby="own-password">
                <h2 id="own-password">"Password"</h2>
                <ActionForm action>
                    // For programs that keep passwords.
                    <input class="visually-hidden" type="email" name="username" autocomplete="username" value=email tabindex="-1" aria-hidden="true" readonly=true/>
                    <div class="field">
                        <label for="own-current">"Present password"</label>
                        <input node_ref=current id="own-current" class="input" name="current" type="password" required=true autocomplete="current-password"/>
                    </div>
                    <div class="field">
                        <label for="own-new">"New password"</label>
                        <input node_ref=new id="own-new" class="input" name="new" type="password" minlength="10" required=true autocomplete="new-password"/>
                    </div>
                    {move || error.get().map(|error| view! { <p class="notice tone-bad" role="alert">{error}</p> })}
                    <div class="form-actions">
                        <button class="button primary" disabled=move || action.pending().get()>"Change password"</button>
                    </div>
                </ActionForm>
            </section>
        </div>
    }
    .into_any()
}
