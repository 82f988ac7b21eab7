//! What is done about users, members and tokens, by whichever door it is asked for. Each asks for its role itself, and is in the audit log.

use super::{
    Place, Who, member, password,
    token::{self, Of},
    user::{self, LastAdmin, User},
};
use crate::{
    app::error::ApiError,
    model::{
        Invited, Issued, Member, Name, NewToken, NewUser, ProjectId, Role, TokenId, TokenRow, TokenStatus,
        UserEdit, UserId, UserRow,
    },
    server::{
        App,
        api::error::internal,
        clock::now,
        events::Entry,
        storage::{StorageError, audit},
    },
};
use sqlx::Connection;

/// Writes down what was done or refused, and lets everybody whose access changed be told.
async fn record<T>(
    app: &App,
    who: &Who,
    action: &'static str,
    target: String,
    outcome: &Result<T, ApiError>,
) {
    app.access_changed().notify_one();
    let said = match outcome {
        Ok(_) => "done".to_owned(),
        Err(error) => format!("refused: {error}"),
    };
    let line = audit::Line { at: now(), actor: who.actor(), action, target, outcome: said };
    if let Err(error) = app.store().record(line.clone()).await {
        tracing::error!(%error, ?line, "the audit log could not be written");
    }
}

/// Tells in the event log what was done.
async fn tell(app: &App, who: &Who, entry: Entry) {
    entry.write(app.store(), who.actor()).await;
}

/// An entry about a user.
pub fn of_user(kind: &'static str, row: &UserRow, text: String) -> Entry {
    Entry::new(kind, text).with("user", &row.name).with("user_id", row.id)
}

/// How a role is told in a sentence.
fn in_words(role: Option<Role>) -> &'static str {
    role.map_or("no role", Role::as_str)
}

fn link(user: User, token: &str, expires_at: crate::model::Timestamp) -> Invited {
    Invited { user: user.row(), link: format!("/join/{token}"), expires_at }
}

pub async fn list_users(app: &App, who: &Who) -> Result<Vec<UserRow>, ApiError> {
    who.need(Role::Admin)?;
    let users = user::all(app.store().pool()).await.map_err(|error| internal(&error))?;
    Ok(users.into_iter().map(User::row).collect())
}

/// Adds a user without a password, and makes the link with which to choose one.
pub async fn create_user(app: &App, who: &Who, new: NewUser) -> Result<Invited, ApiError> {
    who.need(Role::Admin)?;
    let target = new.email.chars().take(254).collect();
    let pool = app.store().pool();
    let done = async {
        let user = user::insert(pool, &new, None, now()).await?;
        user::invite(pool, user.id, LastAdmin::Kept, now()).await
    };
    let outcome = done.await.map(|(user, token, expires_at)| link(user, &token, expires_at));
    record(app, who, "invite user", target, &outcome).await;
    if let Ok(Invited { user, .. }) = &outcome {
        let role = in_words(user.roles.fleet);
        let text = format!("User {} was invited, with {role} in the whole fleet", user.name);
        tell(app, who, of_user("user.created", user, text).with("role", role)).await;
    }
    outcome
}

/// Takes a user's password and sessions away, and makes the link with which to choose another.
pub async fn invite_again(app: &App, who: &Who, id: UserId) -> Result<Invited, ApiError> {
    who.need(Role::Admin)?;
    let invited = user::invite(app.store().pool(), id, LastAdmin::Kept, now()).await;
    let outcome = invited.map(|(user, token, expires_at)| link(user, &token, expires_at));
    record(app, who, "reset password", format!("user {id}"), &outcome).await;
    if let Ok(Invited { user, .. }) = &outcome {
        let text = format!("User {} was invited again; their password and their sessions ended", user.name);
        tell(app, who, of_user("user.updated", user, text)).await;
    }
    outcome
}

pub async fn edit_user(app: &App, who: &Who, id: UserId, edit: UserEdit) -> Result<UserRow, ApiError> {
    who.need(Role::Admin)?;
    let outcome = user::edit(app.store().pool(), id, &edit).await.map(User::row);
    let role = edit.role.map(|role| format!(", role {}", role.map_or("none", Role::as_str)));
    let disabled = edit.disabled.map(|disabled| if disabled { ", disabled" } else { ", enabled" });
    let target = format!("user {id}{}{}", role.unwrap_or_default(), disabled.unwrap_or_default());
    record(app, who, "change user", target, &outcome).await;
    if let Ok(user) = &outcome
        && let Some(text) = edited(user, &edit)
    {
        tell(app, who, of_user("user.updated", user, text)).await;
    }
    outcome
}

