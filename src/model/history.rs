//! The last hour of a worker's figures, at decreasing resolution: exact enough to see what just happened, small enough to keep for ten
//! thousand workers (two rings of 60 buckets, 20 bytes each).

use super::{Telemetry, Timestamp};
use serde::{Deserialize, Serialize};

/// Buckets in each ring.
pub const BUCKETS: usize = 60;
/// The last five minutes, five seconds each.
pub const FINE_MS: u64 = 5_000;
/// The last hour, a minute each.
pub const COARSE_MS: u64 = 60_000;

/// A worker's figures, averaged over a bucket of time.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
pub struct Sample {
    /// Share of one core, in percent.
    pub cpu_percent: f32,
    /// Resident memory, mebibytes.
    pub memory_mb: f32,
    /// Firings per second of all its nets together.
    pub rate: f32,
}

/// Figures in order, oldest first; `None` where the worker was not heard. The last one is of the time now, and grows.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
pub struct Series {
    /// The length of a bucket, milliseconds.
    pub step_ms: u64,
    /// The end of the last bucket.
    pub until: Timestamp,
    pub samples: Vec<Option<Sample>>,
}

/// What the console knows of a worker's last hour.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "ssr", derive(schemars::JsonSchema))]
pub struct Trend {
    pub five_minutes: Series,
    pub hour: Series,
}

/// Both rings of one worker.
#[derive(Clone, Debug, Default)]
pub struct History {
    fine: Ring<FINE_MS>,
    coarse: Ring<COARSE_MS>,
    latest: Timestamp,
}

#[derive(Clone, Debug, Default)]
struct Ring<const STEP_MS: u64> {
    /// Empty until the first sample.
    buckets: Vec<Bucket>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Bucket {
    /// The time it is of, in steps since 1970; a bucket of another round of the ring is empty.
    number: u32,
    count: u16,
    sum: Sample,
}

impl History {
    pub fn put(&mut self, telemetry: &Telemetry) {
        let rate: f64 = telemetry.nets.iter().map(|net| net.rate).filter(|rate| rate.is_finite()).sum();
        let sample = Sample {
            cpu_percent: telemetry.worker.cpu_percent,
            memory_mb: telemetry.worker.memory_bytes as f32 / (1 << 20) as f32,
            rate: rate as f32,
        };
        self.fine.put(telemetry.at, sample);
        self.coarse.put(telemetry.at, sample);
        self.latest = self.latest.max(telemetry.at);
    }

    /// When the worker was last heard.
    pub fn latest(&self) -> Timestamp {
        self.latest
    }

    pub fn trend(&self, now: Timestamp) -> Trend {
        Trend { five_minutes: self.fine.series(now), hour: self.coarse.series(now) }
    }
}

impl<const STEP_MS: u64> Ring<STEP_MS> {
    fn number(at: Timestamp) -> u32 {
        (at.0 / STEP_MS) as u32
    }

    fn put(&mut self, at: Timestamp, sample: Sample) {
        self.buckets.resize(BUCKETS, Bucket::default());
        let number = Self::number(at);
        let bucket = &mut self.buckets[number as usize % BUCKETS];
        if bucket.number != number {
            *bucket = Bucket { number, ..Bucket::default() };
        }
        // Sixty-five thousand samples in one bucket: the mean of those is good enough.
        let Some(count) = bucket.count.checked_add(1) else { return };
        bucket.count = count;
        bucket.sum.cpu_percent += sample.cpu_percent;
        bucket.sum.memory_mb += sample.memory_mb;
        bucket.sum.rate += sample.rate;
    }

    fn series(&self, now: Timestamp) -> Series {
        let last = Self::number(now);
        let samples = (0..BUCKETS as u32).rev().map(|back| {
            let number = last.checked_sub(back)?;
            let bucket = self.buckets.get(number as usize % BUCKETS)?;
            (bucket.number == number && bucket.count > 0).then(|| bucket.mean())
        });
        Series {
            step_ms: STEP_MS,
            until: Timestamp((u64::from(last) + 1) * STEP_MS),
            samples: samples.collect(),
        }
    }
}

impl Bucket {
    fn mean(&self) -> Sample {
        let count = f32::from(self.count);
        Sample {
            cpu_percent: self.sum.cpu_percent / count,
            memory_mb: self.sum.memory_mb / count,
            rate: self.sum.rate / count,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::{WorkerId, WorkerMetrics};
    use uuid::Uuid;

    const START: u64 = 1_700_000_000_000 / COARSE_MS * COARSE_MS;

    fn heard(history: &mut History, at: u64, cpu_percent: f32) {
        let worker = WorkerMetrics { cpu_percent, memory_bytes: 64 << 20, ..WorkerMetrics::default() };
        let worker_id = WorkerId(Uuid::nil());
        history.put(&Telemetry { worker_id, at: Timestamp(at), worker, nets: Vec::new(), labs: Vec::new() });
    }

    fn cpu(series: &Series) -> Vec<Option<f32>> {
        series.samples.iter().map(|sample| sample.map(|sample| sample.cpu_percent)).collect()
    }

    #[test]
    fn a_bucket_is_the_mean_of_what_was_heard_in_it() {
        let mut history = History::default();
        for (second, cpu) in [(0, 10.0), (1, 20.0), (4, 30.0), (5, 80.0)] {
            heard(&mut history, START + second * 1_000, cpu);
        }
        let trend = history.trend(Timestamp(START + 5_500));
        let fine = cpu(&trend.five_minutes);
        assert_eq!(fine.len(), BUCKETS);
        assert_eq!(fine[BUCKETS - 2..], [Some(20.0), Some(80.0)]);
        assert_eq!(fine[..BUCKETS - 2], [None; BUCKETS - 2]);
        assert_eq!(cpu(&trend.hour)[BUCKETS - 1], Some(35.0));
        assert_eq!(trend.five_minutes.until, Timestamp(START + 10_000));
        assert_eq!(trend.hour.samples[BUCKETS - 1].map(|sample| sample.memory_mb), Some(64.0));
    }

    #[test]
    fn silence_is_a_gap_and_not_a_zero() {
        let mut history = History::default();
        heard(&mut history, START, 10.0);
        heard(&mut history, START + 20_000, 10.0);
        let fine = cpu(&history.trend(Timestamp(START + 20_000)).five_minutes);
        assert_eq!(fine[BUCKETS - 5..], [Some(10.0), None, None, None, Some(10.0)]);
    }

    #[test]
    fn what_is_older_than_the_ring_is_not_shown_as_new() {
        let mut history = History::default();
        heard(&mut history, START, 10.0);
        // The same place in the ring, one round later.
        let fine = cpu(&history.trend(Timestamp(START + FINE_MS * BUCKETS as u64)).five_minutes);
        assert_eq!(fine, [None; BUCKETS]);
        let hour = cpu(&history.trend(Timestamp(START + FINE_MS * BUCKETS as u64)).hour);
        assert_eq!(hour[BUCKETS - 6], Some(10.0), "the hour still knows it");
        assert_eq!(History::default().trend(Timestamp(0)).hour.samples, [None; BUCKETS]);
    }
}
