//! Sparse integer vectors: `(index, value)` ascending by index, no zeros.

pub type Vector = Vec<(u32, i64)>;

/// Sorts and adds up what has the same index. For arc weights only, whose sums stay far within `i64`.
pub fn sum(mut entries: Vector) -> Vector {
    entries.sort_unstable_by_key(|&(index, _)| index);
    entries.dedup_by(|next, kept| {
        let same = next.0 == kept.0;
        if same {
            kept.1 += next.1;
        }
        same
    });
    entries.retain(|&(_, value)| value != 0);
    entries
}

/// Rows from columns.
pub fn transposed(columns: &[Vector], rows: usize) -> Vec<Vector> {
    let mut transposed = vec![Vector::new(); rows];
    for (index, column) in columns.iter().enumerate() {
        for &(row, value) in column {
            transposed[row as usize].push((index as u32, value));
        }
    }
    transposed
}

/// The value at an index.
pub fn at(vector: &[(u32, i64)], index: u32) -> i64 {
    vector.binary_search_by_key(&index, |&(at, _)| at).map_or(0, |found| vector[found].1)
}

/// `a · x + b · y`; `None` if a value leaves `i64`.
pub fn combined(x: &[(u32, i64)], a: i64, y: &[(u32, i64)], b: i64) -> Option<Vector> {
    let mut result = Vector::with_capacity(x.len() + y.len());
    let (mut i, mut j) = (0, 0);
    while i < x.len() || j < y.len() {
        let left = x.get(i).map_or(u32::MAX, |&(index, _)| index);
        let right = y.get(j).map_or(u32::MAX, |&(index, _)| index);
        let index = left.min(right);
        let mut value = 0i64;
        if left == index && i < x.len() {
            value = x[i].1.checked_mul(a)?;
            i += 1;
        }
        if right == index && j < y.len() {
            value = value.checked_add(y[j].1.checked_mul(b)?)?;
            j += 1;
        }
        if value == i64::MIN {
            return None; // has no opposite
        }
        if value != 0 {
            result.push((index, value));
        }
    }
    Some(result)
}

/// The greatest common divisor of all values and of `start`.
pub fn divisor(vector: &[(u32, i64)], start: u64) -> u64 {
    let mut divisor = start;
    for &(_, value) in vector {
        if divisor == 1 {
            break;
        }
        divisor = gcd(divisor, value.unsigned_abs());
    }
    divisor
}

/// Divides all values by a common divisor of theirs.
pub fn divide(vector: &mut Vector, divisor: u64) {
    if let Ok(divisor @ 2..) = i64::try_from(divisor) {
        vector.iter_mut().for_each(|(_, value)| *value /= divisor);
    }
}

pub fn gcd(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}
