//! Rows that changed are marked for two seconds.

use leptos::prelude::*;

/// How long; the style sheet fades over the same time.
#[cfg(feature = "browser")]
const GLOWS_FOR: u32 = 2_000;

/// Whether `row` changed within the last two seconds. Its first value is no change.
pub fn glow<T: Send + Sync + 'static>(row: ArcRwSignal<T>) -> RwSignal<bool> {
    let glows = RwSignal::new(false);
    #[cfg(feature = "browser")]
    {
        use gloo_timers::callback::Timeout;
        let timer = StoredValue::new_local(None::<Timeout>);
        Effect::new(move |before: Option<()>| {
            row.track();
            if before.is_some() {
                glows.set(true);
                let over = Timeout::new(GLOWS_FOR, move || _ = glows.try_set(false));
                timer.set_value(Some(over));
            }
        });
    }
    #[cfg(not(feature = "browser"))]
    drop(row);
    glows
}
