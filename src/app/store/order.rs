//! Ids in the order of their rows' names.

/// Kept sorted while rows come, go and are renamed: a change costs a search, not a sort.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Order<I>(Vec<(String, I)>);

impl<I> Default for Order<I> {
    fn default() -> Order<I> {
        Order(Vec::new())
    }
}

impl<I: Copy + Ord> Order<I> {
    pub fn of<'a>(rows: impl Iterator<Item = (&'a str, I)>) -> Order<I> {
        let mut sorted: Vec<_> = rows.map(|(name, id)| (name.to_lowercase(), id)).collect();
        sorted.sort_unstable();
        Order(sorted)
    }

    /// The row `id` had the name `before` and has the name `after`; `None` where there was or is no row. Whether the order is another.
    pub fn change(&mut self, id: I, before: Option<&str>, after: Option<&str>) -> bool {
        if before == after {
            return false;
        }
        if let Some(before) = before
            && let Ok(at) = self.0.binary_search(&(before.to_lowercase(), id))
        {
            self.0.remove(at);
        }
        if let Some(after) = after {
            let row = (after.to_lowercase(), id);
            if let Err(at) = self.0.binary_search(&row) {
                self.0.insert(at, row);
            }
        }
        true
    }

    pub fn ids(&self) -> Vec<I> {
        self.0.iter().map(|(_, id)| *id).collect()
    }

    /// The first rows of the order.
    pub fn first(&self, most: usize) -> Vec<I> {
        self.0.iter().take(most).map(|(_, id)| *id).collect()
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
