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

/// The question as it has to be put now, or why it does not arise any more.
type Words = Arc<dyn Fn() -> Result<Question, String> + Send + Sync>;

#[derive(Clone)]
struct Asked {
    words: Words,
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
        self.ask_live(move || Ok(question.clone())).await
    }

    /// The same for a question that depends on what may change while it is read: `words` reads signals, and says why the question does
    /// not arise any more where the deed is not permitted now.
    pub async fn ask_live(
        self,
        words: impl Fn() -> Result<Question, String> + Send + Sync + 'static,
    ) -> bool {
        let (answer, answered) = oneshot::channel();
        self.asked.set(Some(Asked { words: Arc::new(words), answer: Arc::new(Mutex::new(Some(answer))) }));
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
    let open = Memo::new(move |_| confirm.asked.with(Option::is_some));
    Effect::new(move || {
        let asked = open.get();
        let Some(dialog) = dialog.get() else { return };
        if asked && !dialog.open() {
            _ = dialog.show_modal();
        } else if !asked && dialog.open() {
            dialog.close();
        }
    });
    // The last question stays on the dialog, so that it can be read beside why it does not arise any more.
    let put = Memo::new(move |before: Option<&(Option<Question>, Option<String>)>| {
        let Some(asked) = confirm.asked.get() else { return (None, None) };
        match (asked.words)() {
            Ok(question) => (Some(question), None),
            Err(refusal) => (before.and_then(|(question, _)| question.clone()), Some(refusal)),
        }
    });
    let title = Memo::new(move |_| put.with(|(question, _)| question.as_ref().map(|it| it.title.clone())));
    let losses = Memo::new(move |_| {
        put.with(|(question, _)| question.as_ref().map(|it| it.losses.clone()).unwrap_or_default())
    });
    let verb = Memo::new(move |_| put.with(|(question, _)| question.as_ref().map_or("Go on", |it| it.verb)));
    let refusal = Memo::new(move |_| put.with(|(_, refusal)| refusal.clone()));
    view! {
        <dialog
            class="dialog"
            tabindex="-1"
            node_ref=dialog
            aria-labelledby="confirm-title"
            aria-describedby="confirm-losses"
            on:close=move |_| confirm.answer(false)
        >
            {move || {
                open.get()
                    .then(|| {
                        view! {
                            <h2 id="confirm-title">{move || title.get().unwrap_or_default()}</h2>
                            <div id="confirm-losses" aria-live="polite">
                                {move || match refusal.get() {
                                    Some(refusal) => view! { <p class="notice tone-warn">{refusal}</p> }.into_any(),
                                    None => losses.get().into_iter().map(|loss| view! { <p>{loss}</p> }).collect_view().into_any(),
                                }}
                            </div>
                            <div class="dialog-actions">
                                <button type="button" class="button" on:click=move |_| confirm.answer(false)>
                                    {move || if refusal.with(Option::is_some) { "Close" } else { "Cancel" }}
                                </button>
                                <button
                                    type="button"
                                    class="button danger"
                                    disabled=move || refusal.with(Option::is_some)
                                    on:click=move |_| confirm.answer(true)
                                >
                                    {move || verb.get()}
                                </button>
                            </div>
                        }
                    })
            }}
        </dialog>
    }
    .into_any()
}
