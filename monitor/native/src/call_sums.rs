//! What calls changed in their series, summed up: the panes of their minutes, and the live ones.

use rustc_hash::FxHashMap;

use crate::calls::{Change, LIVE, NAMES};
use crate::panes::{Added, Item, Pane};
use crate::series::{MINUTE_MS, Sum};

/// An item that was put in or taken out: its name, its value, the instant of its change (ms).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Move {
    /// The name.
    pub name: Box<[u8]>,
    /// The value.
    pub value: i64,
    /// The instant of the change (ms), or [`LIVE`].
    pub at_ms: i64,
    /// Whether it was put in; else it was taken out.
    pub is_put: bool,
}

/// What calls add to one series in one minute, or to its live pane.
#[derive(Debug, Default)]
pub struct CallSum {
    /// By the numbers of [`NAMES`].
    pub counts: [i64; NAMES.len()],
    /// The waits.
    pub waits: Sum,
    /// The items, in the order of their changes.
    pub moves: Vec<Move>,
}

impl CallSum {
    /// Return the counts that change, by name.
    pub fn named(&self) -> impl Iterator<Item = (&'static str, i64)> {
        NAMES.iter().zip(&self.counts).filter(|(_, n)| **n != 0).map(|(name, n)| (*name, *n))
    }
}

impl Added for CallSum {
    fn add_to(&self, pane: &mut Pane<'_>) {
        for (name, n) in self.named() {
            pane.count(name, n);
        }
        pane.add(&self.waits);
        // An item that is replaced is taken out first: the last move of a name holds.
        let mut items: Vec<Item> = Vec::with_capacity(self.moves.len());
        let mut places: FxHashMap<&[u8], usize> = FxHashMap::default();
        for one in &self.moves {
            let value = one.is_put.then_some(one.value);
            match places.insert(&one.name, items.len()) {
                None => items.push((one.name.clone(), value)),
                Some(place) => {
                    places.insert(&one.name, place);
                    items[place].1 = value;
                }
            }
        }
        pane.set(&items);
    }
}

/// The sums of all series that the calls of a piece have changed. A series is named by its msgpack.
#[derive(Debug, Default)]
pub struct CallSums {
    /// The series, in the order in which they were named first.
    pub series: Vec<Box<[u8]>>,
    numbers: FxHashMap<Box<[u8]>, usize>,
    /// What is live, by series.
    pub live: Vec<(usize, CallSum)>,
    /// By series and minute.
    pub minutes: Vec<((usize, i64), CallSum)>,
    places: FxHashMap<(usize, i64), usize>,
}

impl CallSums {
    /// Put a change in. Its duration is one that is measured (``near``: targets), or None.
    pub fn put_in(&mut self, of: &Change, near: Option<&[(i64, Box<str>)]>) {
        let sum = self.counted(of, 1);
        if let Some((name, value)) = of.item {
            sum.moves.push(Move { name: name.into(), value, at_ms: of.at_ms, is_put: true });
        }
        if let Some(near) = near {
            sum.waits.measure(of.value_ms, near);
        }
    }

    /// Take a change out, but not its duration; its item only if no other takes its place.
    pub fn take_out(&mut self, of: &Change, with_item: bool) {
        let sum = self.counted(of, -1);
        if let Some((name, value)) = of.item.filter(|_| with_item) {
            sum.moves.push(Move { name: name.into(), value, at_ms: of.at_ms, is_put: false });
        }
    }

    fn counted(&mut self, of: &Change, times: i64) -> &mut CallSum {
        let number = self.number_of(of.series);
        let sum = self.sum_of(number, of.at_ms);
        for (name, n) in &of.counts {
            sum.counts[*name] += n * times;
        }
        sum
    }

    fn sum_of(&mut self, number: usize, at_ms: i64) -> &mut CallSum {
        if at_ms == LIVE {
            let place = *self.places.entry((number, LIVE)).or_insert(self.live.len());
            if place == self.live.len() {
                self.live.push((number, CallSum::default()));
            }
            return &mut self.live[place].1;
        }
        let key = (number, at_ms.div_euclid(MINUTE_MS));
        let place = *self.places.entry(key).or_insert(self.minutes.len());
        if place == self.minutes.len() {
            self.minutes.push((key, CallSum::default()));
        }
        &mut self.minutes[place].1
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
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_call_that_waits_and_is_answered_leaves_its_wait() {
        let waiting =
            Change { series: b"s", at_ms: LIVE, counts: vec![(0, 1)], value_ms: -1, item: Some((b"C", 61_000)) };
        let answered = Change { series: b"s", at_ms: 61_000, counts: vec![(1, 1)], value_ms: 7, item: None };
        let mut sums = CallSums::default();
        sums.put_in(&waiting, None);
        sums.take_out(&waiting, true);
        sums.put_in(&answered, Some(&[]));

        assert_eq!((sums.series.len(), sums.live[0].1.named().count()), (1, 0));
        let mut pane = Pane::default();
        sums.live[0].1.add_to(&mut pane);
        assert_eq!(pane, Pane::default());
        assert_eq!(sums.minutes[0].0, (0, 1));
        assert_eq!(sums.minutes[0].1.named().collect::<Vec<_>>(), [("answered", 1)]);
        assert_eq!(sums.minutes[0].1.waits.buckets, [(7, 1)]);
    }
}
