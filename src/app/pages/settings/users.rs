//! The users of the console, for administrators: who they are, what they may do, and a link for who is new.

use super::{
    IN_THE_FLEET, RoleChoice, SettingsNav, UserState,
    fetched::{Fetched, FetchedAt},
    take_over,
    told::{Told, ToldDialog},
};
use crate::{
    app::{
        account::{CreateUser, EditUser, InviteAgain, edit_user, invite_again, list_users},
        components::{Disclose, Question, SecondStep, use_toasts},
        guard::use_desk,
        live::page::origin,
        store::use_store,
    },
    model::{Invited, Role, UserId, UserRow, UserStatus},
};
use leptos::{ev::SubmitEvent, form::ActionForm, html, prelude::*};
use leptos_meta::Title;
use server_fn::ServerFn;

#[component]
pub fn UsersPage() -> impl IntoView {
    if !use_store().may_administer() {
        return view! {
            <Title text="Users"/>
            <SettingsNav/>
            <h1>"Users"</h1>
            <p class="empty">"Users are for the administrators of the fleet. Ask one of them."</p>
        }
        .into_any();
    }
    let desk = use_desk();
    let told = RwSignal::new(None::<Told>);
    let list = Fetched::<UserRow>::new(list_users);
    let on_edit = take_over(desk, list, question, |ask: EditUser| async move {
        let user = edit_user(ask.id, ask.name, ask.role, ask.disabled).await?;
        let role = user.roles.fleet.map_or("no role in the fleet", Role::as_str);
        Ok(format!("{} is {}, {role}.", user.email, user.status.as_str()))
    });
    let on_invite = take_over(
        desk,
        list,
        |_: &InviteAgain| {
            Some(Question {
                title: "Make a new link?".to_owned(),
                losses: vec!["The user's password stops working and their sessions end. With the link they choose another password.".to_owned()],
                verb: "Make a new link",
            })
        },
        move |ask: InviteAgain| async move {
            let invited = invite_again(ask.id).await?;
            let message = format!("There is a new link for {}.", invited.user.email);
            tell(told, &invited);
            Ok(message)
        },
    );
    view! {
        <Title text="Users"/>
        <SettingsNav/>
        <div class="page-head">
            <h1>"Users"</h1>
            <AddUser told list/>
        </div>
        <section class="panel" aria-label="Users">
            <Transition fallback=|| view! { <p class="quiet-text">"Fetching the users…"</p> }>
                {move || Suspend::new(async move {
                    match list.rows.await {
                        Err(error) => view! { <p class="notice tone-bad" role="alert">{error.to_string()}</p> }.into_any(),
                        Ok(users) => view! {
                            <ul class="lines">
                                {users.into_iter().map(|user| view! { <Row user on_edit on_invite/> }).collect_view()}
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

fn question(ask: &EditUser) -> Option<Question> {
    (ask.disabled == Some(true)).then(|| Question {
        title: "Disable this user?".to_owned(),
        losses: vec![
            "They are signed out everywhere at once, and their tokens stop working. It can be undone."
                .to_owned(),
        ],
        verb: "Disable user",
    })
}

fn tell(told: RwSignal<Option<Told>>, invited: &Invited) {
    told.set(Some(Told {
        title: format!("The link for {}", invited.user.email),
        what: "link",
        secret: format!("{}{}", origin(), invited.link),
        note: "Whoever opens it first chooses the password and is that user: hand it over privately.",
    }));
}

/// It takes a script, as nothing else could show the link.
#[component]
fn AddUser(told: RwSignal<Option<Told>>, list: Fetched<UserRow>) -> impl IntoView {
    let toasts = use_toasts();
    let action = ServerAction::<CreateUser>::new();
    let error = Memo::new(move |_| {
        action.value().with(|value| value.as_ref()?.as_ref().err().map(ToString::to_string))
    });
    let (details, email) = (NodeRef::<html::Details>::new(), NodeRef::<html::Input>::new());
    Effect::new(move |_| {
        let done = action.value().with(|value| value.as_ref().and_then(|value| value.as_ref().ok().cloned()));
        if let Some(invited) = done {
            toasts.success(format!("{} was added.", invited.user.email));
            tell(told, &invited);
            list.again();
            if let Some(email) = email.get_untracked() {
                email.set_value("");
            }
            if let Some(details) = details.get_untracked() {
                details.set_open(false);
            }
        }
    });
    view! {
        <div class="needs-script head-end">
            <Disclose label="Add user" open=false details first=email>
                <ActionForm action>
                    <div class="field">
                        <label for="user-email">"Email"</label>
                        <input node_ref=email id="user-email" class="input" name="email" type="email" maxlength="254" required=true autocomplete="off"/>
                    </div>
                    <div class="field">
                        <label for="user-name">"Name " <span class="field-note">"if it is another than in the address"</span></label>
                        <input id="user-name" class="input" name="name" maxlength="80" autocomplete="off"/>
                    </div>
                    <div class="field">
                        <label for="user-role">"Role in the whole fleet"</label>
                        <RoleChoice id="user-role" among=IN_THE_FLEET chosen=None/>
                        <p class="field-note">"None: they see clusters and workers, and the projects that they are members of."</p>
                    </div>
                    {move || error.get().map(|error| view! { <p class="notice tone-bad" role="alert">{error}</p> })}
                    <div class="form-actions">
                        <button class="button primary" disabled=move || action.pending().get()>"Add"</button>
                    </div>
                </ActionForm>
            </Disclose>
        </div>
    }
    .into_any()
}

#[component]
fn Row(user: UserRow, on_edit: Callback<SubmitEvent>, on_invite: Callback<SubmitEvent>) -> impl IntoView {
    let id: UserId = user.id;
    let me = use_store().me.with_untracked(|me| me.as_ref().is_some_and(|me| me.user_id == id));
    let choice = format!("role-{id}");
    let about = format!("Role of {} in the whole fleet", user.email);
    let disabled = user.status == UserStatus::Disabled;
    let projects = user.roles.projects.len();
    let projects = (projects > 0).then(|| {
        format!("and in {}", crate::app::components::format::counted(projects, "project", "projects"))
    });
    view! {
        <li class="line" data-user=user.email.clone()>
            <span class="line-name">{user.name.clone()}</span>
            <span class="quiet-text">{user.email.clone()}</span>
            <UserState status=user.status/>
            <span class="quiet-text">{projects}</span>
            // Nobody takes their own way in away by a slip.
            {me.then(|| view! { <span class="quiet-text">"you"</span> })}
            {(!me).then(|| view! {
                <span class="line-actions">
                    <form class="actions" method="post" action=EditUser::url() on:submit=move |event| on_edit.run(event)>
                        <input type="hidden" name="id" value=id.to_string()/>
                        <label class="visually-hidden" for=choice.clone()>{about}</label>
                        <RoleChoice id=choice among=IN_THE_FLEET chosen=user.roles.fleet/>
                        <button class="button">"Change role"</button>
                    </form>
                    <form class="actions" method="post" action=EditUser::url() on:submit=move |event| on_edit.run(event)>
                        <input type="hidden" name="id" value=id.to_string()/>
                        {if disabled {
                            view! { <button class="button" name="disabled" value="false">"Enable"</button> }.into_any()
                        } else {
                            view! {
                                <SecondStep label="Disable" name="disabled" value="true" loss="They are signed out everywhere at once.">
                                    <button class="button danger" name="disabled" value="true">"Disable"</button>
                                </SecondStep>
                            }.into_any()
                        }}
                    </form>
                    <form class="actions needs-script" method="post" action=InviteAgain::url() on:submit=move |event| on_invite.run(event)>
                        <input type="hidden" name="id" value=id.to_string()/>
                        <button class="button">"New link"</button>
                    </form>
                </span>
            })}
        </li>
    }
    .into_any()
}
