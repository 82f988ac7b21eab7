//! Finding names among many, in steps that never keep the page waiting. Pure.

use std::cmp::Reverse;

/// What can be found: a name in small letters, an id, and what it stands for.
#[derive(Clone, Debug)]
struct Entry<T> {
    what: T,
    name: Box<str>,
    id: u128,
    letters: u64,
}

/// Everything that can be found.
#[derive(Clone, Debug)]
pub struct Index<T> {
    entries: Vec<Entry<T>>,
}

impl<T: Copy> Index<T> {
    pub fn new() -> Index<T> {
        Index { entries: Vec::new() }
    }

    pub fn add(&mut self, what: T, name: &str, id: u128) {
        let name = name.to_lowercase().into_boxed_str();
        let letters = letters(&name);
        self.entries.push(Entry { what, name, id, letters });
    }
}

/// Which letters and digits occur, a bit each; what is neither shares one.
fn letters(text: &str) -> u64 {
    text.bytes().fold(0, |bits, byte| {
        bits | match byte {
            b' ' => 0,
            b'a'..=b'z' => 1 << (byte - b'a'),
            b'0'..=b'9' => 1 << (26 + byte - b'0'),
            _ => 1 << 40,
        }
    })
}

/// Words of so many letters may have one mistyped.
const FORGIVEN_FROM: usize = 4;

/// What is looked for: every word must be in the name, in any order and but for a slip in a longer one, or all of it is the beginning of an
/// id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query {
    words: Vec<Box<str>>,
    letters: u64,
    /// So many letters at most may be missing in a name that is found all the same.
    slips: u32,
    /// The first digits of an id, and how many bits they are.
    id: Option<(u128, u32)>,
}

impl Query {
    pub fn new(text: &str) -> Query {
        let text = text.to_lowercase();
        let digits: String = text.trim().chars().filter(|c| *c != '-').collect();
        let hex = (4..=32).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        let id = hex.then(|| u128::from_str_radix(&digits, 16).ok()).flatten();
        let words: Vec<Box<str>> = text.split_whitespace().map(Box::from).collect();
        Query {
            slips: words.iter().filter(|word| word.chars().count() >= FORGIVEN_FROM).count() as u32,
            words,
            letters: letters(&text),
            id: id.map(|id| (id, 4 * digits.len() as u32)),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.words.is_empty()
    }

    /// How well `name`, in small letters, is what is looked for.
    pub fn score(&self, name: &str) -> Option<u32> {
        self.words.iter().map(|word| score(word, name)).sum()
    }

    fn score_entry<T>(&self, entry: &Entry<T>) -> Option<u32> {
        let by_id = self.id.is_some_and(|(id, bits)| entry.id >> (128 - bits) == id).then_some(500);
        let missing = (self.letters & !entry.letters).count_ones();
        let by_name = if missing <= self.slips { self.score(&entry.name) } else { None };
        by_name.max(by_id)
    }
}

/// All of it is best, then its beginning, the beginning of a word, somewhere, its letters in order, and last with one mistyped; a short name
/// before a long one.
fn score(word: &str, name: &str) -> Option<u32> {
    plain_score(word, name).or_else(|| {
        let long = name.len().min(90) as u32;
        let starts = name
            .char_indices()
            .filter(|(at, _)| name[..*at].chars().next_back().is_none_or(|before| !before.is_alphanumeric()));
        let forgiven = word.chars().count() >= FORGIVEN_FROM;
        (forgiven && starts.into_iter().any(|(at, _)| begins_nearly(word, &name[at..]))).then(|| 150 - long)
    })
}

/// Whether `text` begins with `word` but for one letter that is another, missing, too much, or in the wrong order. A digit is no slip: it
/// tells one thing from another.
pub fn begins_nearly(word: &str, text: &str) -> bool {
    let (word, text): (Vec<char>, Vec<char>) =
        (word.chars().collect(), text.chars().take(word.chars().count() + 1).collect());
    let same = word.iter().zip(&text).take_while(|(a, b)| a == b).count();
    if same == word.len() {
        return true;
    }
    let rest = |word: &[char], text: &[char]| text.starts_with(word);
    let letter = |of: &[char], at: usize| of.get(at).is_some_and(|c| c.is_alphabetic());
    let (w, t) = (&word[same..], &text[same..]);
    let other = letter(w, 0) && letter(t, 0) && rest(&w[1..], &t[1..]);
    let too_much = letter(w, 0) && rest(&w[1..], t);
    let missing = letter(t, 0) && rest(w, &t[1..]);
    let swapped =
        letter(w, 0) && letter(w, 1) && t.len() > 1 && w[0] == t[1] && w[1] == t[0] && rest(&w[2..], &t[2..]);
    other || too_much || missing || swapped
}

fn plain_score(word: &str, name: &str) -> Option<u32> {
    let long = name.len().min(100) as u32;
    if word == name {
        return Some(1_000);
    }
    if let Some(at) = name.find(word) {
        let starts_word =
            |at: usize| at == 0 || name[..at].chars().next_back().is_some_and(|c| !c.is_alphanumeric());
        let points = match at {
            0 => 800,
            _ if name.match_indices(word).any(|(at, _)| starts_word(at)) => 650,
            _ => 500,
        };
        return Some(points - long);
    }
    // Two letters are in order somewhere in nearly every name.
    if word.len() < 3 {
        return None;
    }
    let mut rest = name.bytes().enumerate();
    let (mut first, mut last) = (None, 0);
    for wanted in word.bytes() {
        let (at, _) = rest.find(|(_, byte)| *byte == wanted)?;
        first = first.or(Some(at));
        last = at;
    }
    // Letters that lie far apart are chance.
    let spread = last + 1 - first.unwrap_or(0) - word.len();
    (spread <= 2 * word.len() + 4).then(|| 300 - 10 * spread.min(20) as u32 - long.min(90))
}

/// A search that goes on step by step.
#[derive(Clone, Debug)]
pub struct Search<T> {
    query: Query,
    most: usize,
    at: usize,
    best: Vec<(u32, Reverse<usize>, T)>,
}

impl<T: Copy> Search<T> {
    /// For the best `most`.
    pub fn new(query: Query, most: usize) -> Search<T> {
        Search { query, most, at: 0, best: Vec::new() }
    }

