//! Ids to nodes. Arcs may name nodes that come later, and references stand for other nodes, so an id is a number from
//! its first mention and gets its meaning at its definition.

use super::value::shown;
use std::collections::HashMap;

/// An id met in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Id(u32);

/// What an id stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meaning {
    /// Mentioned, not defined so far.
    Unknown,
    Place(u32),
    Transition(u32),
    PlaceReference(Id),
    TransitionReference(Id),
    /// A page or an arc: it takes up the id, nothing can point at it.
    Other,
}

#[derive(Debug)]
struct Entry {
    meaning: Meaning,
    /// Byte offset of the definition.
    at: usize,
}

#[derive(Debug, Default)]
pub(super) struct Ids {
    by_name: HashMap<Box<str>, u32>,
    entries: Vec<Entry>,
}

impl Ids {
    pub fn mention(&mut self, name: &str) -> Id {
        if let Some(&known) = self.by_name.get(name) {
            return Id(known);
        }
        let new = self.entries.len() as u32;
        self.by_name.insert(name.into(), new);
        self.entries.push(Entry { meaning: Meaning::Unknown, at: 0 });
        Id(new)
    }

    /// Gives an id its meaning; `Err` holds the offset of the definition it already has.
    pub fn define(&mut self, name: &str, meaning: Meaning, at: usize) -> Result<(), usize> {
        let id = self.mention(name);
        let entry = &mut self.entries[id.0 as usize];
        if entry.meaning != Meaning::Unknown {
            return Err(entry.at);
        }
        *entry = Entry { meaning, at };
        Ok(())
    }

    pub fn meaning(&self, id: Id) -> Meaning {
        self.entries[id.0 as usize].meaning
    }

    /// The name of an id. Slow: for errors.
    pub fn name(&self, id: Id) -> String {
        self.by_name
            .iter()
            .find(|(_, known)| **known == id.0)
            .map(|(name, _)| name.to_string())
            .unwrap_or_default()
    }

    /// Where a reference leads in a circle: the way round it, by the ids. For errors: of a long one the ends are named.
    pub fn circle(&self, start: Id) -> Option<String> {
        const NAMED: usize = 4;
        let next = |id: Id| match self.meaning(id) {
            Meaning::PlaceReference(next) | Meaning::TransitionReference(next) => Some(next),
            _ => None,
        };
        // After as many steps as there are ids every chain with no end is in its circle.
        let within = (0..self.entries.len()).try_fold(start, |id, _| next(id))?;
        let mut around = vec![within];
        let mut id = next(within)?;
        while id != within {
            around.push(id);
            id = next(id)?;
        }
        // Told from the reference that is blamed, if it is in the circle itself.
        if let Some(first) = around.iter().position(|id| *id == start) {
            around.rotate_left(first);
        }
        let left_out = around.len().saturating_sub(2 * NAMED);
        let mut path: Vec<String> = Vec::new();
        for (n, id) in around.iter().enumerate() {
            match n {
                NAMED if left_out > 0 => path.push(format!("({left_out} more)")),
                n if left_out > 0 && (NAMED..NAMED + left_out).contains(&n) => {}
                _ => path.push(shown(self.name(*id).as_bytes())),
            }
        }
        path.push(path[0].clone());
        Some(path.join(" → "))
    }

    /// Replaces every reference by the place or transition at the end of its chain. `Err` is a reference that leads
    /// nowhere, in a circle or to the wrong kind of node, with its offset and what it ought to lead to.
    pub fn follow_references(&mut self) -> Result<(), (Id, usize, &'static str)> {
        for start in 0..self.entries.len() as u32 {
            let mut chain = Vec::new();
            let mut id = Id(start);
            let end = loop {
                match self.meaning(id) {
                    // Longer than there are ids: a circle.
                    Meaning::PlaceReference(_) | Meaning::TransitionReference(_)
                        if chain.len() > self.entries.len() =>
                    {
                        break Meaning::Unknown;
                    }
                    Meaning::PlaceReference(next) | Meaning::TransitionReference(next) => {
                        chain.push(id);
                        id = next;
                    }
                    end => break end,
                }
            };
            // The whole chain gets its end at once, so that each link is walked twice at most.
            for link in chain {
                let entry = &mut self.entries[link.0 as usize];
                let (fits, wanted) = match entry.meaning {
                    Meaning::PlaceReference(_) => (matches!(end, Meaning::Place(_)), "place"),
                    Meaning::TransitionReference(_) => (matches!(end, Meaning::Transition(_)), "transition"),
                    _ => continue,
                };
                if !fits {
                    return Err((link, entry.at, wanted));
                }
                entry.meaning = end;
            }
        }
        Ok(())
    }
}
