//! Means and how far they can be trusted.

use serde::{Deserialize, Serialize};

/// Of the standard normal distribution: 95 % lie within this on both sides.
const Z: f64 = 1.959_963_984_540_054;

/// A mean, and an interval that holds the true one in 95 of 100 experiments.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// What it rests on.
    pub runs: u64,
    /// `None` of no runs.
    pub mean: Option<f64>,
    /// Low and high end of the interval. `None` of fewer than two runs.
    pub interval: Option<(f64, f64)>,
}

/// Number, mean and spread of values that come one at a time (Welford's method). Kept bit by bit, so that what is taken up again goes on
/// exactly.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(from = "(u64, u64, u64)", into = "(u64, u64, u64)")]
pub struct Moments {
    count: u64,
    mean: f64,
    /// Sum of the squared distances from the mean.
    squares: f64,
}

impl From<(u64, u64, u64)> for Moments {
    fn from((count, mean, squares): (u64, u64, u64)) -> Self {
        Self { count, mean: f64::from_bits(mean), squares: f64::from_bits(squares) }
    }
}

impl From<Moments> for (u64, u64, u64) {
    fn from(moments: Moments) -> Self {
        (moments.count, moments.mean.to_bits(), moments.squares.to_bits())
    }
}

impl Moments {
    pub fn count(&self) -> u64 {
        self.count
    }

    pub fn add(&mut self, value: f64) {
        self.count += 1;
        let distance = value - self.mean;
        self.mean += distance / self.count as f64;
        self.squares += distance * (value - self.mean);
    }

    /// The mean with Student's interval: right for values that are normal, and nearly so for the mean of many of any kind.
    pub fn estimate(&self) -> Estimate {
        let n = self.count as f64;
        let interval = (self.count >= 2).then(|| {
            let half = student(self.count - 1) * (self.squares / (n - 1.0) / n).sqrt();
            (self.mean - half, self.mean + half)
        });
        // What is beyond the numbers there are is not known; JSON has no way to write it either.
        let interval = interval.filter(|(low, high)| low.is_finite() && high.is_finite());
        let mean = (self.count > 0).then_some(self.mean).filter(|mean| mean.is_finite());
        Estimate { runs: self.count, mean, interval }
    }
}

/// A share of runs with Wilson's interval, which is right for shares near 0 and 1 too.
pub(super) fn share(of: u64, runs: u64) -> Estimate {
    if runs == 0 {
        return Estimate { runs, mean: None, interval: None };
    }
    let (n, p) = (runs as f64, of as f64 / runs as f64);
    let centre = (p + Z * Z / (2.0 * n)) / (1.0 + Z * Z / n);
    let half = Z / (1.0 + Z * Z / n) * (p * (1.0 - p) / n + Z * Z / (4.0 * n * n)).sqrt();
    // Exact at the ends, where rounding would leave the mean out.
    let low = if of == 0 { 0.0 } else { (centre - half).max(0.0) };
    let high = if of == runs { 1.0 } else { (centre + half).min(1.0) };
    Estimate { runs, mean: Some(p), interval: Some((low, high)) }
}

/// Student's t for 95 % on both sides, by the Cornish-Fisher expansion (Abramowitz and Stegun, 26.7.5); exact where that is not good yet.
fn student(freedom: u64) -> f64 {
    if let Some(&exact) =
        [12.706_205, 4.302_653, 3.182_446, 2.776_445, 2.570_582, 2.446_912, 2.364_624, 2.306_004]
            .get(freedom.saturating_sub(1) as usize)
    {
        return exact;
    }
    let v = freedom as f64;
    let terms = [
        (Z.powi(3) + Z) / 4.0,
        (5.0 * Z.powi(5) + 16.0 * Z.powi(3) + 3.0 * Z) / 96.0,
        (3.0 * Z.powi(7) + 19.0 * Z.powi(5) + 17.0 * Z.powi(3) - 15.0 * Z) / 384.0,
    ];
    Z + terms[0] / v + terms[1] / (v * v) + terms[2] / (v * v * v)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn students_t_is_as_in_the_tables() {
        let table = [
            (1, 12.706),
            (2, 4.303),
            (5, 2.571),
            (6, 2.447),
            (10, 2.228),
            (30, 2.042),
            (100, 1.984),
            (10_000, 1.960),
        ];
        for (freedom, t) in table {
            assert!((student(freedom) - t).abs() < 0.001, "{freedom}: {}", student(freedom));
        }
    }

    #[test]
    fn a_mean_and_its_interval_are_as_worked_out_by_hand() {
        let mut moments = Moments::default();
        assert_eq!(moments.estimate(), Estimate { runs: 0, mean: None, interval: None });
        moments.add(2.0);
        assert_eq!(moments.estimate(), Estimate { runs: 1, mean: Some(2.0), interval: None });
        [4.0, 6.0].into_iter().for_each(|value| moments.add(value));
        // Mean 4, deviation 2, standard error 2 / sqrt 3, t of two degrees of freedom.
        let (low, high) = moments.estimate().interval.expect("three values");
        assert!(
            (low - (4.0 - 4.302_653 * 2.0 / 3f64.sqrt())).abs() < 1e-9 && (low + high - 8.0).abs() < 1e-9
        );
    }

    #[test]
    fn what_is_beyond_all_numbers_is_not_known_and_can_be_written() {
        let mut moments = Moments::default();
        [f64::MAX, -f64::MAX].into_iter().for_each(|value| moments.add(value));
        let estimate = moments.estimate();
        assert_eq!((estimate.runs, estimate.interval), (2, None));
        let json = serde_json::to_string(&estimate).expect("writes");
        assert_eq!(serde_json::from_str::<Estimate>(&json).expect("reads"), estimate);
    }

    #[test]
    fn a_share_of_none_and_of_all_has_an_interval_too() {
        let none = share(0, 20).interval.expect("twenty runs");
        assert!(none.0 == 0.0 && (none.1 - 0.1611).abs() < 0.001, "{none:?}");
        let all = share(20, 20).interval.expect("twenty runs");
        assert!((all.0 - 0.8389).abs() < 0.001 && all.1 == 1.0, "{all:?}");
        assert_eq!(share(0, 0).mean, None);
        (1..2_000).for_each(|runs| {
            assert_eq!(share(0, runs).interval.map(|(low, _)| low), Some(0.0), "{runs}");
            assert_eq!(share(runs, runs).interval.map(|(_, high)| high), Some(1.0), "{runs}");
        });
    }

    #[test]
    fn what_is_kept_is_kept_to_the_last_bit() {
        let mut moments = Moments::default();
        (0..100).for_each(|n| moments.add((n as f64).sqrt() / 3.0));
        let json = serde_json::to_string(&moments).expect("writes");
        assert_eq!(serde_json::from_str::<Moments>(&json).expect("reads"), moments);
    }
}