pub async fn delete_user(app: &App, who: &Who, id: UserId) -> Result<(), ApiError> {
    who.need(Role::Admin)?;
    let outcome = user::delete(app.store().pool(), id).await;
    let target =
        outcome.as_ref().map_or_else(|_| format!("user {id}"), |user| format!("user {}", user.email));
    record(app, who, "delete user", target, &outcome).await;
    let user = outcome?.row();
    tell(app, who, of_user("user.deleted", &user, format!("User {} was deleted", user.name))).await;
    Ok(())
}

/// What an edit made of a user, in a sentence; `None` for one that names nothing.
pub fn edited(user: &UserRow, edit: &UserEdit) -> Option<String> {
    let name = edit.name.as_ref().map(|_| "was renamed".to_owned());
    let role = edit.role.map(|role| format!("has {} in the whole fleet now", in_words(role)));
    let disabled = edit.disabled.map(|disabled| match disabled {
        true => "was disabled".to_owned(),
        false => "is enabled".to_owned(),
    });
    let all: Vec<String> = name.into_iter().chain(role).chain(disabled).collect();
    (!all.is_empty()).then(|| format!("User {} {}", user.name, all.join(", ")))
}

/// Gives oneself another password. Other sessions end.
pub async fn change_password(app: &App, who: &Who, current: &str, new: &str) -> Result<(), ApiError> {
    who.need_session()?;
    app.throttle().check(Place::Inside, &who.email, now())?;
    let user = user::by_email(app.store().pool(), &who.email).await.map_err(|error| internal(&error))?;
    let user = user.ok_or(ApiError::Unauthorized)?;
    if !password::verify(current.to_owned(), user.password_hash).await {
        app.throttle().failed(Place::Inside, &who.email, now());
        let detail = "The current password is wrong. Nothing was changed.".to_owned();
        return Err(ApiError::BadRequest { detail });
    }
    let hash = password::hash(new.to_owned()).await?;
    let failed = |error: sqlx::Error| internal(&StorageError::from(error));
    let outcome = async {
        let mut connection = app.store().pool().acquire().await.map_err(failed)?;
        let mut transaction = connection.begin_with("BEGIN IMMEDIATE").await.map_err(failed)?;
        user::set_password(&mut transaction, who.user_id, &hash).await?;
        user::end_sessions(&mut transaction, who.user_id, Some(&who.session)).await?;
        transaction.commit().await.map_err(failed)
    };
    let outcome = outcome.await;
    record(app, who, "change password", format!("user {}", who.email), &outcome).await;
    if outcome.is_ok() {
        let text = format!("User {} chose another password", who.name);
        tell(app, who, Entry::new("user.updated", text).with("user", &who.name).with("user_id", who.user_id))
            .await;
    }
    outcome
}

/// A project that is there, and that `who` sees.
fn project(app: &App, who: &Who, id: ProjectId, role: Role) -> Result<Name, ApiError> {
    who.need_in(id, role)?;
    let fleet = app.store().fleet();
    fleet.project(id).map(|project| project.name.clone()).ok_or(ApiError::Gone { what: "project".to_owned() })
}

pub async fn list_members(app: &App, who: &Who, id: ProjectId) -> Result<Vec<Member>, ApiError> {
    project(app, who, id, Role::Viewer)?;
    member::of_project(app.store().pool(), id).await.map_err(|error| internal(&error))
}

/// Who becomes a member: administrators of a project know addresses, not ids.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Person {
    Id(UserId),
    Email(String),
}

