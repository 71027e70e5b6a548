//! Which segments go through the network together.

/// Groups segments of these `lengths` (in tokens) into batches, longest first. A batch's cost is its number of
/// segments times its longest length, and stays within `budget` unless a single segment costs more. If that gives fewer
/// than `at_least` batches, as many as possible up to that number are made, of equal shares of the work.
///
/// Each batch lists places in `lengths`; every place occurs once.
pub fn plan(lengths: &[usize], budget: usize, at_least: usize) -> Vec<Vec<usize>> {
    let mut order: Vec<usize> = (0..lengths.len()).collect();
    let length = |place: usize| lengths.get(place).copied().unwrap_or_default();
    order.sort_by_key(|place| std::cmp::Reverse(length(*place)));

    let mut batches: Vec<Vec<usize>> = Vec::new();
    let mut longest = 0;
    for place in &order {
        match batches.last_mut() {
            Some(batch) if (batch.len() + 1) * longest <= budget => batch.push(*place),
            _ => {
                longest = length(*place);
                batches.push(vec![*place]);
            }
        }
    }
    if batches.len() >= at_least.min(lengths.len()) {
        return batches;
    }
    // Dealing them out like cards gives every share the same mixture of lengths.
    let shares = at_least.min(lengths.len());
    (0..shares).map(|share| order.iter().skip(share).step_by(shares).copied().collect()).collect()
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
    fn few_segments_are_shared_among_the_workers() {
        let batches = plan(&[9, 8, 7, 6], 1000, 2);
        assert_eq!(batches, [vec![0, 2], vec![1, 3]]);
        assert_eq!(plan(&[9], 1000, 4).len(), 1);
        assert!(plan(&[], 1000, 4).is_empty());
    }
}
