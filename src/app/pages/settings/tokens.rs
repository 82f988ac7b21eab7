//! Tokens for programs: one's own, and, for administrators, everybody's and those of services.

use super::{
    SettingsNav,
    fetched::{Fetched, FetchedAt},
    take_over,
    told::{Told, ToldDialog},
};
use crate::{
    app::{
        account::{CreateToken, RevokeToken, list_tokens, revoke_token},
        components::{
            Ago, Disclose, Glyph, Moment, Question, SecondStep, State, StateBadge, Tone, use_toasts,
        },
        guard::use_desk,
        store::{Store, use_store},
    },
    model::{Roles, TokenRow, TokenStatus},
};
use leptos::{ev::SubmitEvent, form::ActionForm, html, prelude::*};
use leptos_meta::Title;
use server_fn::ServerFn;

#[component]
pub fn TokensPage() -> impl IntoView {
    let desk = use_desk();
    let told = RwSignal::new(None::<Told>);
    let list = Fetched::<TokenRow>::new(list_tokens);
    let on_revoke = take_over(
        desk,
        list,
        |_: &RevokeToken| {
            Some(Question {
                title: "Revoke this token?".to_owned(),
                losses: vec![
                    "What uses it is refused from now on, and its streams end. It cannot be undone."
                        .to_owned(),
                ],
                verb: "Revoke token",
            })
        },
        |ask: RevokeToken| async move {
            let token = revoke_token(ask.id).await?;
            Ok(format!("The token {} was revoked.", token.name))
        },
    );
    view! {
        <Title text="Tokens"/>
        <SettingsNav/>
        <div class="page-head">
            <h1>"Tokens"</h1>
            <CreateTokenForm told list/>
        </div>
        <p class="without-script quiet-text">"Making a token needs JavaScript: its secret is shown once, and never sent again."</p>
        <section class="panel" aria-label="Tokens">
            <Transition fallback=|| view! { <p class="quiet-text">"Fetching the tokens…"</p> }>
                {move || Suspend::new(async move {
                    match list.rows.await {
                        Err(error) => view! { <p class="notice tone-bad" role="alert">{error.to_string()}</p> }.into_any(),
                        Ok(tokens) if tokens.is_empty() => view! {
                            <p class="quiet-text">"No tokens. A program shows one as " <code class="mono">"Authorization: Bearer …"</code> "."</p>
                        }.into_any(),
                        Ok(tokens) => view! {
                            <ul class="lines">
                                {tokens.into_iter().map(|token| view! { <Row token on_revoke/> }).collect_view()}
                            </ul>
                        }.into_any(),
                    }
                })}
            </Transition>
        </section>
        <FetchedAt list/>
        <ToldDialog told/>
    }
    .into_any()
}

