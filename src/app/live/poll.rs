//! The poll of the workers page: revalidates the lists while somebody looks. It writes no row; it tells the replica where the server is.

/// Polls while the component it is called from is shown.
pub fn poll_while_shown() {
    #[cfg(feature = "browser")]
    {
        use leptos::prelude::{Effect, on_cleanup};
        Effect::new(|_| browser::shown(true));
        on_cleanup(|| browser::shown(false));
    }
}

#[cfg(feature = "browser")]
mod browser {
    use crate::{
        app::{
            error::ApiError,
            live::{
                browser::{hidden, monotonic},
                driver::Driver,
                http,
            },
        },
        sync::{Close, Status},
    };
    use gloo_timers::callback::Timeout;
    use std::{cell::Cell, rc::Rc, time::Duration};

    thread_local! {
        /// The page may be there before the driver is.
        static SHOWN: Cell<bool> = const { Cell::new(false) };
    }

    pub fn shown(shown: bool) {
        SHOWN.set(shown);
        if let Some(driver) = Driver::current() {
            driver.poll();
        }
    }

    impl Driver {
        /// Polls if it is time, and sees to it that it will be.
        pub(in crate::app::live) fn poll(self: &Rc<Self>) {
            let now = monotonic();
            let start = {
                let mut poll = self.poll.borrow_mut();
                poll.watched(SHOWN.get() && !hidden());
                poll.start(now)
            };
            if start {
                let driver = self.clone();
                leptos::task::spawn_local(async move {
                    let answers = futures::join!(
                        http::revalidate("/api/workers", &driver.tags[0]),
                        http::revalidate("/api/nets", &driver.tags[1])
                    );
                    driver.polled([answers.0, answers.1]);
                });
            }
            let due = self.poll.borrow().next_tick();
            let driver = Rc::downgrade(self);
            *self.poll_timer.borrow_mut() = due.map(|due| {
                Timeout::new(due.saturating_sub(now).clamp(50, 60_000) as u32, move || {
                    if let Some(driver) = driver.upgrade() {
                        driver.poll();
                    }
                })
            });
        }

        fn polled(self: &Rc<Self>, answers: [Result<(), ApiError>; 2]) {
            let mut wait = None;
            for error in answers.into_iter().filter_map(Result::err) {
                match error {
                    ApiError::TooMany { retry_after_s } => {
                        wait = wait.max(Some(Duration::from_secs(retry_after_s)));
                    }
                    // With real-time on the stream says so itself.
                    ApiError::Unauthorized if *self.replica.borrow().status() == Status::SwitchedOff => {
                        let close = Close::Refused { status: 401, retry_after: None };
                        let effects = self.replica.borrow_mut().on_close(close, monotonic(), 0.0);
                        self.run(effects);
                    }
                    _ => {}
                }
            }
            self.poll.borrow_mut().answered(wait, monotonic());
            self.poll();
        }
    }
}
