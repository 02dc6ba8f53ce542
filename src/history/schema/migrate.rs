//! From the schemas of older wanctls to this one, without losing a row.

use rusqlite::Transaction;

/// The name under which version 1's cycles wait until the writer has taken them over.
pub(in crate::history) const OLD_CYCLES: &str = "cycle_of_version_1";

/// Brings a history of `version` so far that the tables of today can be created beside it.
///
/// Version 2 packed the cycles and brought the tiers. Version 3 brought `memory` and
/// `steering_memory`, which some files of version 1 have already, and the time in which the probes
/// were blind. New tables need no step here: those that are missing are created afterwards.
///
/// What takes long is not done here: the cycles of version 1 are renamed, and the writer's
/// maintenance moves them into today's tables a few at a time.
pub(super) fn migrate(transaction: &Transaction<'_>, version: i64) -> rusqlite::Result<()> {
    if version < 2 {
        transaction.execute_batch(&format!("ALTER TABLE cycle RENAME TO {OLD_CYCLES}"))?;
    }
    if version == 2 {
        for tier in ["tier_1s", "tier_1m", "tier_5m", "tier_1h"] {
            let known =
                format!("SELECT 1 FROM pragma_table_info('{tier}') WHERE name = 'bypass_ms'");
            if !transaction.prepare(&known)?.exists([])? {
                let add = format!("ALTER TABLE {tier} ADD COLUMN bypass_ms INTEGER DEFAULT 0");
                transaction.execute_batch(&add)?;
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests;
