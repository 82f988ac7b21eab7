//! The server functions of users, members and tokens.
//!
//! As in [`super::actions`], each is also the target of a plain HTML form: a field that is empty is one that was left out.

use super::error::ApiError;
use crate::model::{AuditPage, Invited, Issued, Member, ProjectId, TokenId, TokenRow, UserId, UserRow};
#[cfg(feature = "ssr")]
use crate::{
    model::{NewToken, NewUser, Role, Roles, UserEdit, audit::LINES_PER_PAGE},
    server::{
        App,
        api::{
            audit,
            tokens::{DAYS, in_days},
        },
        auth::{
            self, Who,
            account::{self, Person},
        },
        context::{app, fail, set_session, who},
    },
};
use leptos::prelude::*;
use serde::{Deserialize, Serialize};

/// The console, and who asks it.
#[cfg(feature = "ssr")]
async fn asked() -> Result<(App, Who), ApiError> {
    Ok((app().map_err(fail)?, who().await.map_err(fail)?))
}

/// The role in a form's field; empty or `none` is none.
#[cfg(feature = "ssr")]
fn role_of(text: &str) -> Result<Option<Role>, ApiError> {
    match text.trim() {
        "" | "none" => Ok(None),
        word => Role::parse(word).map(Some).ok_or_else(|| ApiError::BadRequest {
            detail: format!(
                "The role must be viewer, operator or admin; it is {:?}.",
                word.chars().take(40).collect::<String>()
            ),
        }),
    }
}

#[cfg(feature = "ssr")]
fn role_in_project(text: &str) -> Result<Role, ApiError> {
    let detail = "Choose a role: viewer, operator or admin.".to_owned();
    role_of(text)?.ok_or(ApiError::BadRequest { detail })
}

#[cfg(feature = "ssr")]
fn given(text: Option<String>) -> Option<String> {
    text.map(|text| text.trim().to_owned()).filter(|text| !text.is_empty())
}

/// A page of the audit log, newest first: what is older than the line `before`. For administrators of the fleet.
#[server(prefix = "/do", endpoint = "audit")]
pub async fn audit_log(#[server(default)] before: Option<u64>) -> Result<AuditPage, ApiError> {
    let (app, who) = asked().await?;
    audit::page(&app, &who, before, LINES_PER_PAGE).await.map_err(fail)
}

/// Every user, by address. For administrators of the fleet.
#[server(prefix = "/do", endpoint = "list-users")]
pub async fn list_users() -> Result<Vec<UserRow>, ApiError> {
    let (app, who) = asked().await?;
    account::list_users(&app, &who).await.map_err(fail)
}

/// Adds a user and answers with the link with which they choose a password. `role` is `none`, `viewer`, `operator` or `admin`.
#[server(prefix = "/do", endpoint = "create-user")]
pub async fn create_user(
    email: String,
    #[server(default)] name: Option<String>,
    #[server(default)] role: String,
) -> Result<Invited, ApiError> {
    let (app, who) = asked().await?;
    let name = given(name).unwrap_or_else(|| email.split('@').next().unwrap_or_default().trim().to_owned());
    let new = NewUser { name, role: role_of(&role).map_err(fail)?, email };
    account::create_user(&app, &who, new).await.map_err(fail)
}

/// Changes what is given: `role` is `none`, `viewer`, `operator` or `admin`.
#[server(prefix = "/do", endpoint = "edit-user")]
pub async fn edit_user(
    id: UserId,
    #[server(default)] name: Option<String>,
    #[server(default)] role: Option<String>,
    #[server(default)] disabled: Option<bool>,
) -> Result<UserRow, ApiError> {
    let (app, who) = asked().await?;
    let role = given(role).as_deref().map(role_of).transpose().map_err(fail)?;
    account::edit_user(&app, &who, id, UserEdit { name: given(name), role, disabled }).await.map_err(fail)
}

/// Takes a user's password and sessions away, and answers with a new link.
#[server(prefix = "/do", endpoint = "invite-again")]
pub async fn invite_again(id: UserId) -> Result<Invited, ApiError> {
    let (app, who) = asked().await?;
    account::invite_again(&app, &who, id).await.map_err(fail)
}

#[server(prefix = "/do", endpoint = "delete-user")]
pub async fn delete_user(id: UserId) -> Result<(), ApiError> {
    let (app, who) = asked().await?;
    account::delete_user(&app, &who, id).await.map_err(fail)
}

