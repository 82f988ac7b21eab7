//! State is shape and colour and word, so that none of the three has to be seen for the state to be read.

use leptos::prelude::*;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Glyph {
    Dot,
    Ring,
    Half,
    Square,
    Cross,
    Triangle,
    Target,
    /// It ended well.
    Check,
    /// Heard before, not now.
    Dashed,
}

impl Glyph {
    pub fn symbol(self) -> &'static str {
        match self {
            Glyph::Dot => "#g-dot",
            Glyph::Ring => "#g-ring",
            Glyph::Half => "#g-half",
            Glyph::Square => "#g-square",
            Glyph::Cross => "#g-cross",
            Glyph::Triangle => "#g-triangle",
            Glyph::Target => "#g-target",
            Glyph::Check => "#g-check",
            Glyph::Dashed => "#g-dashed",
        }
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Tone {
    Good,
    Busy,
    Quiet,
    Warn,
    Bad,
}

impl Tone {
    pub fn class(self) -> &'static str {
        match self {
            Tone::Good => "good",
            Tone::Busy => "busy",
            Tone::Quiet => "quiet",
            Tone::Warn => "warn",
            Tone::Bad => "bad",
        }
    }
}

/// A state as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct State {
    pub glyph: Glyph,
    pub tone: Tone,
    /// What it says; may go into detail.
    pub word: String,
}

impl State {
    pub fn new(glyph: Glyph, tone: Tone, word: impl Into<String>) -> State {
        State { glyph, tone, word: word.into() }
    }

    /// Shows a state that stays as it is.
    pub fn badge(self) -> AnyView {
        view! {
            <span class=format!("state tone-{}", self.tone.class())>
                <svg class="glyph" viewBox="0 0 12 12" aria-hidden="true" focusable="false">
                    <use href=self.glyph.symbol()></use>
                </svg>
                <span class="state-word">{self.word}</span>
            </span>
        }
        .into_any()
    }
}

/// Shows a state that may change.
#[component]
pub fn StateBadge(#[prop(into)] state: Signal<State>) -> impl IntoView {
    let symbol = Memo::new(move |_| state.with(|state| state.glyph.symbol()));
    let class = Memo::new(move |_| {
        let turning = state.with(|state| state.glyph == Glyph::Half);
        format!(
            "state tone-{}{}",
            state.with(|state| state.tone.class()),
            if turning { " turning" } else { "" }
        )
    });
    view! {
        <span class=move || class.get()>
            <svg class="glyph" viewBox="0 0 12 12" aria-hidden="true" focusable="false">
                <use href=move || symbol.get()></use>
            </svg>
            <span class="state-word">{move || state.with(|state| state.word.clone())}</span>
        </span>
    }
    .into_any()
}
