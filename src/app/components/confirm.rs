//! Asking before something is lost. One dialog for the whole page.

use futures::channel::oneshot;
use leptos::{html, prelude::*};
use std::sync::{Arc, Mutex};

/// What is asked. The verb names the deed; "Cancel" is the other answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    pub title: String,
    /// What will be lost, a paragraph each.
    pub losses: Vec<String>,
    pub verb: &'static str,
}

#[derive(Clone)]
struct Asked {
    question: Question,
    answer: Arc<Mutex<Option<oneshot::Sender<bool>>>>,
}

#[derive(Clone, Copy)]
pub struct Confirm {
    asked: RwSignal<Option<Asked>>,
}

impl Confirm {
    pub fn new() -> Confirm {
        Confirm { asked: RwSignal::new(None) }
    }

    /// Whether the operator wants it.
    pub async fn ask(self, question: Question) -> bool {
        let (answer, answered) = oneshot::channel();
        self.asked.set(Some(Asked { question, answer: Arc::new(Mutex::new(Some(answer))) }));
        answered.await.unwrap_or(false)
    }

    fn answer(self, yes: bool) {
        if let Some(asked) = self.asked.try_update(Option::take).flatten()
            && let Some(answer) = asked.answer.lock().ok().and_then(|mut answer| answer.take())
        {
            _ = answer.send(yes);
        }
    }
}

impl Default for Confirm {
    fn default() -> Confirm {
        Confirm::new()
    }
}

#[component]
pub fn ConfirmDialog() -> impl IntoView {
    let confirm: Confirm = expect_context();
    let dialog = NodeRef::<html::Dialog>::new();
    Effect::new(move || {
        let asked = confirm.asked.with(Option::is_some);
        let Some(dialog) = dialog.get() else { return };
        if asked && !dialog.open() {
            _ = dialog.show_modal();
        } else if !asked && dialog.open() {
            dialog.close();
        }
    });
    let question = move || confirm.asked.with(|asked| asked.as_ref().map(|asked| asked.question.clone()));
    view! {
        <dialog class="dialog" node_ref=dialog aria-labelledby="confirm-title" on:close=move |_| confirm.answer(false)>
            {move || {
                question()
                    .map(|question| {
                        view! {
                            <h2 id="confirm-title">{question.title}</h2>
                            {question.losses.into_iter().map(|loss| view! { <p>{loss}</p> }).collect_view()}
                            <div class="dialog-actions">
                                <button type="button" class="button" on:click=move |_| confirm.answer(false)>
                                    "Cancel"
                                </button>
                                <button type="button" class="button danger" on:click=move |_| confirm.answer(true)>
                                    {question.verb}
                                </button>
                            </div>
                        }
                    })
            }}
        </dialog>
    }
    .into_any()
}
