//! Logs which reflectors are dead, once when it happens and once when they answer again.

use std::{collections::BTreeSet, time::Duration};

use tokio::time::sleep;
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};

use crate::status::StatusBoard;

/// Time between two looks: a reflector is dead after several seconds at the earliest.
const EVERY: Duration = Duration::from_secs(1);

/// Looks at the newest cycles until `stop`.
pub(super) async fn run(board: StatusBoard, stop: CancellationToken) {
    let mut known = BTreeSet::new();
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = sleep(EVERY) => {}
        }
        let dead: BTreeSet<(String, String)> = board
            .views()
            .into_iter()
            .flat_map(|wan| {
                let dead = wan.reflectors.into_iter().filter(|row| row.dead_seconds.is_some());
                dead.map(move |row| (wan.name.clone(), row.address))
            })
            .collect();
        for (wan, reflector) in dead.difference(&known) {
            warn!(wan, reflector, "a reflector does not answer although others do: not counted");
        }
        for (wan, reflector) in known.difference(&dead) {
            info!(wan, reflector, "a reflector that did not answer counts again, or rests");
        }
        known = dead;
    }
}
