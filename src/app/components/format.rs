//! Numbers with units, as the console writes them.

/// `1 204`: groups of three, set apart by a narrow no-break space.
pub fn count(n: u64) -> String {
    let digits = n.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i).is_multiple_of(3) {
            text.push('\u{202f}');
        }
        text.push(digit);
    }
    text
}

/// `1 net`, `4 nets`.
pub fn counted(n: usize, one: &str, many: &str) -> String {
    format!("{} {}", count(n as u64), if n == 1 { one } else { many })
}

/// `612 MB`, `1.4 GB`; powers of 1024.
pub fn bytes(n: u64) -> String {
    let mib = n as f64 / (1u64 << 20) as f64;
    if mib < 10.0 {
        format!("{mib:.1} MB")
    } else if mib < 1024.0 {
        format!("{mib:.0} MB")
    } else {
        format!("{:.1} GB", mib / 1024.0)
    }
}

/// `950`, `12.4 k`, `3.1 M`: firings per second and the like.
pub fn rate(per_second: f64) -> String {
    if !per_second.is_finite() || per_second < 0.0 {
        "—".to_owned()
    } else if per_second < 10.0 {
        let text = format!("{per_second:.1}");
        text.strip_suffix(".0").map(str::to_owned).unwrap_or(text)
    } else if per_second < 1e4 {
        count(per_second.round() as u64)
    } else if per_second < 1e6 {
        format!("{:.1} k", per_second / 1e3)
    } else {
        format!("{:.1} M", per_second / 1e6)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_easily() {
        assert_eq!(count(1_234_567), "1\u{202f}234\u{202f}567");
        assert_eq!(count(12), "12");
        assert_eq!([bytes(5 << 20), bytes(612 << 20), bytes(3 << 30)], ["5.0 MB", "612 MB", "3.0 GB"]);
        assert_eq!(
            [rate(0.0), rate(2.5), rate(12_400.0), rate(3.1e6), rate(f64::NAN)],
            ["0", "2.5", "12.4 k", "3.1 M", "—"]
        );
    }
}
