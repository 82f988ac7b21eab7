//! A short summary of a state, to notice that a replica differs from the server although both say the same version.

use crate::model::Fleet;
use serde::{Deserialize, Serialize};
use xxhash_rust::xxh3::xxh3_64;

/// An order-independent hash over (kind, id, revision) of every row. On the wire: 16 hexadecimal digits, because JavaScript's numbers
/// cannot hold 64 bits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Digest(pub u64);

impl Digest {
    pub fn of(fleet: &Fleet) -> Digest {
        let rows = (fleet.clusters().map(|row| (b'c', *row.id.0.as_bytes(), row.revision)))
            .chain(fleet.projects().map(|row| (b'p', *row.id.0.as_bytes(), row.revision)))
            .chain(fleet.workers().map(|row| (b'w', *row.id.0.as_bytes(), row.revision)))
            .chain(fleet.nets().map(|row| (b'n', *row.id.0.as_bytes(), row.revision)))
            .chain(fleet.hosts().map(|row| (b'h', *row.id.0.as_bytes(), row.revision)))
            .chain(fleet.commands().map(|row| (b'm', *row.id.0.as_bytes(), row.revision)))
            .chain(fleet.builds().map(|row| (b'b', *row.id.0.as_bytes(), row.revision)))
            .chain(fleet.labs().map(|row| (b'x', *row.id.0.as_bytes(), row.revision)))
            .chain(fleet.pipelines().map(|row| (b'l', *row.id.0.as_bytes(), row.revision)))
            .chain(
                fleet.pull_requests().map(|row| (b'u', u128::from(row.number).to_be_bytes(), row.revision)),
            )
            .chain(fleet.repository().map(|row| (b'r', [0; 16], row.revision)))
            .chain(fleet.rules().map(|row| (b'q', [0; 16], row.revision)))
            .chain((fleet.events()).map(|row| {
                (b'e', u128::from(row.id.0).to_be_bytes(), u64::from(row.acknowledged.is_some()))
            }));
        let sum = rows.fold(0, |sum: u64, (kind, id, revision)| {
            let mut bytes = [0; 25];
            bytes[0] = kind;
            bytes[1..17].copy_from_slice(&id);
            bytes[17..].copy_from_slice(&revision.to_be_bytes());
            sum.wrapping_add(xxh3_64(&bytes))
        });
        Digest(sum)
    }
}

impl From<Digest> for String {
    fn from(digest: Digest) -> String {
        format!("{:016x}", digest.0)
    }
}

impl TryFrom<String> for Digest {
    type Error = std::num::ParseIntError;
    fn try_from(text: String) -> Result<Digest, Self::Error> {
        u64::from_str_radix(&text, 16).map(Digest)
    }
}
