//! The time zone in which times are shown.

use std::{env, ffi::OsStr, path::Path, sync::OnceLock};

use jiff::tz::TimeZone;
use tracing::warn;

use crate::files;

/// Returns the time zone of this system: that of `TZ`, else of `/etc/localtime`, else UTC. Where
/// `TZ` names one that is not there, UTC is taken and said so, once.
pub(super) fn local() -> TimeZone {
    static LOCAL: OnceLock<TimeZone> = OnceLock::new();
    LOCAL
        .get_or_init(|| {
            let Some(value) = env::var_os("TZ") else {
                return TimeZone::try_system().unwrap_or(TimeZone::UTC);
            };
            named(&value).unwrap_or_else(|| {
                let name = value.to_string_lossy().escape_default().to_string();
                warn!(
                    TZ = name,
                    "times are shown in UTC: this system has no such time zone; install tzdata"
                );
                TimeZone::UTC
            })
        })
        .clone()
}

/// Returns the time zone that a value of `TZ` names: a rule of POSIX, a zone of this system, or the
/// absolute path of a zone's file. The value is the user's, so a path may lead anywhere: only a
/// regular file of bounded size is read.
fn named(value: &OsStr) -> Option<TimeZone> {
    let value = value.to_str()?;
    if value.is_empty() {
        return Some(TimeZone::UTC);
    }
    let name = value.strip_prefix(':').unwrap_or(value);
    if let Ok(zone) = TimeZone::posix(value) {
        return Some(zone);
    }
    // The path of a zone of this system has its name in it.
    let short = name.rsplit_once("zoneinfo/").map_or(name, |(_, short)| short);
    if let Ok(zone) = TimeZone::get(short) {
        return Some(zone);
    }
    let path = Path::new(name);
    let content = path.is_absolute().then(|| files::read_bounded(path))?.ok()?;
    TimeZone::tzif("", &content).ok()
}

#[cfg(test)]
mod tests {
    use std::{fs, process::Command};

    use jiff::Timestamp;

    use super::*;

    /// Returns how many hours the zone of `value` is ahead of UTC in January.
    fn hours(value: impl AsRef<OsStr>) -> Option<i32> {
        let january = Timestamp::from_second(1_768_000_000).unwrap();
        named(value.as_ref()).map(|zone| zone.to_offset(january).seconds() / 3600)
    }

    #[test]
    fn a_rule_a_name_or_a_file_is_a_zone() {
        for (value, ahead) in [("", 0), ("CET-1CEST,M3.5.0,M10.5.0/3", 1), ("<+05>-5", 5)] {
            assert_eq!(hours(value), Some(ahead), "{value}");
        }
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("zone");
        // The smallest file of version 1: no transitions, one kind of local time, two hours ahead.
        let mut content = b"TZif".to_vec();
        content.extend([0; 16]);
        for count in [0, 0, 0, 0, 1, 4] {
            content.extend(u32::to_be_bytes(count));
        }
        content.extend(u32::to_be_bytes(7200));
        content.extend(b"\0\0EET\0");
        fs::write(&path, content).unwrap();
        assert_eq!(hours(&path), Some(2));
        assert_eq!(hours(format!(":{}", path.display())), Some(2));
    }

    #[test]
    fn what_is_no_zone_is_none_and_is_not_waited_for() {
        let directory = tempfile::tempdir().unwrap();
        let pipe = directory.path().join("pipe");
        assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
        assert_eq!(hours(&pipe), None);
        assert_eq!(hours("/dev/zero"), None);
        assert_eq!(hours("/usr/share/zoneinfo/../../../dev/zero"), None);
        assert_eq!(hours("Nowhere/At_All"), None);
        assert_eq!(hours("pipe"), None);
    }
}
