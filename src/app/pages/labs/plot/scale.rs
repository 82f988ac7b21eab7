//! Where a number is on a scale, which numbers are written beside it, and how. Pure.

use crate::app::components::format::count;

/// A scale from a round number to a round number, with round numbers between.
#[derive(Clone, Debug, PartialEq)]
pub struct Scale {
    low: f64,
    high: f64,
    pub ticks: Vec<f64>,
    /// Digits after the point that tell the ticks apart.
    decimals: usize,
}

/// 1, 2 or 5 times a power of ten: the least that is at least `step`.
fn round_step(step: f64) -> f64 {
    let power = 10_f64.powf(step.log10().floor());
    // A little more than the number itself, because powers of ten are not exact.
    let factor = [1.0, 2.0, 5.0].into_iter().find(|factor| factor * power >= step * 0.999_999);
    factor.unwrap_or(10.0) * power
}

impl Scale {
    /// A scale that all `values` are on, zero among them, with about so many ticks.
    pub fn over(values: impl Iterator<Item = f64>, about: usize) -> Scale {
        let (mut low, mut high) = (0.0_f64, 0.0_f64);
        for value in values.filter(|value| value.is_finite()) {
            (low, high) = (low.min(value), high.max(value));
        }
        if high - low < f64::MIN_POSITIVE * 1e6 {
            high = low + 1.0;
        }
        let step = round_step((high - low) / about.max(1) as f64);
        let (first, last) = ((low / step).floor(), (high / step - 1e-9).ceil().max(1.0));
        let ticks = (0..=(last - first) as u32).map(|n| (first + f64::from(n)) * step).collect();
        let decimals = (-step.log10().floor()).clamp(0.0, 9.0) as usize;
        Scale { low: first * step, high: last * step, ticks, decimals }
    }

    /// From 0 to 1.
    pub fn shares() -> Scale {
        Scale { low: 0.0, high: 1.0, ticks: vec![0.0, 0.25, 0.5, 0.75, 1.0], decimals: 2 }
    }

    /// How far along the scale, in percent; what is beyond an end is at it.
    pub fn percent(&self, value: f64) -> f64 {
        ((value - self.low) / (self.high - self.low) * 100.0).clamp(0.0, 100.0)
    }

    /// A tick in words.
    pub fn label(&self, tick: f64) -> String {
        if tick.abs() >= 1e4 || (tick != 0.0 && tick.abs() < 1e-6) {
            return number(tick);
        }
        format!("{tick:.*}", self.decimals)
    }
}

/// With four significant digits: `0.3333`, `12.5`, `1 204`.
pub fn number(value: f64) -> String {
    let size = value.abs();
    if !value.is_finite() {
        return "—".to_owned();
    }
    if size == 0.0 {
        return "0".to_owned();
    }
    if !(1e-6..1e15).contains(&size) {
        return format!("{value:.3e}");
    }
    if size >= 1e4 {
        let sign = if value < 0.0 { "−" } else { "" };
        return format!("{sign}{}", count(size.round() as u64));
    }
    let decimals = (3 - size.log10().floor() as i32).clamp(0, 9) as usize;
    let text = format!("{value:.decimals$}");
    let text =
        if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text };
    text.replace('-', "−")
}

/// With as many digits as an estimate has meaning for, and no more: `0.286725`.
pub fn exact(value: f64) -> String {
    // Six significant digits, written as a plain number.
    let rounded: f64 = format!("{value:.5e}").parse().unwrap_or(value);
    rounded.to_string().replace('-', "−")
}

/// A share of 1 as percent: `64.2 %`.
pub fn share(value: f64) -> String {
    format!("{} %", number((value * 1_000.0).round() / 10.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ticks_are_round_numbers_that_hold_all_values() {
        let scale = |values: &[f64], about| Scale::over(values.iter().copied(), about);
        let labels = |scale: &Scale| scale.ticks.iter().map(|tick| scale.label(*tick)).collect::<Vec<_>>();
        assert_eq!(labels(&scale(&[0.31, 0.87], 5)), ["0.0", "0.2", "0.4", "0.6", "0.8", "1.0"]);
        assert_eq!(labels(&scale(&[17.0], 4)), ["0", "5", "10", "15", "20"]);
        assert_eq!(labels(&scale(&[0.003], 3)), ["0.000", "0.001", "0.002", "0.003"]);
        assert_eq!(labels(&scale(&[], 4)), ["0.0", "0.5", "1.0"], "nothing yet");
        assert_eq!(labels(&scale(&[0.0, f64::NAN], 4)), ["0.0", "0.5", "1.0"]);
        let below = scale(&[-0.4, 2.0], 4);
        assert!(below.percent(-0.4) > 0.0 && below.ticks[0] <= -0.4, "{below:?}");
        for value in [1e-9, 0.07, 3.0, 999.0, 1e12] {
            let scale = scale(&[value], 5);
            let last = *scale.ticks.last().unwrap();
            assert!(last >= value * 0.999 && scale.ticks.len() <= 8, "{value}: {scale:?}");
        }
    }

    #[test]
    fn a_value_is_where_it_is_on_the_scale_and_never_beyond_it() {
        let scale = Scale::over([10.0].into_iter(), 5);
        assert_eq!(
            [0.0, 5.0, 10.0, 12.0, -3.0].map(|value| scale.percent(value)),
            [0.0, 50.0, 100.0, 100.0, 0.0]
        );
        assert_eq!(Scale::shares().percent(0.5), 50.0);
    }

    #[test]
    fn numbers_have_four_digits_that_matter() {
        let cases = [
            (0.0, "0"),
            (1.0 / 3.0, "0.3333"),
            (12.5, "12.5"),
            (1204.4, "1204"),
            (-0.25, "−0.25"),
            (0.000_123_41, "0.0001234"),
            (2e-9, "2.000e-9"),
            (f64::NAN, "—"),
        ];
        for (value, text) in cases {
            assert_eq!(number(value), text);
        }
        assert_eq!(number(12_345.6), "12\u{202f}346");
        assert_eq!(
            [0.286_725_000_000_000_06, 1.0 / 3.0, -0.5, 3.0].map(exact),
            ["0.286725", "0.333333", "−0.5", "3"]
        );
        assert_eq!([share(0.642), share(1.0), share(0.0)], ["64.2 %", "100 %", "0 %"]);
    }
}
