//! Doing a little in each frame, where all at once would hold up the page.

use leptos::prelude::*;

/// Counts `step` up by one in each frame until it is `last`, while the current owner lives. Only in the browser.
#[cfg_attr(not(feature = "browser"), expect(unused_variables))]
pub fn step_by_step(step: RwSignal<u8>, last: u8) {
    #[cfg(feature = "browser")]
    {
        let now = step.try_get_untracked().filter(|now| *now < last);
        if let Some(now) = now {
            super::viewport::once_made(move || {
                if step.try_set(now + 1).is_none() {
                    step_by_step(step, last);
                }
            });
        }
    }
}
