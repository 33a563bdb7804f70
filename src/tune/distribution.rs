//! Samples of times, and what can be read off them. What they are times of is not known here.

/// Times in seconds with how often each was seen, from the least to the most.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Distribution(Vec<(f64, u64)>);

impl Distribution {
    /// Of single samples.
    pub(crate) fn of(seconds: impl IntoIterator<Item = f64>) -> Self {
        Self::weighted(seconds.into_iter().map(|seconds| (seconds, 1)))
    }

    pub(super) fn weighted(samples: impl IntoIterator<Item = (f64, u64)>) -> Self {
        let mut samples: Vec<(f64, u64)> = samples
            .into_iter()
            .filter(|(seconds, count)| seconds.is_finite() && *count > 0)
            .collect();
        samples.sort_by(|(a, _), (b, _)| a.total_cmp(b));
        Self(samples)
    }

    /// Of a histogram: upper bounds with how many samples lie under each, the last one without a bound. Every sample counts
    /// as long as its bound, and what is beyond the last bound as twice as long as that, so that nothing looks shorter than
    /// it was.
    pub(super) fn of_buckets(buckets: &[(f64, u64)]) -> Self {
        let mut below = 0;
        let mut last = 0.0;
        let mut samples = Vec::new();
        for (bound, up_to_here) in buckets {
            let seconds = if bound.is_finite() {
                *bound
            } else {
                last * 2.0
            };
            samples.push((seconds, up_to_here.saturating_sub(below)));
            below = below.max(*up_to_here);
            last = seconds;
        }
        Self::weighted(samples)
    }

    pub(super) fn absorb(&mut self, other: &Self) {
        *self = Self::weighted(self.0.iter().chain(&other.0).copied());
    }

    pub(crate) fn count(&self) -> u64 {
        self.0.iter().map(|(_, count)| count).sum()
    }

    /// The samples with how often each was seen.
    pub(super) fn samples(&self) -> impl Iterator<Item = (f64, u64)> + '_ {
        self.0.iter().copied()
    }

    /// How many are longer than this.
    pub(super) fn above(&self, seconds: f64) -> u64 {
        let longer = self.samples().filter(|(sample, _)| *sample > seconds);
        longer.map(|(_, count)| count).sum()
    }

    /// None of nothing.
    pub(crate) fn mean(&self) -> Option<f64> {
        self.average(|seconds| seconds)
    }

    /// The mean of a function of the samples.
    pub(super) fn average(&self, of: impl Fn(f64) -> f64) -> Option<f64> {
        let count = self.count();
        let sum: f64 = self
            .samples()
            .map(|(seconds, weight)| of(seconds) * weight as f64)
            .sum();
        (count > 0).then(|| sum / count as f64)
    }

    /// The least sample that is not shorter than this share of all of them.
    pub(crate) fn quantile(&self, share: f64) -> Option<f64> {
        let wanted = (share * self.count() as f64).ceil().max(1.0) as u64;
        let mut seen = 0;
        let reached = |(_, count): &&(f64, u64)| {
            seen += count;
            seen >= wanted
        };
        self.0.iter().find(reached).map(|(seconds, _)| *seconds)
    }

    pub(crate) fn longest(&self) -> Option<f64> {
        self.0.last().map(|(seconds, _)| *seconds)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_samples_that_were_seen() {
        let times = Distribution::of([0.3, 0.1, 0.2, 0.4]);
        let quantile = |share| times.quantile(share).unwrap();
        assert_eq!(
            [0.0, 0.25, 0.26, 0.5, 0.99, 1.0].map(quantile),
            [0.1, 0.1, 0.2, 0.2, 0.4, 0.4]
        );
        assert_eq!(times.mean(), Some(0.25));
        assert_eq!((times.above(0.2), times.longest()), (2, Some(0.4)));
        let nothing = Distribution::default();
        assert_eq!((nothing.mean(), nothing.quantile(0.5)), (None, None));
    }

    #[test]
    fn a_bucket_counts_as_long_as_its_bound_and_the_last_one_as_twice_the_bound_before() {
        let times = Distribution::of_buckets(&[(0.01, 3), (0.1, 3), (1.0, 5), (f64::INFINITY, 6)]);
        assert_eq!(
            times,
            Distribution::weighted([(0.01, 3), (1.0, 2), (2.0, 1)])
        );
    }
}
