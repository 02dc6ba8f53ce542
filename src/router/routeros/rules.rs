//! Rules and routes that are enabled and disabled, found by their comment, and the connections that
//! are forgotten afterwards.
//!
//! Comments are not unique on RouterOS and ids are not stable, so a row is looked up by its exact
//! comment each time, and anything but exactly one match of the right kind is refused.

use super::{
    client::RouterOs,
    transport::{Menu, Row},
};
use crate::router::{
    MarkedConnections, Reply, RouterError, RouterFault, RouterText, SwitchMenu, SwitchRef, Switches,
};

/// Actions of a mangle rule by which connections come to take another way.
const MARKING: [&str; 3] = ["mark-connection", "mark-routing", "jump"];
/// Actions of a routing rule by which traffic is looked up in another table.
const LOOKING_UP: [&str; 2] = ["lookup", "lookup-only-in-table"];
/// Tries to remove connections in all: one that ends in between is no failure.
const TRIES: u32 = 3;
const DEFAULT_ROUTE: &str = "0.0.0.0/0";

const fn menu_of(menu: SwitchMenu) -> Menu {
    match menu {
        SwitchMenu::Mangle => Menu::Mangle,
        SwitchMenu::Mangle6 => Menu::Mangle6,
        SwitchMenu::RoutingRule => Menu::RoutingRule,
        SwitchMenu::Route => Menu::Route,
    }
}

/// What is asked of a row, to find it and to see whether it does what it is switched for. The
/// console knows each menu's own properties only.
const fn properties(menu: SwitchMenu) -> &'static [&'static str] {
    match menu {
        SwitchMenu::Mangle | SwitchMenu::Mangle6 => {
            &[".id", "comment", "disabled", "dynamic", "invalid", "action", "new-routing-mark"]
        }
        SwitchMenu::RoutingRule => &[".id", "comment", "disabled", "action", "table"],
        SwitchMenu::Route => &[".id", "comment", "disabled", "dynamic", "dst-address"],
    }
}

impl Switches for RouterOs {
    fn switch_enabled<'a>(&'a self, switch: &'a SwitchRef) -> Reply<'a, bool> {
        Box::pin(async move { Ok(!self.find_rule(switch).await?.flag("disabled")) })
    }

    /// Writes nothing to a row that is as wanted.
    fn enable_switch<'a>(&'a self, switch: &'a SwitchRef, enabled: bool) -> Reply<'a, bool> {
        Box::pin(async move {
            let rule = self.find_rule(switch).await?;
            if rule.flag("disabled") != enabled {
                return Ok(enabled);
            }
            let id = rule.id().map_err(|cause| self.booting(cause))?;
            let value = if enabled { "false" } else { "true" };
            let after = self.control.set(menu_of(switch.menu), &id, "disabled", value).await?;
            // An enabled row may lack the flag, and an answer without the row proves nothing.
            match after.text(".id") {
                Some(shown) if shown == id.as_str() => Ok(!after.flag("disabled")),
                Some(_) | None => self.switch_enabled(switch).await,
            }
        })
    }

    /// Removes at most 256 connections of each address family, by their ids only, so that nothing
    /// but what was found goes.
    fn forget_connections<'a>(&'a self, of: &'a MarkedConnections) -> Reply<'a, usize> {
        Box::pin(async move {
            let mut forgotten = self.forget_from(Menu::Connection, &of.mark).await?;
            if of.ipv6 {
                forgotten += self.forget_from(Menu::Connection6, &of.mark).await?;
            }
            Ok(forgotten)
        })
    }
}

impl RouterOs {
    async fn find_rule(
        &self,
        SwitchRef { menu, comment, .. }: &SwitchRef,
    ) -> Result<Row, RouterError> {
        let menu = *menu;
        let at = menu_of(menu);
        let rows = self.control.print(at, properties(menu)).await?;
        // Dynamic rows come and go and cannot be changed.
        let matches =
            |row: &Row| row.text("comment") == Some(comment.as_str()) && !row.flag("dynamic");
        let mut found: Vec<Row> = rows.into_iter().filter(matches).collect();
        let path = at.path();
        let fault = match (found.pop(), found.len()) {
            (Some(rule), 0) => match self.unfitness(menu, &rule).await? {
                None => return Ok(rule),
                Some(why) => RouterFault::Unfit(
                    format!("the row of {path} commented `{comment}` {why}").into(),
                ),
            },
            (None, _) => {
                RouterFault::NotFound(format!("a rule of {path} commented `{comment}`").into())
            }
            (Some(_), others) => RouterFault::Ambiguous(
                format!("{} rules of {path} are commented `{comment}`", others + 1).into(),
            ),
        };
        Err(fault.at(self.control.target(), "looking for a rule"))
    }

    /// Returns why `rule` cannot be what is meant, if it cannot.
    async fn unfitness(&self, menu: SwitchMenu, rule: &Row) -> Result<Option<String>, RouterError> {
        if rule.flag("invalid") {
            return Ok(Some("is invalid, says the router".to_owned()));
        }
        let action = rule.text("action").unwrap_or_default();
        let shown = RouterText::words(action);
        let table = match menu {
            SwitchMenu::Mangle | SwitchMenu::Mangle6 => {
                if !MARKING.contains(&action) {
                    return Ok(Some(format!("has the action `{shown}`, which marks nothing")));
                }
                rule.text("new-routing-mark")
            }
            SwitchMenu::RoutingRule => {
                if !LOOKING_UP.contains(&action) {
                    return Ok(Some(format!("has the action `{shown}`, which looks nothing up")));
                }
                let Some(table) = rule.text("table") else {
                    return Ok(Some("names no table".to_owned()));
                };
                Some(table)
            }
            SwitchMenu::Route => {
                let to = rule.text("dst-address").unwrap_or(DEFAULT_ROUTE);
                return Ok((to != DEFAULT_ROUTE).then(|| {
                    let to = RouterText::words(to);
                    format!("leads to {to}: it is no default route")
                }));
            }
        };
        let Some(table) = table else { return Ok(None) };
        let tables = self.control.print(Menu::RoutingTable, &["name"]).await?;
        let is_there = tables.iter().any(|row| row.text("name") == Some(table));
        let table = RouterText::words(table);
        Ok((!is_there).then(|| format!("leads to the routing table `{table}`, which is not there")))
    }

    async fn forget_from(&self, menu: Menu, mark: &str) -> Result<usize, RouterError> {
        let mut tries = 0;
        loop {
            let rows = self.control.find(menu, "connection-mark", mark).await?;
            let ids = rows.iter().map(Row::id).collect::<Result<Vec<_>, _>>();
            let ids = ids.map_err(|cause| self.booting(cause))?;
            if ids.is_empty() {
                return Ok(0);
            }
            tries += 1;
            match self.control.remove(menu, &ids).await {
                Ok(()) => return Ok(ids.len()),
                Err(RouterError { fault: RouterFault::NotFound(_), .. }) if tries < TRIES => {}
                Err(failure) => return Err(failure),
            }
        }
    }
}
