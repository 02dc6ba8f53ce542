//! What `wanctl check` asks beside what `run` needs: what a user may do, how a queue is made, and
//! which interfaces there are.

use std::collections::BTreeSet;

use super::{client::RouterOs, queues::Kind, transport::Menu};
use crate::{
    config::QueueRef,
    router::{RouterError, RouterFault, RouterText},
};

/// What a user of the router may do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserPolicies {
    /// The user's group.
    pub group: RouterText,
    /// The group's policies: `read`, `write`, `rest-api` and so on.
    pub policies: BTreeSet<String>,
}

/// How a queue is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueShape {
    /// Where it hangs: the parent of a queue tree, the target of a simple queue.
    pub place: RouterText,
    /// The names of its queue types, each once; two for a simple queue whose directions differ.
    pub types: Vec<RouterText>,
    /// The kind of each of these types, such as `cake`, where the router has such a type.
    pub kinds: Vec<Option<RouterText>>,
    /// Why the row cannot be written, if so: what it has as its id is none.
    pub unwritable: Option<RouterText>,
}

impl RouterOs {
    /// Returns what `user` may do.
    ///
    /// # Errors
    /// [`RouterFault::NotFound`] if there is no such user or group; any other [`RouterError`].
    pub async fn policies_of(&self, user: &str) -> Result<UserPolicies, RouterError> {
        let transport = self.control();
        let missing = |what: String| {
            RouterFault::NotFound(what.into()).at(transport.target(), "looking for policies")
        };
        let users = transport.print(Menu::User, &["name", "group"]).await?;
        let row = users.iter().find(|row| row.text("name") == Some(user));
        let group = row.and_then(|row| row.text("group"));
        let group = group.ok_or_else(|| missing(format!("the group of user `{user}`")))?;
        let groups = transport.print(Menu::UserGroup, &["name", "policy"]).await?;
        let row = groups.iter().find(|row| row.text("name") == Some(group));
        let policy = row.and_then(|row| row.text("policy"));
        let policy = policy.ok_or_else(|| missing(format!("the group `{group}`")))?;
        // REST separates by commas and lists what is missing as `!write`, the console by
        // semicolons.
        let named = policy.split([',', ';']).map(str::trim);
        let granted = named.filter(|name| !name.is_empty() && !name.starts_with('!'));
        Ok(UserPolicies {
            group: RouterText::words(group),
            policies: granted.map(str::to_owned).collect(),
        })
    }

    /// Returns how `queue` is made; `None` if there is no such queue.
    ///
    /// # Errors
    /// Any [`RouterError`].
    pub async fn queue_shape(&self, queue: &QueueRef) -> Result<Option<QueueShape>, RouterError> {
        let (transport, kind) = (self.control(), Kind::of(queue));
        let (place, properties): (_, &'static [&'static str]) = match kind {
            Kind::Tree => ("parent", &[".id", "name", "parent", "queue"]),
            Kind::Simple => ("target", &[".id", "name", "target", "queue"]),
        };
        let rows = transport.print(kind.menu(), properties).await?;
        let Some(row) = rows.iter().find(|row| row.text("name") == Some(queue.name())) else {
            return Ok(None);
        };
        let named =
            row.text("queue").unwrap_or_default().split('/').filter(|name| !name.is_empty());
        let mut types: Vec<&str> = named.collect();
        types.dedup();
        let known = transport.print(Menu::QueueType, &["name", "kind"]).await?;
        let kind_of = |name: &&str| {
            let row = known.iter().find(|row| row.text("name") == Some(name));
            row.and_then(|row| row.text("kind")).map(RouterText::words)
        };
        Ok(Some(QueueShape {
            place: RouterText::words(row.text(place).unwrap_or_default()),
            kinds: types.iter().map(kind_of).collect(),
            types: types.into_iter().map(RouterText::words).collect(),
            unwritable: row.id().err().map(RouterText::from),
        }))
    }

    /// Returns the name of every interface of the router.
    ///
    /// # Errors
    /// Any [`RouterError`].
    pub async fn interface_names(&self) -> Result<Vec<RouterText>, RouterError> {
        let rows = self.control().print(Menu::Interface, &["name"]).await?;
        Ok(rows.iter().filter_map(|row| row.text("name")).map(RouterText::words).collect())
    }
}
