//! What can be said with 95 % confidence of something that was seen so often. Nothing seen is not never.

/// The chance to be wrong.
const DOUBT: f64 = 0.05;
/// The quantile of the normal distribution for it.
const Z: f64 = 1.644_853_626_951;
/// From so many on an approximation is as good.
const MANY: u64 = 1000;

/// The largest share of which `seen` of `of` is no surprise: Clopper and Pearson's upper bound, for none of n about 3/n;
/// for many of them Wilson's.
pub(super) fn share(seen: u64, of: u64) -> f64 {
    if of == 0 || seen >= of {
        return 1.0;
    }
    if seen > MANY {
        let (seen, of) = (seen as f64, of as f64);
        let p = seen / of;
        let spread = Z * (p * (1.0 - p) / of + Z * Z / (4.0 * of * of)).sqrt();
        return (p + Z * Z / (2.0 * of) + spread) / (1.0 + Z * Z / of);
    }
    greatest(0.0, 1.0, |p| {
        at_most(seen, |i| {
            let (i, of) = (i as f64, of as f64);
            ((of - i) / (i + 1.0) * p / (1.0 - p)).ln()
        }) + of as f64 * (1.0 - p).ln()
    })
}

/// The largest mean of which seeing so many independent events is no surprise: Garwood's upper bound, for none 3.0; for many
/// of them Wilson and Hilferty's.
pub(super) fn events(seen: u64) -> f64 {
    let next = (seen + 1) as f64;
    if seen > MANY {
        return next * (1.0 - 1.0 / (9.0 * next) + Z / (3.0 * next.sqrt())).powi(3);
    }
    greatest(0.0, next * 4.0, |mean| {
        at_most(seen, |i| (mean / (i + 1) as f64).ln()) - mean
    })
}

/// The logarithm of the sum of the first terms of a series that begins with 1, from the logarithms of their ratios.
fn at_most(last: u64, ratio: impl Fn(u64) -> f64) -> f64 {
    let mut term = 0.0_f64;
    let mut sum = 0.0_f64;
    for i in 0..last {
        term += ratio(i);
        let (more, less) = (sum.max(term), sum.min(term));
        sum = more + (less - more).exp().ln_1p();
    }
    sum
}

/// Where a probability, given by its logarithm and falling, reaches the doubt.
fn greatest(mut from: f64, mut to: f64, ln: impl Fn(f64) -> f64) -> f64 {
    for _ in 0..100 {
        let middle = f64::midpoint(from, to);
        if ln(middle) > DOUBT.ln() {
            from = middle;
        } else {
            to = middle;
        }
    }
    to
}

#[cfg(test)]
mod tests {
    use super::*;

    fn assert_near(value: f64, expected: f64) {
        assert!(
            (value / expected - 1.0).abs() < 1e-3,
            "{value} is not {expected}"
        );
    }

    #[test]
    fn nothing_of_n_is_the_rule_of_three() {
        assert_near(share(0, 100), 1.0 - 0.05_f64.powf(0.01));
        assert_near(share(0, 1_000_000), 2.9957e-6);
        assert_near(events(0), 2.9957);
    }

    #[test]
    fn bounds_are_those_of_the_tables() {
        // Clopper and Pearson, one-sided, and Garwood.
        assert_near(share(1, 10), 0.394_16);
        assert_near(share(5, 100), 0.102_25);
        assert_near(events(1), 4.7439);
        assert_near(events(10), 16.9622);
        assert_eq!((share(0, 0), share(7, 7)), (1.0, 1.0));
    }

    #[test]
    fn approximations_go_on_where_the_sums_end() {
        assert_near(share(1001, 10_000) / share(1000, 10_000), 1.000_97);
        assert_near(events(1001) / events(1000), 1.000_97);
    }
}
