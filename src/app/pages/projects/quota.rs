//! What a project uses of what it may.

use crate::{
    app::{
        components::{Meter, format},
        store::use_store,
    },
    model::{Project, ProjectId},
};
use leptos::prelude::*;
use std::sync::Arc;

/// A line for nets and one for workers, with a bar where there is a bound.
#[component]
pub fn QuotaUse(id: ProjectId, row: Memo<Option<Arc<Project>>>) -> impl IntoView {
    let store = use_store();
    let quotas = Memo::new(move |_| row.with(|row| row.as_ref().map(|row| row.quotas).unwrap_or_default()));
    let used = Memo::new(move |_| {
        store.groups.with(|groups| {
            let group = groups.project(id);
            (group.nets, group.workers_used)
        })
    });
    let nets = Memo::new(move |_| (used.get().0, quotas.get().nets));
    let workers = Memo::new(move |_| (used.get().1, quotas.get().workers));
    view! {
        <dl class="quotas">
            <Quota what="Nets" of=nets/>
            <Quota what="Workers in use" of=workers/>
        </dl>
    }
    .into_any()
}

#[component]
fn Quota(what: &'static str, of: Memo<(usize, Option<u32>)>) -> impl IntoView {
    let share = Memo::new(move |_| {
        let (used, quota) = of.get();
        quota.map(|quota| if quota == 0 { 1.0 } else { used as f64 / f64::from(quota) })
    });
    let bounded = Memo::new(move |_| share.with(Option::is_some));
    let words = move || match of.get() {
        (used, Some(quota)) => format!("{} of {}", format::count(used as u64), format::count(quota.into())),
        (used, None) => format!("{}, no quota", format::count(used as u64)),
    };
    view! {
        <div class="quota">
            <dt>{what}</dt>
            <dd>
                {move || bounded.get().then(|| view! { <Meter value=share label=format!("{what}, of the quota")/> })}
                <span>{words}</span>
            </dd>
        </div>
    }
    .into_any()
}
