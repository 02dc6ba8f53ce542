//! Rules that are switched on and off, found by their comment.
//!
//! Comments are not unique on RouterOS and ids are not stable, so a rule is looked up by its exact
//! comment each time, and anything but exactly one match is refused.

use super::{
    client::RouterOs,
    road::{Menu, Row},
};
use crate::router::{RouterError, RouterFault};

/// A table whose rules can be switched.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RuleTable {
    /// `/ip/firewall/mangle`.
    Mangle,
    /// `/ipv6/firewall/mangle`.
    Mangle6,
    /// `/routing/rule`.
    RoutingRule,
    /// `/ip/route`.
    Route,
}

impl RuleTable {
    const fn menu(self) -> Menu {
        match self {
            Self::Mangle => Menu::Mangle,
            Self::Mangle6 => Menu::Mangle6,
            Self::RoutingRule => Menu::RoutingRule,
            Self::Route => Menu::Route,
        }
    }
}

impl RouterOs {
    /// Returns whether the rule with this exact comment is enabled.
    ///
    /// # Errors
    /// [`RouterFault::NotFound`] if there is none, [`RouterFault::Ambiguous`] if there are
    /// several, and any other [`RouterError`].
    pub async fn rule_enabled(&self, table: RuleTable, comment: &str) -> Result<bool, RouterError> {
        self.find_rule(table, comment).await.map(|rule| !rule.flag("disabled"))
    }

    /// Enables or disables the rule with this exact comment, unless it is so already, and returns
    /// whether it is enabled afterwards, as the router says.
    ///
    /// # Errors
    /// As [`RouterOs::rule_enabled`].
    pub async fn enable_rule(
        &self,
        table: RuleTable,
        comment: &str,
        enabled: bool,
    ) -> Result<bool, RouterError> {
        let rule = self.find_rule(table, comment).await?;
        if rule.flag("disabled") != enabled {
            return Ok(enabled);
        }
        let id = rule.required(".id").map_err(|cause| self.booting(cause))?;
        let value = if enabled { "false" } else { "true" };
        let after = self.control().set(table.menu(), id, "disabled", value).await?;
        Ok(!after.flag("disabled"))
    }

    async fn find_rule(&self, table: RuleTable, comment: &str) -> Result<Row, RouterError> {
        const PROPERTIES: &[&str] = &[".id", "comment", "disabled", "dynamic"];
        let menu = table.menu();
        let rows = self.control().print(menu, PROPERTIES).await?;
        // Dynamic rows come and go and cannot be changed.
        let matches = |row: &Row| row.text("comment") == Some(comment) && !row.flag("dynamic");
        let mut found: Vec<Row> = rows.into_iter().filter(matches).collect();
        let path = menu.path();
        let fault = match (found.pop(), found.len()) {
            (Some(rule), 0) => return Ok(rule),
            (None, _) => RouterFault::NotFound(format!("a rule of {path} commented `{comment}`")),
            (Some(_), others) => RouterFault::Ambiguous(format!(
                "{} rules of {path} are commented `{comment}`",
                others + 1
            )),
        };
        Err(fault.at(self.control().target(), "looking for a rule"))
    }
}
