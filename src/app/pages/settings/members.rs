//! Who is a member of a project, with which role. The project's administrators change it.

use super::{
    IN_A_PROJECT, RoleChoice, UserState,
    fetched::{Fetched, FetchedAt},
    take_over,
};
use crate::{
    app::{
        account::{RemoveMember, SetMember, list_members, remove_member, set_member},
        components::{Question, SecondStep},
        guard::use_desk,
        store::use_store,
    },
    model::{Member, ProjectId, Role},
};
use leptos::{ev::SubmitEvent, prelude::*};
use server_fn::ServerFn;

#[component]
pub fn Members(project: ProjectId) -> impl IntoView {
    let (store, desk) = (use_store(), use_desk());
    let may = store.may_in(project, Role::Admin);
    let list = Fetched::<Member>::new(move || list_members(project));
    let on_set = take_over(
        desk,
        list,
        |_: &SetMember| None,
        |ask: SetMember| async move {
            let member = set_member(ask.project_id, ask.email, ask.role).await?;
            Ok(format!("{} is {} of this project now.", member.name, article(member.role)))
        },
    );
    let on_remove = take_over(
        desk,
        list,
        |_: &RemoveMember| {
            Some(Question {
                title: "Remove this member?".to_owned(),
                losses: vec![
                    "They stop seeing the project at once, wherever they have it open. What they did stays."
                        .to_owned(),
                ],
                verb: "Remove member",
            })
        },
        |ask: RemoveMember| async move {
            remove_member(ask.project_id, ask.user_id).await?;
            Ok("The member was removed.".to_owned())
        },
    );
    view! {
        <section class="panel" aria-labelledby="project-members">
            <h2 id="project-members">"Members"</h2>
            <Transition fallback=|| view! { <p class="quiet-text">"Fetching the members…"</p> }>
                {move || Suspend::new(async move {
                    match list.rows.await {
                        Err(error) => view! { <p class="notice tone-bad" role="alert">{error.to_string()}</p> }.into_any(),
                        Ok(members) if members.is_empty() => view! {
                            <p class="quiet-text">"No members. Who has a role in the whole fleet sees it all the same."</p>
                        }.into_any(),
                        Ok(members) => view! {
                            <ul class="lines">
                                {members.into_iter().map(|member| view! { <Row project member may on_set on_remove/> }).collect_view()}
                            </ul>
                        }.into_any(),
                    }
                })}
            </Transition>
            {may.then(|| view! {
                <form class="actions add-line" method="post" action=SetMember::url() on:submit=move |event| on_set.run(event)>
                    <input type="hidden" name="project_id" value=project.to_string()/>
                    <label class="visually-hidden" for="member-email">"Email of a user"</label>
                    <input id="member-email" class="input" name="email" type="email" required=true placeholder="Email of a user" autocomplete="off"/>
                    <label class="visually-hidden" for="member-role">"Role"</label>
                    <RoleChoice id="member-role" among=IN_A_PROJECT chosen=Some(Role::Viewer)/>
                    <button class="button">"Add member"</button>
                </form>
            })}
            <FetchedAt list/>
        </section>
    }
    .into_any()
}

fn article(role: Role) -> &'static str {
    match role {
        Role::Viewer => "a viewer",
        Role::Operator => "an operator",
        Role::Admin => "an administrator",
    }
}

#[component]
fn Row(
    project: ProjectId,
    member: Member,
    may: bool,
    on_set: Callback<SubmitEvent>,
    on_remove: Callback<SubmitEvent>,
) -> impl IntoView {
    let choice = format!("role-{}", member.user_id);
    let about = format!("Role of {}", member.email);
    view! {
        <li class="line" data-member=member.email.clone()>
            <span class="line-name">{member.name.clone()}</span>
            <span class="quiet-text">{member.email.clone()}</span>
            <UserState status=member.status/>
            {if may {
                view! {
                    <span class="line-actions">
                        <form class="actions" method="post" action=SetMember::url() on:submit=move |event| on_set.run(event)>
                            <input type="hidden" name="project_id" value=project.to_string()/>
                            <input type="hidden" name="email" value=member.email.clone()/>
                            <label class="visually-hidden" for=choice.clone()>{about}</label>
                            <RoleChoice id=choice among=IN_A_PROJECT chosen=Some(member.role)/>
                            <button class="button">"Change role"</button>
                        </form>
                        <form class="actions" method="post" action=RemoveMember::url() on:submit=move |event| on_remove.run(event)>
                            <input type="hidden" name="project_id" value=project.to_string()/>
                            <SecondStep label="Remove" name="user_id" value=member.user_id.to_string() loss="They stop seeing the project at once.">
                                <button class="button danger" name="user_id" value=member.user_id.to_string()>"Remove"</button>
                            </SecondStep>
                        </form>
                    </span>
                }.into_any()
            } else {
                view! { <span>{member.role.as_str()}</span> }.into_any()
            }}
        </li>
    }
    .into_any()
}
