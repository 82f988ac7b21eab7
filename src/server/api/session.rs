//! `/api/session`: sign in, who am I, sign out.

use super::{fields::Fields, openapi::bodies};
use crate::{
    app::{Me, error::ApiError},
    server::{
        App,
        auth::{self, Place, SignedIn, Who},
        socket::Peer,
    },
};
use axum::{
    Extension, Json,
    body::Bytes,
    extract::{ConnectInfo, State},
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse, Response},
};

pub async fn show(who: Who) -> Response {
    me(&who).into_response()
}

pub async fn sign_in(
    State(app): State<App>,
    peer: Option<Extension<ConnectInfo<Peer>>>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, ApiError> {
    let place = Place::of(peer.map(|Extension(ConnectInfo(peer))| peer), &headers);
    let body = Fields::read::<bodies::SignIn>(&body)?;
    let (email, password) = (body.text("email")?, body.text("password")?);
    let signed_in: SignedIn = auth::sign_in(&app, place, &email, &password).await?;
    let cookie = auth::session_cookie(app.config().cookie_style, &signed_in.token, signed_in.lifetime);
    Ok(([(header::SET_COOKIE, cookie)], me(&signed_in.who)).into_response())
}

pub async fn sign_out(State(app): State<App>, who: Who) -> Result<Response, ApiError> {
    auth::sign_out(&app, &who).await?;
    let cookie = auth::session_cookie_removed(app.config().cookie_style);
    Ok((StatusCode::NO_CONTENT, [(header::SET_COOKIE, cookie)]).into_response())
}

fn me(who: &Who) -> impl IntoResponse {
    Json(Me::from(who))
}
