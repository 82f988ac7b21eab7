//! Whether somebody is told of an event. Pure.

use super::preferences::Preferences;
use crate::model::{Actor, Event, EventRules, Priority, Timestamp, UserId};

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// By a message on the page.
    pub toast: bool,
    /// By the browser, while the page is not seen.
    pub notification: bool,
}

/// A muted event is told of nobody. Of what the user did (`me`) the page itself says how it went. An urgent event is told
/// whatever its severity, unless the user wants to be told nothing.
pub fn judge(
    event: &Event,
    rules: Option<&EventRules>,
    now: Timestamp,
    me: Option<UserId>,
    preferences: Preferences,
) -> Told {
    if rules.is_some_and(|rules| rules.mutes(event, now)) {
        return Told::default();
    }
    let urgent = rules.is_some_and(|rules| rules.priority(event) == Priority::Urgent);
    let own = matches!(&event.actor, Actor::User { id, .. } if Some(*id) == me);
    let wanted = |least: Option<_>| least.is_some_and(|least| urgent || event.severity >= least);
    Told { toast: !own && wanted(preferences.toast), notification: wanted(preferences.notification) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{EventId, Mute, PriorityRule, Severity, rules::Matcher};
    use uuid::Uuid;

    fn event(severity: Severity) -> Event {
        Event {
            id: EventId(1),
            at: Timestamp(1),
            kind: "worker.status.updated".to_owned(),
            severity,
            actor: Actor::System,
            text: "Worker a".to_owned(),
            cluster_id: None,
            project_id: None,
            worker_id: None,
            net_id: None,
            host_id: None,
            of_hosts: false,
            data: Default::default(),
            acknowledged: None,
        }
    }

    fn matcher() -> Matcher {
        Matcher { kind: "worker.*".to_owned(), ..Matcher::default() }
    }

    #[test]
    fn severity_decides() {
        let told = |severity, toast| {
            let preferences = Preferences { toast, notification: None };
            judge(&event(severity), None, Timestamp(2), None, preferences)
        };
        assert!(told(Severity::Warning, Some(Severity::Warning)).toast);
        assert!(!told(Severity::Success, Some(Severity::Warning)).toast);
        assert!(told(Severity::Success, Some(Severity::Success)).toast);
        assert_eq!(told(Severity::Error, None), Told::default());
    }

    #[test]
    fn a_mute_silences_everything_as_long_as_it_holds() {
        let mute = Mute { matcher: matcher(), until: Some(Timestamp(10)), note: String::new() };
        let rules = EventRules { mutes: vec![mute], ..EventRules::default() };
        let told =
            |now| judge(&event(Severity::Error), Some(&rules), Timestamp(now), None, Preferences::default());
        assert_eq!(told(9), Told::default());
        assert!(told(10).toast && told(10).notification);
    }

    #[test]
    fn what_is_urgent_is_told_whatever_its_severity() {
        let rule = PriorityRule { matcher: matcher(), priority: Priority::Urgent };
        let rules = EventRules { priorities: vec![rule], ..EventRules::default() };
        let told = |preferences| judge(&event(Severity::Info), Some(&rules), Timestamp(1), None, preferences);
        assert!(told(Preferences::default()).toast);
        assert_eq!(told(Preferences { toast: None, notification: None }), Told::default());
    }

    #[test]
    fn of_what_i_did_the_page_itself_says_how_it_went() {
        let actor = Actor::User { id: UserId(Uuid::from_u128(1)), name: "Ada".to_owned() };
        let event = Event { actor, ..event(Severity::Error) };
        let told =
            |me| judge(&event, None, Timestamp(1), Some(UserId(Uuid::from_u128(me))), Preferences::default());
        assert_eq!(told(1), Told { toast: false, notification: true });
        assert_eq!(told(2), Told { toast: true, notification: true });
    }
}
