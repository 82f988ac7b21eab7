//! Who is asking: users, passwords, sessions, and which routes need which role.
//!
//! Denied by default: [`access`] lets nothing through that it does not name. What is done about users, members and tokens is in [`account`];
//! whoever's access changes is found by [`changes`], and their streams end.

pub mod access;
pub mod account;
pub mod changes;
mod cookie;
pub mod member;
mod origin;
mod password;
mod session;
mod setup;
mod throttle;
pub mod token;
pub mod user;

pub use cookie::{CookieStyle, session_cookie, session_cookie_removed};
pub use session::{SessionHash, SignedIn, Who, forget_expired};
pub use setup::Setup;
pub use throttle::{Place, Throttle};

use crate::{
    app::error::ApiError,
    model::{Actor, NewUser, Role},
    server::{App, api::error::internal, clock::now},
};

/// Signs in with an email address and a password.
pub async fn sign_in(app: &App, place: Place, email: &str, password: &str) -> Result<SignedIn, ApiError> {
    let email = email.trim().to_lowercase();
    app.throttle().check(place, &email, now())?;
    let user = user::by_email(app.store().pool(), &email).await.map_err(|error| internal(&error))?;
    let (hash, user) = match user {
        Some(user) => (user.password_hash.clone(), Some(user)),
        None => (None, None),
    };
    let right = password::verify(password.to_owned(), hash).await;
    match user {
        Some(user) if right && !user.disabled => {
            app.throttle().succeeded(place, &email);
            tracing::info!(user = %user.email, "signed in");
            session::begin(app, user).await
        }
        _ => {
            app.throttle().failed(place, &email, now());
            tracing::warn!("a sign-in was refused");
            Err(ApiError::WrongCredentials)
        }
    }
}

/// Creates the administrator, with the token of the one-time link that the server printed.
pub async fn set_up(
    app: &App,
    token: &str,
    name: &str,
    email: &str,
    password: &str,
) -> Result<SignedIn, ApiError> {
    if !app.setup().matches(token) {
        return Err(ApiError::Forbidden {
            detail: "This setup link is not valid (any more). Take the newest one from the server's output; if there is none, an administrator exists already: sign in."
                .to_owned(),
        });
    }
    let new = NewUser { email: user::email_of(email)?, name: name.to_owned(), role: Some(Role::Admin) };
    crate::model::Name::new(name).map_err(|error| ApiError::BadRequest { detail: error.to_string() })?;
    let hash = password::hash(password.to_owned()).await?;
    // Two browsers with the same link: the token is spent by the first.
    if !app.setup().spend(token) {
        return Err(ApiError::Conflict {
            detail: "An administrator was created a moment ago. Sign in.".to_owned(),
        });
    }
    let user = user::insert(app.store().pool(), &new, Some(&hash), now()).await?;
    tracing::info!(user = %user.email, "the administrator was created");
    let row = user.clone().row();
    let text = format!("User {} was made the first administrator, with the setup link", row.name);
    let actor = Actor::User { id: row.id, name: row.name.clone() };
    account::of_user("user.created", &row, text)
        .with("role", Role::Admin.as_str())
        .write(app.store(), actor)
        .await;
    session::begin(app, user).await
}

/// Whom an invitation's link is for, while it is good.
pub async fn invited(app: &App, token: &str) -> Result<Option<user::User>, ApiError> {
    let failed = |error| internal(&error);
    let mut connection = app.store().pool().acquire().await.map_err(|error| failed(error.into()))?;
    user::invited(&mut connection, token, now()).await.map_err(failed)
}

/// Uses an invitation's link up: its user has this password then, and is signed in.
pub async fn join(app: &App, token: &str, password: &str) -> Result<SignedIn, ApiError> {
    let user = user::join(app.store().pool(), token, password.to_owned(), now()).await?;
    tracing::info!(user = %user.email, "an invitation was used");
    let row = user.clone().row();
    let text = format!("User {} used their invitation and chose a password", row.name);
    let actor = Actor::User { id: row.id, name: row.name.clone() };
    account::of_user("user.updated", &row, text).write(app.store(), actor).await;
    session::begin(app, user).await
}

/// Ends the session and its streams.
pub async fn sign_out(app: &App, who: &Who) -> Result<(), ApiError> {
    if who.token.is_some() {
        let detail = "A token has no session that could be ended. Revoke it if it is not needed.".to_owned();
        return Err(ApiError::BadRequest { detail });
    }
    session::end(app, who).await.map_err(|error| internal(&error))
}

/// Whether nobody can sign in yet.
pub async fn needs_setup(pool: &sqlx::SqlitePool) -> Result<bool, crate::server::storage::StorageError> {
    Ok(user::count(pool).await? == 0)
}
