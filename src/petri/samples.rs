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

pub const SAMPLES: [Sample; 2] = [
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
];

/// The sample with this id.
pub fn sample(id: &str) -> Option<&'static Sample> {
    SAMPLES.iter().find(|sample| sample.id == id)
}
