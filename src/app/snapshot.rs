//! What a page is rendered from: read once on the server, and the start of the replica in the browser.

use super::{
    components::list::FirstScreen,
    store::{Groups, Summary},
    within::Within,
};
use crate::{
    model::{ClusterId, HostTelemetry, Role, Roles, Telemetry, Timestamp, UserId},
    petri::graph::NetGraph,
    sync::FullState,
    worker::protocol::NetEvent,
};
use serde::{Deserialize, Serialize};

/// Who is signed in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
pub struct Me {
    pub user_id: UserId,
    pub name: String,
    pub email: String,
    /// In the whole fleet; a viewer's for who has none there, since clusters and workers are seen by everybody who is signed in.
    pub role: Role,
    /// In the whole fleet and in each project: what to ask about nets.
    pub roles: Roles,
}

/// The state in the scope of a user, with its position: all of it, or where that is much, what the first screen of one page shows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Snapshot {
    pub full: FullState,
    /// What the rows in `full` do not say, where they are not all; then the rest is to be fetched from `/api/state`.
    pub part: Option<Part>,
    pub server_time: Timestamp,
    pub user: Me,
    /// The latest figures of every worker that ever sent some to this process.
    pub telemetry: Vec<Telemetry>,
    /// The latest figures of every host that was heard by this process.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub host_telemetry: Vec<HostTelemetry>,
}

/// What a page says of rows that it does not hold.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Part {
    /// Over all rows.
    pub summary: Summary,
    pub groups: Groups,
    /// When a worker of each cluster was heard last.
    #[serde(default)]
    pub heard: Vec<(ClusterId, Timestamp)>,
    /// The list on the page, if it is one: its name, and how much of it is here.
    pub list: Option<(String, FirstScreen)>,
}

impl Part {
    /// How much of the list `name` is here, if it is the one on the page.
    pub fn first_screen(&self, name: &str) -> Option<FirstScreen> {
        self.list.as_ref().filter(|(of, _)| of == name).map(|(_, first)| first.clone())
    }
}

/// What the page of a net is rendered from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Drawn {
    pub graph: NetGraph,
    /// The marking at that moment, if the net is loaded and its worker told it in time.
    pub marking: Option<NetEvent>,
}

/// Light, dark, or as the system says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Theme {
    #[default]
    System,
    Light,
    Dark,
}

impl Theme {
    pub const ALL: [Theme; 3] = [Theme::System, Theme::Light, Theme::Dark];
    /// The cookie that keeps the choice.
    pub const COOKIE: &str = "muster_theme";

    pub fn as_str(self) -> &'static str {
        match self {
            Theme::System => "system",
            Theme::Light => "light",
            Theme::Dark => "dark",
        }
    }

    pub fn label(self) -> &'static str {
        match self {
            Theme::System => "System",
            Theme::Light => "Light",
            Theme::Dark => "Dark",
        }
    }

    pub fn parse(text: &str) -> Option<Theme> {
        Theme::ALL.into_iter().find(|theme| theme.as_str() == text)
    }

    /// The choice in a `Cookie` header.
    pub fn in_cookies(header: &str) -> Theme {
        header
            .split(';')
            .filter_map(|pair| pair.trim().split_once('='))
            .find(|(name, _)| *name == Theme::COOKIE)
            .and_then(|(_, value)| Theme::parse(value))
            .unwrap_or_default()
    }

    /// A `Set-Cookie` value, also good for `document.cookie`, that keeps the choice for a year.
    pub fn cookie(self) -> String {
        format!("{}={}; Path=/; Max-Age=31536000; SameSite=Lax", Theme::COOKIE, self.as_str())
    }
}

/// What the first render needs besides the state. Everything random or local in it was drawn on the server, so that both sides render the
/// same.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Opening {
    pub snapshot: Snapshot,
    /// Drawn for this rendering: with the row and its revision it makes the idempotency key of a form sent without JavaScript.
    pub form_key: String,
    pub theme: Theme,
    /// The part of the fleet that the address, or what was chosen before, leads to.
    #[serde(default)]
    pub within: Within,
    /// What the form came to that led here without JavaScript.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub said: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_theme_is_found_among_other_cookies() {
        assert_eq!(Theme::in_cookies("a=b; muster_theme=dark; c=d"), Theme::Dark);
        assert_eq!(Theme::in_cookies("muster_theme=purple"), Theme::System);
        assert_eq!(Theme::in_cookies(""), Theme::System);
    }
}
