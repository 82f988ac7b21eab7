//! What of a net is looked at; the address says it, so that it works without JavaScript and can be sent to somebody.

use crate::{app::store::use_store, model::NetId};
use leptos::prelude::*;
use leptos_router::hooks::use_query_map;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Tab {
    /// The drawing, with the inspector and the firings.
    Net,
    /// The drawing, with what its build found.
    Analysis,
    Versions,
    Labs,
}

impl Tab {
    const ALL: [Tab; 4] = [Tab::Net, Tab::Analysis, Tab::Versions, Tab::Labs];

    fn word(self) -> &'static str {
        match self {
            Tab::Net => "net",
            Tab::Analysis => "analysis",
            Tab::Versions => "versions",
            Tab::Labs => "labs",
        }
    }

    fn label(self) -> &'static str {
        match self {
            Tab::Net => "Net",
            Tab::Analysis => "Analysis",
            Tab::Versions => "Versions",
            Tab::Labs => "Labs",
        }
    }

    /// The address of a net's page that shows this.
    pub fn of(self, id: NetId) -> String {
        match self {
            Tab::Net => format!("/nets/{id}"),
            _ => format!("/nets/{id}?tab={}", self.word()),
        }
    }
}

pub fn use_tab() -> Memo<Tab> {
    let query = use_query_map();
    Memo::new(move |_| {
        let named = query.with(|query| query.get("tab"));
        Tab::ALL.into_iter().find(|tab| Some(tab.word()) == named.as_deref()).unwrap_or(Tab::Net)
    })
}

#[component]
pub fn NetTabs(id: NetId, tab: Memo<Tab>) -> impl IntoView {
    let store = use_store();
    let link = move |of: Tab| {
        let href = move || store.within.get().carry(&of.of(id));
        view! {
            // Not the router's own link: to it, all of these are the page that is open.
            <a href=href aria-current=move || (tab.get() == of).then_some("page") data-noscroll="">
                {of.label()}
            </a>
        }
    };
    view! {
        <nav class="tabs" aria-label="Net">
            {Tab::ALL.map(link).collect_view()}
        </nav>
    }
    .into_any()
}
