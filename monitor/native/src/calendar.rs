//! Business time over the spans that Python has compiled: `monitor.core.time.calendar`.

/// The open spans of a stretch of time.
#[derive(Debug)]
pub enum Calendar {
    /// Open around the clock.
    Always,
    /// The starts of open spans, and the open time before each, with the whole at the end.
    Spans {
        /// The starts (ms), ascending.
        starts: Vec<i64>,
        /// The open time before each, and before the end: one more than starts.
        sums: Vec<i64>,
        /// The beginning of the stretch (ms).
        from_ms: i64,
        /// Its end (ms).
        to_ms: i64,
    },
}

/// The question reaches out of the stretch: at this instant (ms).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Outside(pub i64);

impl Calendar {
    /// Return the open time between two instants; 0 if the end is before the start.
    pub fn elapsed(&self, start_ms: i64, end_ms: i64) -> Result<i64, Outside> {
        if end_ms <= start_ms {
            return Ok(0);
        }
        match self {
            Calendar::Always => Ok(end_ms - start_ms),
            Calendar::Spans { starts, sums, from_ms, to_ms } => {
                if start_ms < *from_ms {
                    return Err(Outside(start_ms));
                }
                if end_ms > *to_ms {
                    return Err(Outside(end_ms));
                }
                Ok(open_before(starts, sums, end_ms) - open_before(starts, sums, start_ms))
            }
        }
    }

    /// Return the first instant at which so much open time has elapsed since a start.
    pub fn due(&self, start_ms: i64, budget_ms: i64) -> Result<i64, Outside> {
        if budget_ms <= 0 {
            return Ok(start_ms);
        }
        match self {
            Calendar::Always => start_ms.checked_add(budget_ms).ok_or(Outside(start_ms)),
            Calendar::Spans { starts, sums, from_ms, to_ms } => {
                if !(*from_ms..=*to_ms).contains(&start_ms) {
                    return Err(Outside(start_ms));
                }
                let target = open_before(starts, sums, start_ms).saturating_add(budget_ms);
                let place = sums.partition_point(|sum| *sum < target);
                // The first sum is the open time before the first span: no target is at most that.
                if place == 0 || place == sums.len() {
                    return Err(Outside(*to_ms));
                }
                Ok(starts[place - 1] + target - sums[place - 1])
            }
        }
    }
}

fn open_before(starts: &[i64], sums: &[i64], at_ms: i64) -> i64 {
    let place = starts.partition_point(|start| *start <= at_ms);
    if place == 0 {
        return sums[0];
    }
    (sums[place - 1] + at_ms - starts[place - 1]).min(sums[place])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spans() -> Calendar {
        Calendar::Spans { starts: vec![10, 30], sums: vec![0, 10, 15], from_ms: 0, to_ms: 50 }
    }

    #[test]
    fn elapsed_and_due_are_inverses() {
        let calendar = spans();
        for start in 0..35 {
            for budget in 1..=15 {
                match calendar.due(start, budget) {
                    Ok(due) => {
                        assert_eq!(calendar.elapsed(start, due), Ok(budget));
                        assert_eq!(calendar.elapsed(start, due - 1), Ok(budget - 1));
                    }
                    Err(outside) => assert_eq!(outside, Outside(50)),
                }
            }
        }
        assert_eq!(calendar.due(12, 0), Ok(12));
    }

    #[test]
    fn outside_of_the_stretch_nothing_is_known() {
        assert_eq!(spans().elapsed(-1, 5), Err(Outside(-1)));
        assert_eq!(spans().elapsed(1, 51), Err(Outside(51)));
        assert_eq!(spans().due(51, 1), Err(Outside(51)));
        assert_eq!(Calendar::Always.due(i64::MAX, 1), Err(Outside(i64::MAX)));
    }
}
