//! What calls could have been spared by somebody who knew what was to come.

/// The better WAN of each second, for all calls at once.
pub(super) fn each_second(costs: &[[f64; 2]]) -> Vec<usize> {
    costs.iter().map(|[default_wan, other]| usize::from(other < default_wan)).collect()
}

/// The WAN that the calls that begin in each second should have taken, if it may be moved
/// `changes` times: the cheapest such plan there is. Calls begin at home, one a second, and keep
/// their WAN for `lasts` seconds, so that this is what no steering can beat with as few changes.
pub(super) fn with_few_changes(costs: &[[f64; 2]], lasts: usize, changes: usize) -> Vec<usize> {
    let call = |second: usize, wan: usize| -> f64 {
        costs.iter().skip(second).take(lasts).map(|cost| cost[wan]).sum()
    };
    // What the best plan so far costs that has made so many changes; it is on the home after an
    // even number of them. `came[second][made]` tells whether the last one was made right there.
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

    /// A home that costs ten in these seconds and one otherwise, and another WAN that costs two.
    fn costs(seconds: usize, bad: &[(usize, usize)]) -> Vec<[f64; 2]> {
        let default_wan = |second| {
            if bad.iter().any(|(from, to)| (*from..*to).contains(&second)) { 10.0 } else { 1.0 }
        };
        (0..seconds).map(|second| [default_wan(second), 2.0]).collect()
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
        let away = |plan: Vec<usize>| -> Vec<usize> {
            plan.iter()
                .enumerate()
                .filter(|(_, wan)| **wan == 1)
                .map(|(second, _)| second)
                .collect()
        };
        assert_eq!(away(plan(1)), (2..20).collect::<Vec<_>>(), "away for good");
        assert_eq!(away(plan(2)), (2..14).collect::<Vec<_>>(), "the short one is worth the wait");
        assert_eq!(away(plan(4)), [2, 8, 9, 10, 11, 12, 13]);
        assert_eq!(plan(9), plan(4), "more than gain anything are not made");
    }

    #[test]
    fn long_connections_leave_before_the_event() {
        let plan = with_few_changes(&costs(20, &[(10, 14)]), 3, 2);
        assert_eq!(plan.iter().position(|wan| *wan == 1), Some(8));
    }
}
