//! What the benchmarks share: percentiles, and a table that a person can read.

use std::env;

/// Returns whether `cargo bench` asked; `cargo test --all-targets` starts the benchmarks as well,
/// and must not wait a minute for figures that nobody wants.
pub(crate) fn wanted() -> bool {
    env::args().any(|argument| argument == "--bench")
}

/// Measured values, all of the same unit.
#[derive(Debug)]
pub(crate) struct Spread {
    /// Ascending; never empty.
    sorted: Vec<f64>,
}

impl Spread {
    /// Gathers `values`, of which there must be one at least.
    pub(crate) fn new(mut values: Vec<f64>) -> Self {
        assert!(!values.is_empty(), "nothing was measured");
        values.sort_by(f64::total_cmp);
        Self { sorted: values }
    }

    /// Returns the smallest value that a share of `quantile` (0 to 1) does not exceed.
    pub(crate) fn quantile(&self, quantile: f64) -> f64 {
        let rank = (quantile * self.sorted.len() as f64).ceil();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "`as` saturates"
        )]
        let place = (rank as usize).clamp(1, self.sorted.len());
        self.sorted[place - 1]
    }

    /// Prints one line of a table.
    pub(crate) fn print(&self, label: &str) {
        let [low, median, high] = [0.0, 0.5, 0.99].map(|quantile| self.quantile(quantile));
        let (count, most) = (self.sorted.len(), self.quantile(1.0));
        println!("{label:<34}{count:>8}{low:>10.3}{median:>10.3}{high:>10.3}{most:>10.3}");
    }
}

/// Prints the title of a table of spreads, whose values have this unit.
pub(crate) fn heading(title: &str, unit: &str) {
    println!();
    let title = format!("{title}, {unit}");
    println!("{title:<34}{:>8}{:>10}{:>10}{:>10}{:>10}", "count", "min", "p50", "p99", "max");
}

/// Prints a figure beside the bar that it must stay under. A figure that misses it fails nothing:
/// on shared cores that may be the neighbour's doing.
pub(crate) fn check(what: &str, figure: f64, bar: f64, unit: &str) {
    let verdict = if figure < bar { "ok" } else { "MISSED" };
    println!("{verdict:<7}{what}: {figure:.3} {unit}, bar {bar} {unit}");
}
