//! Several files at once: one after the other, each with its own result.

use crate::{
    app::{
        actions::create_net,
        components::{Toasts, format::counted},
        error::ApiError,
        live::files::Upload,
    },
    model::{NetId, action::MAX_PNML_BYTES},
};
use leptos::{prelude::*, task::spawn_local};
use leptos_router::components::A;

#[derive(Clone, Debug, PartialEq)]
enum State {
    Waiting,
    Sending,
    Added(NetId, String),
    Refused(String),
}

#[derive(Clone, Debug, PartialEq)]
struct Sent {
    file: String,
    state: State,
}

/// The files of the last batch.
#[derive(Clone, Copy)]
pub struct Batch {
    sent: RwSignal<Vec<Sent>>,
    pub busy: RwSignal<bool>,
    toasts: Toasts,
}

impl Batch {
    pub fn new(toasts: Toasts) -> Batch {
        Batch { sent: RwSignal::new(Vec::new()), busy: RwSignal::new(false), toasts }
    }

    /// Sends `files` to `project`; each has a key of its own, made of `key`.
    pub fn send(self, files: Vec<Upload>, project: String, key: String) {
        if self.busy.get_untracked() || files.is_empty() {
            return;
        }
        self.busy.set(true);
        self.sent
            .set(files.iter().map(|file| Sent { file: file.name.clone(), state: State::Waiting }).collect());
        spawn_local(async move {
            let mut added = 0;
            for (i, file) in files.iter().enumerate() {
                self.put(i, State::Sending);
                let state = send(file, &project, &format!("{key}-{i}")).await;
                added += usize::from(matches!(state, State::Added(..)));
                self.put(i, state);
            }
            let words = |n| counted(n, "net", "nets");
            match files.len() - added {
                0 => self.toasts.success(format!("{} added.", words(added))),
                refused => self.toasts.warning(format!(
                    "{} added, {} refused. What is wrong stands beside each.",
                    words(added),
                    counted(refused, "file", "files")
                )),
            }
            _ = self.busy.try_set(false);
        });
    }

    fn put(self, i: usize, state: State) {
        // The operator may have left the page; the files go on.
        _ = self.sent.try_update(|sent| {
            if let Some(sent) = sent.get_mut(i) {
                sent.state = state;
            }
        });
    }
}

async fn send(file: &Upload, project: &str, key: &str) -> State {
    if file.size == 0.0 {
        return State::Refused("The file is empty.".to_owned());
    }
    if file.size > MAX_PNML_BYTES as f64 {
        return State::Refused(format!("The file is larger than {} MiB.", MAX_PNML_BYTES >> 20));
    }
    let fields = [("project_id", project), ("key", key), ("name", "")];
    let answer = match file.form(&fields) {
        Some(form) => create_net(form.into()).await,
        None => Err(ApiError::BadRequest { detail: "The browser could not read the file.".to_owned() }),
    };
    match answer {
        Ok(done) => match done.net {
            Some(net) => State::Added(net.id, net.name.to_string()),
            None => State::Refused("The console did not say which net it made.".to_owned()),
        },
        Err(error) => State::Refused(error.to_string()),
    }
}

/// What became of each file.
#[component]
pub fn BatchResults(batch: Batch) -> impl IntoView {
    let count = Memo::new(move |_| batch.sent.with(Vec::len));
    move || {
        (count.get() > 0).then(|| {
            view! {
                <ul class="lines batch" aria-label="Files">
                    {(0..count.get())
                        .map(|i| {
                            let sent = Memo::new(move |_| batch.sent.with(|sent| sent.get(i).cloned()));
                            view! {
                                <li class="line">
                                    {move || sent.get().map(|sent| view! { <One sent/> })}
                                </li>
                            }
                        })
                        .collect_view()}
                </ul>
            }
        })
    }
}

#[component]
fn One(sent: Sent) -> impl IntoView {
    let state = match sent.state {
        State::Waiting => view! { <span class="quiet-text">"waiting"</span> }.into_any(),
        State::Sending => view! { <span class="in-flight">"sending…"</span> }.into_any(),
        State::Added(id, name) => view! {
            <span class="state tone-good">"added"</span>
            <A href=format!("/nets/{id}")>{name}</A>
        }
        .into_any(),
        State::Refused(why) => view! {
            <span class="state tone-bad">"refused"</span>
            <span class="line-error">{why}</span>
        }
        .into_any(),
    };
    view! {
        <span class="line-name">{sent.file}</span>
        {state}
    }
    .into_any()
}