    /// Looks at `count` more; whether that was all.
    pub fn step(&mut self, index: &Index<T>, count: usize) -> bool {
        if self.query.is_empty() {
            return true;
        }
        let end = (self.at + count).min(index.entries.len());
        for i in self.at..end {
            let entry = &index.entries[i];
            let Some(score) = self.query.score_entry(entry) else { continue };
            let key = (score, Reverse(i));
            let place = self.best.partition_point(|(score, i, _)| (*score, *i) >= key);
            if place < self.most {
                self.best.insert(place, (score, Reverse(i), entry.what));
                self.best.truncate(self.most);
            }
        }
        self.at = end;
        end == index.entries.len()
    }

    /// Best first, with its score.
    pub fn found(&self) -> Vec<(u32, T)> {
        self.best.iter().map(|(score, _, what)| (*score, *what)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(names: &[&str], query: &str) -> Vec<usize> {
        let mut index = Index::new();
        for (i, name) in names.iter().enumerate() {
            index.add(i, name, (i as u128) << 120);
        }
        let mut search = Search::new(Query::new(query), 3);
        while !search.step(&index, 2) {}
        search.found().into_iter().map(|(_, what)| what).collect()
    }

    #[test]
    fn the_better_match_comes_first() {
        assert_eq!(find(&["my-eu-1", "eu-1", "eu-10", "xeu-1"], "eu-1"), [1, 2, 0]);
        assert_eq!(find(&["Müller", "muster"], "mü"), [0]);
    }

    #[test]
    fn letters_in_order_are_enough_if_they_are_near() {
        assert_eq!(find(&["worker-eu-17", "worker-eu-18", "eu-17-worker"], "weu17"), [0]);
        assert_eq!(find(&["a-long-name-with-much-between-b-c"], "abc"), Vec::<usize>::new());
        assert_eq!(find(&["axb"], "ab"), Vec::<usize>::new());
        assert_eq!(find(&["worker-eu-17"], "71"), Vec::<usize>::new());
    }

    #[test]
    fn every_word_counts_in_any_order() {
        assert_eq!(find(&["worker-eu-17", "worker-eu-18", "worker-us-17"], "eu 17"), [0]);
        assert_eq!(find(&["worker-eu-17", "worker-eu-18", "worker-us-17"], "17 eu"), [0]);
    }

    #[test]
    fn one_slip_in_a_longer_word_is_forgiven_and_comes_last() {
        for slip in ["dinign", "dinimg", "dinng", "dinning", "idning", "xdining"] {
            assert_eq!(find(&["dining philosophers", "bakery"], slip), [0], "{slip}");
        }
        assert_eq!(find(&["dining", "dinning-room"], "dinning"), [1, 0]);
        assert_eq!(find(&["the philosophers"], "philosofers"), Vec::<usize>::new(), "two are not");
        assert_eq!(find(&["bee"], "bea"), Vec::<usize>::new(), "a short word is what it is");
        assert_eq!(find(&["worker-17", "worker-18"], "worker-18"), [1], "a digit is no slip");
        assert_eq!(find(&["worker-17"], "worker-18"), Vec::<usize>::new());
    }

    #[test]
    fn an_id_is_found_by_its_beginning() {
        let names: Vec<String> = (0..20).map(|i| format!("n{i}")).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        assert_eq!(find(&names, "0300-0000"), [3]);
    }

    #[test]
    fn nothing_is_looked_for_without_a_query() {
        assert_eq!(find(&["a"], "  "), Vec::<usize>::new());
    }

    #[test]
    fn the_size_of_the_steps_does_not_matter() {
        let names: Vec<String> = (0..1_000).map(|i| format!("worker-{i:04}")).collect();
        let mut index = Index::new();
        names.iter().enumerate().for_each(|(i, name)| index.add(i, name, 0));
        let found = |step: usize| {
            let mut search = Search::new(Query::new("w 9"), 12);
            while !search.step(&index, step) {}
            search.found()
        };
        assert_eq!(found(7), found(5_000));
        assert_eq!(found(7).len(), 12);
    }
}
