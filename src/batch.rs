//! Which segments go through the network together.

/// Groups segments of these `lengths` (in tokens) into batches of neighbours in length, longest first. A batch's cost is
/// its number of segments times its longest length, and stays within `budget` unless a single segment costs more.
///
/// Where there are few batches they are made smaller, so that each of `workers` gets as many as the others.
///
/// Each batch lists places in `lengths`; every place occurs once.
pub fn plan(lengths: &[usize], budget: usize, workers: usize) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..lengths.len()).collect();
    let length = |place: usize| lengths.get(place).copied().unwrap_or_default();
    order.sort_by_key(|place| std::cmp::Reverse(length(*place)));
    let fill = |budget| fill(&order, &length, budget);

    let mut batches = fill(budget);
    let workers = workers.max(1);
    let wanted = batches.len().next_multiple_of(workers).min(lengths.len());
    const MANY: usize = 8;
    if batches.len() < MANY * workers && batches.len() < wanted {
        // The smallest budget that makes no more than the wanted number makes them about equal.
        let (mut too_small, mut enough) = (0, budget);
        while enough - too_small > 1 {
            let middle = too_small + (enough - too_small) / 2;
            if fill(middle).len() <= wanted {
                enough = middle;
            } else {
                too_small = middle;
            }
        }
        batches = fill(enough);
    }
    batches
}

/// Fills one batch after the other up to the budget.
fn fill(order: &[usize], length: &dyn Fn(usize) -> usize, budget: usize) -> Vec<Vec<usize>> {
    let mut batches: Vec<Vec<usize>> = Vec::new();
    let mut longest = 0;
    for place in order {
        match batches.last_mut() {
            Some(batch) if (batch.len() + 1) * longest <= budget => batch.push(*place),
            _ => {
                longest = length(*place);
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

    #[test]
    fn batches_hold_neighbours_in_length_within_the_budget() {
        let lengths = [3, 50, 4, 48, 5, 0, 3];
        let batches = plan(&lengths, 100, 1);
        assert_eq!(places(&batches), (0..lengths.len()).collect::<Vec<_>>());
        assert_eq!(batches[0], [1, 3]);
        for batch in &batches {
            let longest = batch.iter().map(|place| lengths[*place]).max().unwrap();
            assert!(longest * batch.len() <= 100);
        }
    }

    #[test]
    fn what_exceeds_the_budget_goes_alone() {
        assert_eq!(plan(&[900, 2], 100, 1), [vec![0], vec![1]]);
    }

    #[test]
    fn every_worker_gets_its_share() {
        let batches = plan(&[9, 8, 7, 6], 1000, 2);
        assert_eq!(batches, [vec![0, 1], vec![2, 3]]);
        let lengths = vec![30; 70];
        let sizes: Vec<usize> = plan(&lengths, 1024, 2).iter().map(Vec::len).collect();
        assert_eq!(sizes, [18, 18, 18, 16]);
        assert_eq!(plan(&[9], 1000, 4).len(), 1);
        assert!(plan(&[], 1000, 4).is_empty());
    }
}
