//! How events are put: severity, priority, time, and what they lead to.

use crate::{
    app::{
        components::{Glyph, State, Tone, clock::time_of_day},
        store::Store,
    },
    model::{Actor, ClusterId, Event, HostId, NetId, Priority, ProjectId, Severity, Timestamp, WorkerId},
};
use leptos::prelude::*;

/// Shape, colour and word.
pub fn severity_state(severity: Severity) -> State {
    match severity {
        Severity::Info => State::new(Glyph::Ring, Tone::Quiet, "info"),
        Severity::Success => State::new(Glyph::Check, Tone::Good, "success"),
        Severity::Warning => State::new(Glyph::Triangle, Tone::Warn, "warning"),
        Severity::Error => State::new(Glyph::Cross, Tone::Bad, "error"),
    }
}

pub fn tone(severity: Severity) -> Tone {
    severity_state(severity).tone
}

pub fn priority_tone(priority: Priority) -> Tone {
    match priority {
        Priority::Low | Priority::Normal => Tone::Quiet,
        Priority::High => Tone::Warn,
        Priority::Urgent => Tone::Bad,
    }
}

/// Who did it; what the console does of its own accord is its own.
pub fn actor_words(actor: &Actor) -> String {
    match actor {
        Actor::System => "Muster".to_owned(),
        Actor::User { name, .. } => name.clone(),
    }
}

const MONTHS: [&str; 12] =
    ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
const DAY: i64 = 86_400;

/// `12:03:22` today, `20 Nov 12:03:22` before, in the operator's time zone once that is known.
pub fn moment(at: Timestamp, now: Timestamp, utc_offset: Option<i32>) -> String {
    let local = |at: Timestamp| (at.0 / 1_000) as i64 + i64::from(utc_offset.unwrap_or(0)) * 60;
    let day = local(at).div_euclid(DAY);
    let time = time_of_day(at, utc_offset);
    if day == local(now).div_euclid(DAY) {
        return time;
    }
    let (_, month, day) = date(day);
    format!("{day} {} {time}", MONTHS[month as usize - 1])
}

/// Year, month and day of the month, of a day counted from 1970-01-01. H. Hinnant, "chrono-compatible low-level date algorithms".
fn date(days: i64) -> (i64, u32, u32) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted = (5 * of_year + 2) / 153;
    let day = (of_year - (153 * shifted + 2) / 5 + 1) as u32;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 } as u32;
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

/// Something that an event is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct About {
    /// `worker`, `net` …
    pub kind: &'static str,
    pub id: String,
    /// What it is called, where it is there to be asked.
    pub name: Option<String>,
    /// Its page, while it exists.
    pub href: Option<String>,
}

impl About {
    pub fn label(&self) -> String {
        match &self.name {
            Some(name) => name.clone(),
            None => format!("a {} that is gone", self.kind),
        }
    }
}

/// What the event is about, the nearest first; tracked.
pub fn about(store: Store, event: &Event) -> Vec<About> {
    // While only the first screen is here, a row that is not may well exist.
    let part = store.part.with(Option::is_some);
    let made = |kind, id: String, name: Option<String>, href: String| {
        let there = name.is_some() || part;
        let name = name.or_else(|| part.then(|| format!("its {kind}")));
        About { kind, id, name, href: there.then_some(href) }
    };
    let net = |id: NetId| {
        let name = store.net(id).map(|row| row.name.to_string());
        made("net", id.to_string(), name, format!("/nets/{id}"))
    };
    let worker = |id: WorkerId| {
        let name = store.worker(id).map(|row| row.name.to_string());
        made("worker", id.to_string(), name, format!("/workers/{id}"))
    };
    let host = |id: HostId| {
        let name = store.host(id).map(|row| row.name.to_string());
        made("host", id.to_string(), name, format!("/hosts/{id}"))
    };
    let cluster = |id: ClusterId| {
        let name = store.cluster_name(id);
        let href = format!("/workers?cluster={}", leptos_router::location::Url::escape(&name));
        made("cluster", id.to_string(), Some(name).filter(|name| !name.is_empty()), href)
    };
    let project = |id: ProjectId| {
        let name =
            store.projects.with(|rows| rows.iter().find(|row| row.id == id).map(|row| row.name.to_string()));
        let href = format!(
            "/nets?project={}",
            leptos_router::location::Url::escape(name.as_deref().unwrap_or_default())
        );
        made("project", id.to_string(), name, href)
    };
    let near = [event.net_id.map(net), event.worker_id.map(worker), event.host_id.map(host)];
    let far = [event.project_id.map(project), event.cluster_id.map(cluster)];
    near.into_iter().chain(far).flatten().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_of_another_day_says_which() {
        let at = Timestamp(1_000_000_000_041);
        assert_eq!(moment(at, at, None), "01:46:40 UTC");
        assert_eq!(moment(at, Timestamp(at.0 + 86_400_000), None), "9 Sep 01:46:40 UTC");
        // Three hours behind UTC it is the day before.
        assert_eq!(moment(at, at, Some(-180)), "22:46:40");
        assert_eq!(moment(at, Timestamp(at.0 + 3_600_000 * 12), Some(-180)), "8 Sep 22:46:40");
    }

    #[test]
    fn days_are_counted_as_calendars_do() {
        for (days, is) in [
            (0, (1970, 1, 1)),
            (59, (1970, 3, 1)),
            (11_016, (2000, 2, 29)),
            (20_778, (2026, 11, 21)),
            (-1, (1969, 12, 31)),
        ] {
            assert_eq!(date(days), is, "{days}");
        }
    }
}
