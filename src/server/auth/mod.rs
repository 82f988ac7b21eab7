//! Who is asking: users, passwords, sessions, and which routes need which role.
//!
//! Denied by default: [`access`] lets nothing through that it does not name.

pub mod access;
mod cookie;
mod origin;
mod password;
mod session;
mod setup;
mod throttle;
mod user;

pub use cookie::{CookieStyle, session_cookie, session_cookie_removed};
pub use session::{SessionHash, SignedIn, Who, forget_expired};
pub use setup::Setup;
pub use throttle::Throttle;

use crate::{
    app::error::ApiError,
    model::{Role, UserId},
    server::{App, api::error::internal, clock::now},
};

/// Signs in with an email address and a password.
pub async fn sign_in(app: &App, email: &str, password: &str) -> Result<SignedIn, ApiError> {
    let email = email.trim().to_lowercase();
    app.throttle().check(&email, now())?;
    let user = user::by_email(app.store().pool(), &email).await.map_err(|error| internal(&error))?;
    let (hash, user) = match user {
        Some(user) => (Some(user.password_hash.clone()), Some(user)),
        None => (None, None),
    };
    let right = password::verify(password.to_owned(), hash).await;
    match user {
        Some(user) if right && !user.disabled => {
            app.throttle().succeeded(&email);
            tracing::info!(user = %user.email, "signed in");
            session::begin(app, user).await
        }
        _ => {
            app.throttle().failed(&email, now());
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
    let bad = |detail: String| ApiError::BadRequest { detail };
    if !app.setup().matches(token) {
        return Err(ApiError::Forbidden {
            detail: "This setup link is not valid (any more). Take the newest one from the server's output; if there is none, an administrator exists already: sign in."
                .to_owned(),
        });
    }
    let name = crate::model::Name::new(name).map_err(|error| bad(error.to_string()))?;
    let email = email.trim().to_lowercase();
    if !email.contains('@') || email.len() > 254 || email.chars().any(char::is_whitespace) {
        return Err(bad(format!("{email:?} is not an email address. It looks like name@example.com.")));
    }
    let hash = password::hash(password.to_owned()).await?;
    // Two browsers with the same link: the token is spent by the first.
    if !app.setup().spend(token) {
        return Err(ApiError::Conflict {
            detail: "An administrator was created a moment ago. Sign in.".to_owned(),
        });
    }
    let user = user::User {
        id: UserId(uuid::Uuid::now_v7()),
        email,
        name: name.to_string(),
        password_hash: hash,
        role: Role::Admin,
        disabled: false,
    };
    user::insert(app.store().pool(), &user, now()).await.map_err(|error| internal(&error))?;
    tracing::info!(user = %user.email, "the administrator was created");
    session::begin(app, user).await
}

/// Ends the session and its streams.
pub async fn sign_out(app: &App, who: &Who) -> Result<(), ApiError> {
    session::end(app, who.session).await.map_err(|error| internal(&error))
}

/// Whether nobody can sign in yet.
pub async fn needs_setup(pool: &sqlx::SqlitePool) -> Result<bool, crate::server::storage::StorageError> {
    Ok(user::count(pool).await? == 0)
}