/// Makes a user a member of a project, or gives a member another role.
pub async fn set_member(
    app: &App,
    who: &Who,
    id: ProjectId,
    person: Person,
    role: Role,
) -> Result<Member, ApiError> {
    let project = project(app, who, id, Role::Admin)?;
    let pool = app.store().pool();
    let outcome = async {
        let user = match &person {
            Person::Id(user) => *user,
            Person::Email(email) => {
                let email = user::email_of(email)?;
                let found = user::by_email(pool, &email).await.map_err(|error| internal(&error))?;
                let detail = format!(
                    "There is no user with the address {email}. An administrator of the fleet can invite them."
                );
                found.ok_or(ApiError::BadRequest { detail })?.id
            }
        };
        member::put(pool, id, user, role).await?;
        let members = member::of_project(pool, id).await.map_err(|error| internal(&error))?;
        let member = members.into_iter().find(|member| member.user_id == user);
        member.ok_or(ApiError::Gone { what: "member".to_owned() })
    };
    let outcome = outcome.await;
    let person = match (&outcome, person) {
        (Ok(member), _) => member.email.clone(),
        (Err(_), Person::Id(id)) => id.to_string(),
        (Err(_), Person::Email(email)) => email.chars().take(254).collect(),
    };
    record(app, who, "set member", format!("{person} {} of project {id}", role.as_str()), &outcome).await;
    if let Ok(member) = &outcome {
        let text = format!("{} is {} in project {project} now", member.name, role.as_str());
        tell(app, who, of_member("member.updated", &project, id, member, text).with("role", role.as_str()))
            .await;
    }
    outcome
}

pub async fn remove_member(app: &App, who: &Who, id: ProjectId, user: UserId) -> Result<(), ApiError> {
    let project = project(app, who, id, Role::Admin)?;
    let pool = app.store().pool();
    // Their name is known as long as they are there.
    let members = member::of_project(pool, id).await.map_err(|error| internal(&error))?;
    let outcome = member::remove(pool, id, user).await;
    record(app, who, "remove member", format!("user {user} from project {id}"), &outcome).await;
    outcome?;
    if let Some(member) = members.iter().find(|member| member.user_id == user) {
        let text = format!("{} is no member of project {project} any more", member.name);
        tell(app, who, of_member("member.removed", &project, id, member, text)).await;
    }
    Ok(())
}

fn of_member(kind: &'static str, project: &Name, id: ProjectId, member: &Member, text: String) -> Entry {
    let entry = Entry::new(kind, text).of_project(id).with("project", project);
    entry.with("user", &member.name).with("user_id", member.user_id)
}

/// One's own tokens; for administrators of the fleet, everybody's and those of services.
pub async fn list_tokens(app: &App, who: &Who) -> Result<Vec<TokenRow>, ApiError> {
    let of = if who.roles.in_fleet(Role::Admin) { Of::Everybody } else { Of::User(who.user_id) };
    token::list(app.store().pool(), of, now()).await.map_err(|error| internal(&error))
}

pub async fn create_token(app: &App, who: &Who, new: NewToken) -> Result<Issued, ApiError> {
    who.need_session()?;
    if new.service {
        who.need(Role::Admin)?;
    }
    if let Some(roles) = &new.roles {
        token::at_most(roles, &who.roles)?;
    }
    let owner = (!new.service).then_some(who.user_id);
    let outcome = token::create(app.store().pool(), owner, &new, now()).await;
    let kind = if new.service { "service " } else { "" };
    let name: String = new.name.chars().take(80).collect();
    record(app, who, "create token", format!("{kind}{name}"), &outcome).await;
    if let Ok((row, _)) = &outcome {
        tell(app, who, of_token("token.created", row, "was made")).await;
    }
    outcome.map(|(token, secret)| Issued { token, secret })
}

/// Makes a token good for nothing: one's own, or for administrators of the fleet anybody's. Its streams end.
pub async fn revoke_token(app: &App, who: &Who, id: TokenId) -> Result<TokenRow, ApiError> {
    let pool = app.store().pool();
    let found = token::show(pool, id, now()).await.map_err(|error| internal(&error))?;
    let visible = found.filter(|row| row.owner == Some(who.user_id) || who.roles.in_fleet(Role::Admin));
    let gone = || ApiError::Gone { what: "token".to_owned() };
    let row = visible.ok_or_else(gone)?;
    let outcome = token::revoke(pool, id, now()).await;
    record(app, who, "revoke token", format!("{} ({id})", row.name), &outcome).await;
    outcome?;
    if row.status != TokenStatus::Revoked {
        tell(app, who, of_token("token.revoked", &row, "was revoked")).await;
    }
    token::show(pool, id, now()).await.map_err(|error| internal(&error))?.ok_or_else(gone)
}

/// An entry about a token: whose it is, and what became of it.
pub fn of_token(kind: &'static str, row: &TokenRow, became: &str) -> Entry {
    let whose = row.owner_name.as_ref().map_or_else(|| "a service".to_owned(), |name| format!("user {name}"));
    let text = format!("The token {} of {whose} {became}", row.name);
    Entry::new(kind, text).with("token", &row.name).with("token_id", row.id)
}
