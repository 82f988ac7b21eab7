//! Pages and server functions: where Leptos meets axum.

use super::{App, security};
use crate::app;
use axum::{
    Router,
    extract::FromRef,
    http::{HeaderValue, header},
};
use leptos::prelude::*;
use leptos_axum::{LeptosRoutes, ResponseOptions, generate_route_list, render_app_async_with_context};

#[derive(Clone)]
struct PageState(LeptosOptions);

impl FromRef<PageState> for LeptosOptions {
    fn from_ref(state: &PageState) -> LeptosOptions {
        state.0.clone()
    }
}

/// The routes of every page and of every server function. What nothing else answers gets the page that says so.
pub fn routes(console: App) -> Router {
    let state = PageState(LeptosOptions::builder().output_name("muster").build());
    let context = move || {
        provide_context(console.clone());
        set_page_headers();
    };
    let shell = {
        let options = state.0.clone();
        move || app::shell(options.clone())
    };
    Router::new()
        .leptos_routes_with_context(&state, generate_route_list(app::App), context.clone(), shell.clone())
        .fallback(render_app_async_with_context(context, shell))
        .with_state(state)
}

/// A page is made for one user and one moment, and runs no script but ours.
fn set_page_headers() {
    let Some(response) = use_context::<ResponseOptions>() else { return };
    response.insert_header(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    if let Some(nonce) = leptos::nonce::use_nonce()
        && let Ok(policy) = HeaderValue::from_str(&security::page_policy(&nonce))
    {
        response.insert_header(header::CONTENT_SECURITY_POLICY, policy);
    }
}
