//! Which segments go through the network together.

/// What a segment takes.
#[derive(Debug, Clone, Copy)]
pub struct Size {
    /// Length of the source in tokens.
    pub tokens: usize,
    /// Expected work, in any unit.
    pub cost: usize,
}

/// Groups segments into batches of neighbours in length, longest first. A batch's number of segments times its longest
/// length stays within `budget` unless a single segment has more.
///
/// Where there are few batches their costs are made about equal, and their number such that each of `workers` gets as
/// many as the others.
///
/// Each batch lists places in `sizes`; every place occurs once.
pub fn plan(sizes: &[Size], budget: usize, workers: usize) -> Vec<Vec<usize>> {
    let mut order: Vec<(usize, Size)> = sizes.iter().copied().enumerate().collect();
    order.sort_by_key(|(_, size)| std::cmp::Reverse(size.tokens));
    let total: usize = sizes.iter().map(|size| size.cost).sum();

    let batches = fill(&order, budget, total);
    let workers = workers.max(1);
    const MANY: usize = 8;
    if batches.len() >= MANY * workers {
        return batches;
    }
    // The smallest share that makes no more batches than wanted makes them about equal.
    let wanted = batches.len().next_multiple_of(workers);
    let (mut too_small, mut enough) = (0, total);
    while enough - too_small > 1 {
        let middle = too_small + (enough - too_small) / 2;
        if fill(&order, budget, middle).len() <= wanted {
            enough = middle;
        } else {
            too_small = middle;
        }
    }
    fill(&order, budget, enough)
}

/// Fills one batch after the other up to the budget of tokens and the share of the cost.
fn fill(order: &[(usize, Size)], budget: usize, share: usize) -> Vec<Vec<usize>> {
    let mut batches: Vec<Vec<usize>> = Vec::new();
    let (mut longest, mut cost) = (0, 0);
    for (place, size) in order {
        match batches.last_mut() {
            Some(batch) if (batch.len() + 1) * longest <= budget && cost + size.cost <= share => {
                batch.push(*place);
                cost += size.cost;
            }
            _ => {
                (longest, cost) = (size.tokens, size.cost);
                batches.push(vec![*place]);
            }
        }
    }
    batches
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(batches: &[Vec<usize>]) -> Vec<usize> {
        let mut all: Vec<usize> = batches.concat();
        all.sort_unstable();
        all
    }

    fn sizes(lengths: &[usize]) -> Vec<Size> {
        lengths.iter().map(|length| Size { tokens: *length, cost: *length }).collect()
    }

    #[test]
    fn batches_hold_neighbours_in_length_within_the_budget() {
        let lengths = [3, 50, 4, 48, 5, 0, 3];
        let batches = plan(&sizes(&lengths), 100, 1);
        assert_eq!(places(&batches), (0..lengths.len()).collect::<Vec<_>>());
        assert_eq!(batches[0], [1, 3]);
        for batch in &batches {
            let longest = batch.iter().map(|place| lengths[*place]).max().unwrap();
            assert!(longest * batch.len() <= 100);
        }
    }

    #[test]
    fn what_exceeds_the_budget_goes_alone() {
        assert_eq!(plan(&sizes(&[900, 2]), 100, 1), [vec![0], vec![1]]);
    }

    #[test]
    fn every_worker_gets_its_share() {
        assert_eq!(plan(&sizes(&[9, 8, 7, 6]), 1000, 2), [vec![0, 1], vec![2, 3]]);
        let lengths = |batches: Vec<Vec<usize>>| batches.iter().map(Vec::len).collect::<Vec<_>>();
        assert_eq!(lengths(plan(&sizes(&[30; 70]), 1024, 2)), [18, 18, 18, 16]);
        assert_eq!(plan(&sizes(&[9]), 1000, 4).len(), 1);
        assert!(plan(&[], 1000, 4).is_empty());
    }

    #[test]
    fn shares_are_equal_in_cost_rather_than_in_length() {
        let long = Size { tokens: 60, cost: 10 };
        let short = Size { tokens: 10, cost: 10 };
        let batches = plan(&[long, long, short, short, short, short, short, short], 4096, 2);
        assert_eq!(batches.iter().map(Vec::len).collect::<Vec<_>>(), [4, 4]);
    }
}
