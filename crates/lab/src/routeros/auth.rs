//! Who asks, and what their group allows.

use std::fmt;

use axum::http::{HeaderMap, header};

use super::errors::Refusal;

/// A right of a user group; the controller needs `Api`, `RestApi`, `Read` and `Write`, and `Test`
/// for pings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Policy {
    /// The application interface as such, on which REST is built.
    Api,
    /// REST over HTTP.
    RestApi,
    /// Reading.
    Read,
    /// Changing.
    Write,
    /// Pings and other tests.
    Test,
    /// The web interface; see [`Quirks::needs_web_policy`](super::Quirks::needs_web_policy).
    Web,
}

impl Policy {
    /// Every policy there is.
    pub const ALL: [Self; 6] =
        [Self::Api, Self::RestApi, Self::Read, Self::Write, Self::Test, Self::Web];

    /// Returns the word that stands for the policy in `/user/group`.
    pub(super) const fn word(self) -> &'static str {
        match self {
            Self::Api => "api",
            Self::RestApi => "rest-api",
            Self::Read => "read",
            Self::Write => "write",
            Self::Test => "test",
            Self::Web => "web",
        }
    }
}

/// A user of the emulated router.
#[derive(Clone, PartialEq, Eq)]
pub struct User {
    /// Login name.
    pub name: String,
    /// Password, in clear.
    pub password: String,
    /// What the user's group allows.
    pub policies: Vec<Policy>,
}

impl User {
    /// Builds a user who may do everything.
    #[must_use]
    pub fn full(name: &str, password: &str) -> Self {
        Self { name: name.into(), password: password.into(), policies: Policy::ALL.to_vec() }
    }

    /// Tells whether the user's group has `policy`.
    pub(super) fn may(&self, policy: Policy) -> bool {
        self.policies.contains(&policy)
    }

    /// Passes when the group has `policy`; refuses as RouterOS does when a command lacks its own.
    pub(super) fn require(&self, policy: Policy) -> Result<(), Refusal> {
        self.may(policy)
            .then_some(())
            .ok_or_else(|| Refusal::forbidden("not enough permissions (9)"))
    }

    /// Passes when the group may change things; a plain change is refused with words that point
    /// elsewhere.
    pub(super) fn require_write_to_set(&self) -> Result<(), Refusal> {
        self.may(Policy::Write).then_some(()).ok_or_else(Refusal::no_identifier)
    }
}

impl fmt::Debug for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, password: _, policies } = self;
        f.debug_struct("User")
            .field("name", name)
            .field("policies", policies)
            .finish_non_exhaustive()
    }
}

/// Returns the position in `users` of the one whom the request's basic credentials prove.
///
/// # Errors
/// Refuses unknown users, wrong passwords and groups that may not use REST; for some versions the
/// web interface `needs_web`.
pub(super) fn login(
    users: &[User],
    headers: &HeaderMap,
    needs_web: bool,
) -> Result<usize, Refusal> {
    let (name, password) = credentials(headers).ok_or_else(Refusal::unauthorised)?;
    let known = |user: &User| user.name == name && user.password == password;
    let (index, user) = users
        .iter()
        .enumerate()
        .find(|(_, user)| known(user) && user.may(Policy::RestApi))
        .ok_or_else(Refusal::unauthorised)?;
    if user.may(Policy::Api) && (user.may(Policy::Web) || !needs_web) {
        Ok(index)
    } else {
        Err(Refusal::forbidden("std failure: not allowed (9)"))
    }
}

/// Returns the name that a request claims, whether or not it may.
pub(super) fn claimed_name(headers: &HeaderMap) -> Option<String> {
    credentials(headers).map(|(name, _)| name)
}

fn credentials(headers: &HeaderMap) -> Option<(String, String)> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    let (scheme, encoded) = value.split_once(' ')?;
    let text = String::from_utf8(base64(encoded.trim())?).ok()?;
    let (name, password) = text.split_once(':').filter(|_| scheme.eq_ignore_ascii_case("basic"))?;
    Some((name.to_owned(), password.to_owned()))
}

/// Decodes the standard alphabet of base64, padded or not.
fn base64(text: &str) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity(text.len() * 3 / 4);
    let (mut bits, mut held) = (0_u32, 0_u32);
    for symbol in text.trim_end_matches('=').bytes() {
        let value = match symbol {
            b'A'..=b'Z' => symbol - b'A',
            b'a'..=b'z' => symbol - b'a' + 26,
            b'0'..=b'9' => symbol - b'0' + 52,
            b'+' => 62,
            b'/' => 63,
            _ => return None,
        };
        bits = (bits << 6) | u32::from(value);
        held += 6;
        if held >= 8 {
            held -= 8;
            bytes.push(u8::try_from((bits >> held) & 0xFF).ok()?);
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_decoded_with_and_without_padding() {
        for (encoded, clear) in [
            ("", Some("")),
            ("YQ==", Some("a")),
            ("YQ", Some("a")),
            ("YWRtaW46c2VjcmV0", Some("admin:secret")),
            ("YWRtaW46Pz8/", Some("admin:???")),
            ("YW*t", None),
        ] {
            assert_eq!(base64(encoded).as_deref(), clear.map(str::as_bytes), "{encoded}");
        }
    }

    #[test]
    fn a_password_is_never_shown() {
        let shown = format!("{:?}", User::full("ctl", "secret"));
        assert!(shown.contains("ctl") && !shown.contains("secret"), "{shown}");
    }
}