/// The members of a project, for whoever sees it.
#[server(prefix = "/do", endpoint = "list-members")]
pub async fn list_members(project_id: ProjectId) -> Result<Vec<Member>, ApiError> {
    let (app, who) = asked().await?;
    account::list_members(&app, &who, project_id).await.map_err(fail)
}

/// Makes the user with this address a member, or gives the member another role. For the project's administrators.
#[server(prefix = "/do", endpoint = "set-member")]
pub async fn set_member(project_id: ProjectId, email: String, role: String) -> Result<Member, ApiError> {
    let (app, who) = asked().await?;
    let role = role_in_project(&role).map_err(fail)?;
    account::set_member(&app, &who, project_id, Person::Email(email), role).await.map_err(fail)
}

#[server(prefix = "/do", endpoint = "remove-member")]
pub async fn remove_member(project_id: ProjectId, user_id: UserId) -> Result<(), ApiError> {
    let (app, who) = asked().await?;
    account::remove_member(&app, &who, project_id, user_id).await.map_err(fail)
}

/// One's own tokens; for administrators of the fleet all of them.
#[server(prefix = "/do", endpoint = "list-tokens")]
pub async fn list_tokens() -> Result<Vec<TokenRow>, ApiError> {
    let (app, who) = asked().await?;
    account::list_tokens(&app, &who).await.map_err(fail)
}

/// Makes a token and answers with its secret, this once. Without `role` it may do whatever its owner may; with `project_id` the role is for
/// that project alone. `days` from 1 to 3650; empty: until it is revoked.
#[server(prefix = "/do", endpoint = "create-token")]
pub async fn create_token(
    name: String,
    #[server(default)] role: String,
    #[server(default)] project_id: Option<String>,
    #[server(default)] service: bool,
    #[server(default)] days: Option<String>,
) -> Result<Issued, ApiError> {
    let (app, who) = asked().await?;
    let project = given(project_id).map(|id| id.parse::<ProjectId>()).transpose().map_err(|_| {
        fail(ApiError::BadRequest { detail: "Choose a project, or the whole fleet.".to_owned() })
    })?;
    let roles = match (role_of(&role).map_err(fail)?, project) {
        (None, None) => None,
        (None, Some(_)) => {
            let detail = "Choose the role that the token has in the project.".to_owned();
            return Err(fail(ApiError::BadRequest { detail }));
        }
        (Some(role), None) => Some(Roles { fleet: Some(role), ..Roles::default() }),
        (Some(role), Some(project)) => Some(Roles { fleet: None, projects: [(project, role)].into() }),
    };
    let days = given(days).map(|days| super::actions::whole_number("days", &DAYS, &days));
    let expires_at = days.transpose().map_err(fail)?.map(in_days);
    account::create_token(&app, &who, NewToken { name, roles, service, expires_at }).await.map_err(fail)
}

#[server(prefix = "/do", endpoint = "revoke-token")]
pub async fn revoke_token(id: TokenId) -> Result<TokenRow, ApiError> {
    let (app, who) = asked().await?;
    account::revoke_token(&app, &who, id).await.map_err(fail)
}

/// Gives oneself another password; every other session of one's own ends.
#[server(prefix = "/do", endpoint = "change-password")]
pub async fn change_password(current: String, new: String) -> Result<(), ApiError> {
    let (app, who) = asked().await?;
    account::change_password(&app, &who, &current, &new).await.map_err(fail)
}

/// Whom an invitation is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invitee {
    pub name: String,
    pub email: String,
}

/// Whom the link with `token` is for; `None` where it is good for nothing (any more). On its page that is also the page's status: 404.
#[server(prefix = "/do", endpoint = "invitation")]
pub async fn invitation(token: String) -> Result<Option<Invitee>, ApiError> {
    let app = app().map_err(fail)?;
    let user = auth::invited(&app, &token).await.map_err(fail)?;
    // Asked by a page that is alive, the answer is the body, and the request went well.
    let page = use_context::<axum::http::request::Parts>().is_some_and(|parts| parts.method.is_safe());
    if let (true, None, Some(response)) = (page, &user, use_context::<leptos_axum::ResponseOptions>()) {
        response.set_status(axum::http::StatusCode::NOT_FOUND);
    }
    Ok(user.map(|user| Invitee { name: user.name, email: user.email }))
}

/// Uses an invitation up: its user has this password then, and is signed in.
#[server(prefix = "/do", endpoint = "join")]
pub async fn join(token: String, password: String) -> Result<(), ApiError> {
    let signed_in = auth::join(&app().map_err(fail)?, &token, &password).await.map_err(fail)?;
    set_session(&signed_in);
    leptos_axum::redirect("/");
    Ok(())
}
