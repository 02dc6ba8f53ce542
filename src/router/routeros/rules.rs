//! Rules and routes that are switched on and off, found by their comment.
//!
//! Comments are not unique on RouterOS and ids are not stable, so a row is looked up by its exact
//! comment each time, and anything but exactly one match of the right kind is refused.

use super::{
    client::RouterOs,
    transport::{Menu, Row},
};
use crate::{
    config::SwitchMenu,
    router::{RouterError, RouterFault, RouterText},
};

/// Actions of a mangle rule by which connections come to take another way.
const MARKING: [&str; 3] = ["mark-connection", "mark-routing", "jump"];
/// Actions of a routing rule by which traffic is looked up in another table.
const LOOKING_UP: [&str; 2] = ["lookup", "lookup-only-in-table"];
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

impl RouterOs {
    /// Returns whether the row with this exact comment is enabled.
    ///
    /// # Errors
    /// [`RouterFault::NotFound`] if there is none, [`RouterFault::Ambiguous`] if there are
    /// several, [`RouterFault::Unfit`] if it does not do what it is switched for, and any other
    /// [`RouterError`].
    pub async fn rule_enabled(&self, menu: SwitchMenu, comment: &str) -> Result<bool, RouterError> {
        self.find_rule(menu, comment).await.map(|rule| !rule.flag("disabled"))
    }

    /// Enables or disables the row with this exact comment, unless it is so already, and returns
    /// whether it is enabled afterwards, as the router says.
    ///
    /// # Errors
    /// As [`RouterOs::rule_enabled`].
    pub async fn enable_rule(
        &self,
        menu: SwitchMenu,
        comment: &str,
        enabled: bool,
    ) -> Result<bool, RouterError> {
        let rule = self.find_rule(menu, comment).await?;
        if rule.flag("disabled") != enabled {
            return Ok(enabled);
        }
        let id = rule.id().map_err(|cause| self.booting(cause))?;
        let value = if enabled { "false" } else { "true" };
        let after = self.control().set(menu_of(menu), &id, "disabled", value).await?;
        // An enabled row may lack the flag, and an answer without the row proves nothing.
        match after.text(".id") {
            Some(shown) if shown == id.as_str() => Ok(!after.flag("disabled")),
            Some(_) | None => self.rule_enabled(menu, comment).await,
        }
    }

    async fn find_rule(&self, menu: SwitchMenu, comment: &str) -> Result<Row, RouterError> {
        let at = menu_of(menu);
        let rows = self.control().print(at, properties(menu)).await?;
        // Dynamic rows come and go and cannot be changed.
        let matches = |row: &Row| row.text("comment") == Some(comment) && !row.flag("dynamic");
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
        Err(fault.at(self.control().target(), "looking for a rule"))
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
        let tables = self.control().print(Menu::RoutingTable, &["name"]).await?;
        let is_there = tables.iter().any(|row| row.text("name") == Some(table));
        let table = RouterText::words(table);
        Ok((!is_there).then(|| format!("leads to the routing table `{table}`, which is not there")))
    }
}
