//! What the rows of `/ping` mean. Only `received` says whether a reply came: a router that reports
//! "host unreachable" or "TTL exceeded" gives the time of that error as `time`.

use std::{net::IpAddr, time::Duration};

use super::{
    client::RouterOs,
    transport::{Menu, Row},
};
use crate::router::{PingFrom, Pinged, Pinger, Reply, RouterText};

/// What a request takes beside the ping.
const REQUEST: Duration = Duration::from_millis(500);

impl Pinger for RouterOs {
    /// RouterOS waits for 1 to 5 s.
    fn ping<'a>(
        &'a self,
        address: IpAddr,
        from: &'a PingFrom,
        wait: Duration,
    ) -> Reply<'a, Pinged> {
        Box::pin(self.pings.ping(address, from, wait))
    }

    /// A reply that comes later would find its request timed out.
    fn longest_wait(&self) -> Duration {
        self.settings.request_timeout.saturating_sub(REQUEST)
    }

    fn interfaces(&self) -> Reply<'_, Vec<RouterText>> {
        Box::pin(async {
            let rows = self.control.print(Menu::Interface, &["name"]).await?;
            Ok(rows.iter().filter_map(|row| row.text("name")).map(RouterText::words).collect())
        })
    }
}

/// A reply cannot have been on its way for longer: RouterOS gives up on it after seconds.
const LONGEST: Duration = Duration::from_mins(1);

/// A `status` with one of these words says that nothing left the router. The errors that come
/// from the network are named otherwise: "timeout", "host unreachable", "net unreachable", "TTL
/// exceeded", "packet rejected".
const NOT_SENT: [&str; 9] = [
    "no route",
    "bind",
    "socket",
    "interface",
    "permi",
    "invalid",
    "cannot",
    "could not",
    "unable",
];

/// Reads the rows that one echo request to `address` came to.
///
/// # Errors
/// A sentence if the time of a reply makes no sense.
pub(super) fn read(address: IpAddr, rows: &[Row]) -> Result<Pinged, String> {
    if let Some(row) = rows.iter().find(|row| is_reply(address, row)) {
        let time = row.span("time").filter(|time| *time <= LONGEST).ok_or_else(|| {
            let text = RouterText::words(row.text("time").unwrap_or_default());
            format!("`time` is `{text}`, not the time of a reply")
        })?;
        return Ok(Pinged::Reply(time.into()));
    }
    let refusal = rows.iter().find_map(refusal);
    Ok(refusal.map_or(Pinged::Lost, Pinged::Refused))
}

fn is_reply(address: IpAddr, row: &Row) -> bool {
    let host = row.text("host").and_then(|host| host.parse::<IpAddr>().ok());
    row.text("received") == Some("1")
        && status(row).is_none()
        && row.text("time").is_some()
        && host.is_none_or(|host| host == address)
}

fn status(row: &Row) -> Option<&str> {
    row.text("status").filter(|status| !status.trim().is_empty())
}

fn refusal(row: &Row) -> Option<String> {
    let words = status(row)?;
    let lower = words.to_lowercase();
    let is_unsent =
        NOT_SENT.iter().any(|part| lower.contains(part)) || row.text("sent") == Some("0");
    is_unsent.then(|| RouterText::words(words).to_string())
}

#[cfg(test)]
mod tests {
    use wanctl_core::units::Delay;

    use super::{super::json, *};

    const TARGET: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));

    fn pinged(body: &str) -> Result<Pinged, String> {
        read(TARGET, &json::rows(body.as_bytes(), json::Keep::All).unwrap())
    }

    /// As real routers answer, with other addresses.
    #[test]
    fn answers_of_real_routers() {
        let reply = |micros| Pinged::Reply(Delay::from_micros(micros));
        for (body, expected) in [
            (
                r#"[{"avg-rtt":"27ms260us","host":"192.0.2.1","max-rtt":"27ms260us",
                    "min-rtt":"27ms260us","packet-loss":"0","received":"1","sent":"1","seq":"0",
                    "size":"56","time":"27ms260us","ttl":"57"}]"#,
                reply(27_260),
            ),
            (
                r#"[{"host":"192.0.2.1","sent":"1","received":"1","seq":"0","time":"453us","status":""}]"#,
                reply(453),
            ),
            (
                r#"[{"host":"192.0.2.1","packet-loss":"100","received":"0","sent":"1","seq":"0",
                    "status":"timeout"}]"#,
                Pinged::Lost,
            ),
            (
                r#"[{"host":"198.51.100.2","packet-loss":"100","received":"0","sent":"1","seq":"0",
                    "status":"host unreachable","time":"614ms933us","ttl":"64"}]"#,
                Pinged::Lost,
            ),
        ] {
            assert_eq!(pinged(body).unwrap(), expected, "{body}");
        }
    }

    #[test]
    fn no_field_alone_makes_a_reply() {
        for lacking in [
            "[]",
            "[{}]",
            r#"[{"host":"192.0.2.1","time":"2ms"}]"#,
            r#"[{"host":"192.0.2.1","received":"1","sent":"1"}]"#,
            r#"[{"host":"192.0.2.1","received":"1","time":"2ms","status":"TTL exceeded"}]"#,
            r#"[{"host":"192.0.2.1","received":"0","time":"2ms"}]"#,
            r#"[{"host":"198.51.100.2","received":"1","time":"2ms"}]"#,
            r#"[{"received":"0","status":"timeout"},{"received":"0","status":"net unreachable"}]"#,
        ] {
            assert_eq!(pinged(lacking).unwrap(), Pinged::Lost, "{lacking}");
        }
        let late_row = r#"[{"status":"timeout","received":"0"},{"received":"1","time":"1s20ms"}]"#;
        assert_eq!(pinged(late_row).unwrap(), Pinged::Reply(Delay::from_micros(1_020_000)));
        for time in ["soon", "60s1us", "1m1s", "1d", "5124095h34m33s", ""] {
            let body = format!(r#"[{{"received":"1","time":"{time}"}}]"#);
            assert!(pinged(&body).is_err(), "{time}");
        }
        let longest = pinged(r#"[{"received":"1","time":"1m"}]"#).unwrap();
        assert_eq!(longest, Pinged::Reply(Delay::from_micros(60_000_000)));
    }

    #[test]
    fn a_router_that_cannot_send_is_quoted() {
        for words in [
            "no route to host",
            "could not bind to address",
            "could not make socket",
            "permission denied",
        ] {
            let body = format!(r#"[{{"received":"0","sent":"1","status":"{words}"}}]"#);
            assert_eq!(pinged(&body).unwrap(), Pinged::Refused(words.to_owned()));
        }
        let unknown = r#"[{"received":"0","sent":"0","status":"out of luck"}]"#;
        assert_eq!(pinged(unknown).unwrap(), Pinged::Refused("out of luck".to_owned()));
    }
}
