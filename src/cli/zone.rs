//! The time zone in which times are shown.

use std::{env, sync::OnceLock};

use jiff::tz::TimeZone;
use tracing::warn;

/// Returns the time zone of this system: that of `TZ`, else of `/etc/localtime`, else UTC. Where
/// `TZ` names one that is not there, UTC is taken and said so, once.
pub(super) fn local() -> TimeZone {
    static LOCAL: OnceLock<TimeZone> = OnceLock::new();
    LOCAL
        .get_or_init(|| {
            let zone = TimeZone::try_system();
            if let (Err(_), Ok(name)) = (&zone, env::var("TZ")) {
                let name = name.escape_default().to_string();
                warn!(
                    TZ = name,
                    "times are shown in UTC: there is no such time zone on this system (is tzdata \
                     installed?)"
                );
            }
            zone.unwrap_or(TimeZone::UTC)
        })
        .clone()
}