/// It takes a script, as nothing else could show the secret.
#[component]
fn CreateTokenForm(told: RwSignal<Option<Told>>, list: Fetched<TokenRow>) -> impl IntoView {
    let (store, toasts) = (use_store(), use_toasts());
    let action = ServerAction::<CreateToken>::new();
    let error = Memo::new(move |_| {
        action.value().with(|value| value.as_ref()?.as_ref().err().map(ToString::to_string))
    });
    let (details, name) = (NodeRef::<html::Details>::new(), NodeRef::<html::Input>::new());
    let projects = Memo::new(move |_| {
        store.projects.with(|rows| rows.iter().map(|row| (row.id, row.name.to_string())).collect::<Vec<_>>())
    });
    Effect::new(move |_| {
        let done = action.value().with(|value| value.as_ref().and_then(|value| value.as_ref().ok().cloned()));
        if let Some(issued) = done {
            toasts.announce(format!("The token {} was made.", issued.token.name));
            told.set(Some(Told {
                title: format!("The token {}", issued.token.name),
                what: "token",
                secret: issued.secret,
                note: "Whoever has it may do what it may.",
            }));
            list.again();
            if let Some(name) = name.get_untracked() {
                name.set_value("");
            }
            if let Some(details) = details.get_untracked() {
                details.set_open(false);
            }
        }
    });
    let admin = store.may_administer();
    view! {
        <div class="needs-script head-end">
            <Disclose label="Create token" open=false details first=name>
                <ActionForm action>
                    <div class="field">
                        <label for="token-name">"Name"</label>
                        <input node_ref=name id="token-name" class="input" name="name" maxlength="80" required=true autocomplete="off"/>
                    </div>
                    <div class="field-pair">
                        <div class="field">
                            <label for="token-role">"It may"</label>
                            <select id="token-role" name="role" class="select">
                                <option value="viewer">"read (viewer)"</option>
                                <option value="operator">"also act (operator)"</option>
                                <option value="admin">"also manage (admin)"</option>
                                <option value="">"do whatever you may"</option>
                            </select>
                        </div>
                        <div class="field">
                            <label for="token-project">"Where"</label>
                            <select id="token-project" name="project_id" class="select">
                                <option value="">"everywhere"</option>
                                <For each=move || projects.get() key=|project| project.clone() let:project>
                                    <option value=project.0.to_string()>{format!("project {}", project.1)}</option>
                                </For>
                            </select>
                        </div>
                    </div>
                    <div class="field">
                        <label for="token-days">"Days until it expires"</label>
                        <input id="token-days" class="input" name="days" type="number" min="1" max="3650" value="90" aria-describedby="token-days-note"/>
                        <p class="field-note" id="token-days-note">"Empty: until it is revoked."</p>
                    </div>
                    {admin.then(|| view! {
                        <label class="choice">
                            <input type="checkbox" name="service" value="true"/>
                            <span>"For a service" <span class="field-note">"outlives you; needs a role of its own"</span></span>
                        </label>
                    })}
                    {move || error.get().map(|error| view! { <p class="notice tone-bad" role="alert">{error}</p> })}
                    <div class="form-actions">
                        <button class="button primary" disabled=move || action.pending().get()>"Create"</button>
                    </div>
                </ActionForm>
            </Disclose>
        </div>
    }
    .into_any()
}

/// `operator in the fleet`, `viewer in research`.
fn words(store: Store, roles: &Roles) -> String {
    let fleet = roles.fleet.map(|role| format!("{} in the fleet", role.as_str()));
    let projects = roles.projects.iter().map(|(project, role)| {
        let name = store.project_name_now(*project);
        let name = if name.is_empty() { "a project that is gone" } else { &name };
        format!("{} in {name}", role.as_str())
    });
    let all: Vec<String> = fleet.into_iter().chain(projects).collect();
    if all.is_empty() { "nothing".to_owned() } else { all.join(", ") }
}

#[component]
fn Row(token: TokenRow, on_revoke: Callback<SubmitEvent>) -> impl IntoView {
    let store = use_store();
    let (glyph, tone, word) = match token.status {
        TokenStatus::Active => (Glyph::Dot, Tone::Good, "active"),
        TokenStatus::Expired => (Glyph::Ring, Tone::Quiet, "expired"),
        TokenStatus::Revoked => (Glyph::Square, Tone::Quiet, "revoked"),
    };
    let state = Signal::stored(State::new(glyph, tone, word));
    let of = match (&token.owner, &token.owner_name) {
        (None, _) => "service".to_owned(),
        (Some(_), name) => name.clone().unwrap_or_else(|| "a user that is gone".to_owned()),
    };
    let active = token.status == TokenStatus::Active;
    view! {
        <li class="line" data-token=token.name.clone()>
            <span class="line-name">{token.name.clone()}</span>
            <StateBadge state/>
            <span class="quiet-text">{of} " · " {words(store, &token.roles)}</span>
            <span class="quiet-text">
                {match token.last_used_at {
                    Some(at) => view! { "used " <Ago at/> " ago" }.into_any(),
                    None => "never used".into_any(),
                }}
            </span>
            <span class="quiet-text">
                {match token.expires_at {
                    Some(at) => view! { "expires " <Moment at/> }.into_any(),
                    None => "does not expire".into_any(),
                }}
            </span>
            <span class="line-actions">
                {active.then(|| view! {
                    <form class="actions" method="post" action=RevokeToken::url() on:submit=move |event| on_revoke.run(event)>
                        <SecondStep label="Revoke" name="id" value=token.id.to_string() loss="What uses it is refused from now on.">
                            <button class="button danger" name="id" value=token.id.to_string()>"Revoke"</button>
                        </SecondStep>
                    </form>
                })}
            </span>
        </li>
    }
    .into_any()
}
