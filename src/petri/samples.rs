//! The nets we ship, so that a new console has something to show.

use serde::Serialize;

/// A net of our own, as the file an operator would upload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Sample {
    /// Stable and safe in a URL.
    pub id: &'static str,
    pub name: &'static str,
    /// One sentence on what there is to see.
    pub about: &'static str,
    pub pnml: &'static str,
}

pub const SAMPLES: [Sample; 5] = [
    Sample {
        id: "dining-philosophers",
        name: "Dining philosophers",
        about: "Five philosophers share five forks; sooner or later each holds one and nothing moves any more.",
        pnml: include_str!("samples/dining_philosophers.pnml"),
    },
    Sample {
        id: "producer-consumer",
        name: "Producer and consumer",
        about: "A producer fills a buffer of eight and a consumer takes two at a time; it never stops.",
        pnml: include_str!("samples/producer_consumer.pnml"),
    },
    Sample {
        id: "kanban",
        name: "Kanban line",
        about: "Three stations with three cards each; a part goes on when the next station has a card to spare.",
        pnml: include_str!("samples/kanban.pnml"),
    },
    Sample {
        id: "two-locks",
        name: "Two locks",
        about: "Two processes take two locks in opposite order; two firings suffice for a deadlock.",
        pnml: include_str!("samples/two_locks.pnml"),
    },
    Sample {
        id: "readers-writers",
        name: "Readers and writers",
        about: "Five readers share five permits and a writer takes all of them; the arcs with weights see to it.",
        pnml: include_str!("samples/readers_writers.pnml"),
    },
];

/// Those that an empty console begins with: one that stops and one that never does.
pub fn opening() -> &'static [Sample] {
    &SAMPLES[..2]
}

/// The sample with this id.
pub fn sample(id: &str) -> Option<&'static Sample> {
    SAMPLES.iter().find(|sample| sample.id == id)
}
