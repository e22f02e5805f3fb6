//! What clocks changed in their series, summed up: `monitor.core.clocks.counts` and `monitor.core.series`.

use rustc_hash::FxHashMap;

use crate::clock::{State, Terms};

/// The most durations that are listed exactly.
pub const MOST: usize = 8;
/// Milliseconds of a minute.
pub const MINUTE_MS: i64 = 60_000;

/// Return the bucket of a duration.
pub fn bucket_of(value_ms: i64) -> i64 {
    if value_ms < 128 {
        return value_ms;
    }
    let shift = 64 - i64::from(value_ms.leading_zeros()) - 7;
    (shift << 6) + (value_ms >> shift)
}

/// What stopped clocks add to one series in one minute.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Sum {
    /// How many stopped in time.
    pub met: i64,
    /// Their business time (ms).
    pub elapsed_ms: i64,
    /// Their wall-clock time (ms).
    pub wall_ms: i64,
    /// How many exceed a target in its bucket, by the name of the count.
    pub beyond: Vec<(Box<str>, i64)>,
    /// How many durations are in each bucket.
    pub buckets: Vec<(i64, i64)>,
    /// The longest durations, ascending, each with its number.
    pub longest: Vec<(i64, i64)>,
    /// From which duration on all are listed (ms).
    pub from_ms: i64,
}

impl Sum {
    /// Add a clock that has stopped.
    pub fn add(&mut self, elapsed_ms: i64, wall_ms: i64, near: &[(i64, Box<str>)]) {
        self.met += 1;
        self.elapsed_ms += elapsed_ms;
        self.wall_ms += wall_ms;
        self.measure(elapsed_ms, near);
    }

    /// Add a duration to the sketch and to what is kept beside it.
    pub fn measure(&mut self, value_ms: i64, near: &[(i64, Box<str>)]) {
        let bucket = bucket_of(value_ms);
        for (target_ms, name) in near {
            if value_ms > *target_ms && bucket_of(*target_ms) == bucket {
                match self.beyond.iter_mut().find(|(known, _)| known == name) {
                    Some((_, count)) => *count += 1,
                    None => self.beyond.push((name.clone(), 1)),
                }
            }
        }
        match self.buckets.binary_search_by_key(&bucket, |one| one.0) {
            Ok(place) => self.buckets[place].1 += 1,
            Err(place) => self.buckets.insert(place, (bucket, 1)),
        }
        self.list(value_ms);
    }

    fn list(&mut self, value_ms: i64) {
        if value_ms < self.from_ms {
            return;
        }
        match self.longest.binary_search_by_key(&value_ms, |one| one.0) {
            Ok(place) => self.longest[place].1 += 1,
            Err(place) => self.longest.insert(place, (value_ms, 1)),
        }
        if self.longest.len() > MOST {
            self.from_ms = self.longest.remove(0).0 + 1;
        }
    }
}

/// The sums of all series that a piece of records has changed. A series is named by its msgpack.
#[derive(Debug, Default)]
pub struct Sums {
    /// The series, in the order in which they were named first.
    pub series: Vec<Box<[u8]>>,
    numbers: FxHashMap<Box<[u8]>, usize>,
    /// By how much the number of open clocks changes, by series and whether they are paused.
    pub live: Vec<((usize, bool), i64)>,
    lives: FxHashMap<(usize, bool), usize>,
    /// What stopped clocks add, by series and minute.
    pub minutes: Vec<((usize, i64), Sum)>,
    places: FxHashMap<(usize, i64), usize>,
}

impl Sums {
    /// Let a clock move from one state to another. None: it was not there before.
    pub fn moved(&mut self, series: &[u8], before: Option<State>, after: &Ended, of: &Terms) {
        if before == Some(after.state) {
            return;
        }
        let number = self.number_of(series);
        if let Some(state) = before {
            self.count(number, state == State::Paused, -1);
        }
        if after.state != State::Ended {
            self.count(number, after.state == State::Paused, 1);
            return;
        }
        let key = (number, after.stop_ms.div_euclid(MINUTE_MS));
        let place = *self.places.entry(key).or_insert(self.minutes.len());
        if place == self.minutes.len() {
            self.minutes.push((key, Sum::default()));
        }
        self.minutes[place].1.add(after.elapsed_ms, after.wall_ms, &of.near);
    }

    fn number_of(&mut self, series: &[u8]) -> usize {
        if let Some(number) = self.numbers.get(series) {
            return *number;
        }
        let number = self.series.len();
        self.series.push(series.into());
        self.numbers.insert(series.into(), number);
        number
    }

    fn count(&mut self, number: usize, is_paused: bool, times: i64) {
        let place = *self.lives.entry((number, is_paused)).or_insert(self.live.len());
        if place == self.live.len() {
            self.live.push(((number, is_paused), 0));
        }
        self.live[place].1 += times;
    }
}

/// The state of a clock after its facts, and its times if it has ended.
#[derive(Debug)]
pub struct Ended {
    /// The state.
    pub state: State,
    /// When it stopped (ms).
    pub stop_ms: i64,
    /// Its business time (ms).
    pub elapsed_ms: i64,
    /// Its wall-clock time (ms).
    pub wall_ms: i64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_those_of_the_sketch() {
        let golden = [(0, 0), (127, 127), (128, 128), (129, 128), (255, 191), (256, 192), (3_600_000, 1_069)];
        for (value, bucket) in golden {
            assert_eq!(bucket_of(value), bucket, "{value}");
        }
    }

    #[test]
    fn the_longest_are_listed_from_the_first_that_is_left_out() {
        let mut sum = Sum::default();
        for value in [5, 1, 9, 3, 7, 2, 8, 6, 4, 4] {
            sum.add(value, value, &[]);
        }
        assert_eq!(sum.longest, [(2, 1), (3, 1), (4, 2), (5, 1), (6, 1), (7, 1), (8, 1), (9, 1)]);
        assert_eq!((sum.from_ms, sum.met, sum.elapsed_ms), (2, 10, 49));
    }

    #[test]
    fn what_exceeds_a_target_in_its_bucket_is_counted() {
        let mut sum = Sum::default();
        let near: Vec<(i64, Box<str>)> = vec![(3_600_000, "beyond_3600000".into())];
        for value in [3_600_000, 3_600_001, 9_000_000] {
            sum.add(value, value, &near);
        }
        assert_eq!(sum.beyond, [("beyond_3600000".into(), 1)]);
    }

    #[test]
    fn a_clock_that_comes_and_goes_leaves_no_open_one() {
        let of =
            Terms { budget_ms: 1, limit_ms: 2, warnings: vec![], calendar: 0, stops: 0, pause_on: None, near: vec![] };
        let after = |state| Ended { state, stop_ms: 60_001, elapsed_ms: 1, wall_ms: 1 };
        let mut sums = Sums::default();
        sums.moved(b"a", None, &after(State::Running), &of);
        sums.moved(b"a", Some(State::Running), &after(State::Ended), &of);
        assert_eq!(sums.live, [((0, false), 0)]);
        assert_eq!((sums.minutes[0].0, sums.minutes[0].1.met), ((0, 1), 1));
    }
}
