//! Oracles: the WANs that knowledge of the future would choose for latency-sensitive connections.

/// Returns the better WAN of each second, for all connections at once.
pub(super) fn each_second(costs: &[[f64; 2]]) -> Vec<usize> {
    costs.iter().map(|[default, alternate]| usize::from(alternate < default)).collect()
}

/// Returns the cheapest plan with at most `changes` changes of the WAN for the connections that begin
/// in each second. They begin on the default WAN and keep their WAN for `lasts` seconds: no steering
/// with as few changes is better.
pub(super) fn with_few_changes(costs: &[[f64; 2]], lasts: usize, changes: usize) -> Vec<usize> {
    let call = |second: usize, wan: usize| -> f64 {
        costs.iter().skip(second).take(lasts).map(|cost| cost[wan]).sum()
    };
    // The cost of the best plan so far with so many changes; it is on the default WAN after an even
    // number of them. `came[second][made]` is whether the last one was made in that second.
    let mut best = vec![f64::INFINITY; changes + 1];
    best[0] = 0.0;
    let mut came = Vec::with_capacity(costs.len());
    for second in 0..costs.len() {
        let price = [call(second, 0), call(second, 1)];
        let moved: Vec<bool> =
            (0..best.len()).map(|made| made > 0 && best[made - 1] < best[made]).collect();
        best = (0..best.len())
            .map(|made| best[made - usize::from(moved[made])] + price[made % 2])
            .collect();
        came.push(moved);
    }
    let mut made = (0..best.len()).min_by(|a, b| best[*a].total_cmp(&best[*b])).unwrap_or(0);
    let mut plan: Vec<usize> = came
        .iter()
        .rev()
        .map(|moved| {
            let wan = made % 2;
            made -= usize::from(moved[made]);
            wan
        })
        .collect();
    plan.reverse();
    plan
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A default WAN that costs ten in these seconds and one otherwise, and an alternate that costs two.
    fn costs(seconds: usize, bad: &[(usize, usize)]) -> Vec<[f64; 2]> {
        let default = |second| {
            if bad.iter().any(|(from, to)| (*from..*to).contains(&second)) { 10.0 } else { 1.0 }
        };
        (0..seconds).map(|second| [default(second), 2.0]).collect()
    }

    #[test]
    fn each_second_takes_the_better() {
        assert_eq!(each_second(&costs(5, &[(1, 3)])), [0, 1, 1, 0, 0]);
    }

    #[test]
    fn changes_are_made_where_they_gain_most() {
        let costs = costs(20, &[(2, 3), (8, 14)]);
        let plan = |changes| with_few_changes(&costs, 1, changes);
        assert_eq!(plan(0), [0; 20]);
        let steered = |plan: Vec<usize>| -> Vec<usize> {
            plan.iter()
                .enumerate()
                .filter(|(_, wan)| **wan == 1)
                .map(|(second, _)| second)
                .collect()
        };
        assert_eq!(steered(plan(1)), (2..20).collect::<Vec<_>>(), "steered to the end");
        assert_eq!(
            steered(plan(2)),
            (2..14).collect::<Vec<_>>(),
            "the short one is not worth two changes"
        );
        assert_eq!(steered(plan(4)), [2, 8, 9, 10, 11, 12, 13]);
        assert_eq!(plan(9), plan(4), "no changes without gain");
    }

    #[test]
    fn long_connections_leave_before_the_event() {
        let plan = with_few_changes(&costs(20, &[(10, 14)]), 3, 2);
        assert_eq!(plan.iter().position(|wan| *wan == 1), Some(8));
    }
}
