//! What the verbs of HTTP mean: from a request to a reply.

use axum::{
    Json,
    http::{Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::json;

use super::{
    BarePost,
    menus::{Menu, Single, Values},
    query::Query,
    request::{ApiError, ApiRequest, Arguments},
    session::Session,
    values,
};

/// The answer to a request that is not refused.
#[derive(Debug)]
pub(super) enum CommandReply {
    /// Rows.
    List(Vec<Values>),
    /// One object.
    One(Values),
    /// An object that was added, and its path.
    Created(String, Values),
    /// Nothing, for a row that was removed.
    Gone,
    /// An empty list: a command is done.
    Done,
    /// A single value.
    Returned(String),
}

impl IntoResponse for CommandReply {
    fn into_response(self) -> Response {
        match self {
            Self::List(rows) => Json(rows).into_response(),
            Self::One(object) => Json(object).into_response(),
            Self::Created(path, object) => {
                (StatusCode::CREATED, [(header::LOCATION, path)], Json(object)).into_response()
            }
            Self::Gone => StatusCode::NO_CONTENT.into_response(),
            Self::Done => Json(json!([])).into_response(),
            Self::Returned(value) => Json(json!({ "ret": value })).into_response(),
        }
    }
}

/// Ways of presenting a print that change nothing in JSON.
const PRESENTATIONS: [&str; 4] = ["stats", "detail", "without-paging", "as-value"];

impl Session<'_> {
    /// Carries out a request on the list `menu`; `rest` is the path below it.
    pub(super) fn on_menu(
        &mut self,
        menu: &'static Menu,
        rest: &[String],
        request: ApiRequest,
    ) -> Result<CommandReply, ApiError> {
        let ApiRequest { method, query, arguments, .. } = request;
        match (method, rest) {
            (Method::GET, []) => self.list(menu, query),
            (Method::GET, [key]) => {
                let id = self.locate(menu, key)?;
                let row = self.print_one(menu, id)?;
                Ok(CommandReply::One(Query::of_url(query).project(row)))
            }
            (Method::PATCH, [key]) => {
                self.user.require_write_to_set()?;
                let id = self.locate(menu, key)?;
                self.set(menu, &[id], &arguments.into_pairs()?)?;
                self.show(menu, id).map(CommandReply::One)
            }
            (Method::PUT, []) => {
                let id = self.add_from(menu, arguments)?;
                let path = format!("/rest/{}/{}", menu.path, values::shown_id(id));
                Ok(CommandReply::Created(path, self.show(menu, id)?))
            }
            (Method::DELETE, [key]) => {
                let id = self.locate(menu, key)?;
                self.remove(menu, &[id])?;
                Ok(CommandReply::Gone)
            }
            (Method::POST, []) => self.without_verb(),
            (Method::POST, [verb]) => self.command(menu, verb, arguments),
            (Method::PATCH | Method::DELETE, []) => Err(ApiError::no_identifier()),
            (_, [.., word]) => Err(ApiError::no_such_command(word)),
            (_, []) => Err(ApiError::bare(StatusCode::NOT_IMPLEMENTED)),
        }
    }

    /// Carries out a request on an object without an identifier.
    pub(super) fn on_single(
        &mut self,
        single: Single,
        rest: &[String],
        request: ApiRequest,
    ) -> Result<CommandReply, ApiError> {
        let ApiRequest { method, query, mut arguments, .. } = request;
        let rest: Vec<&str> = rest.iter().map(String::as_str).collect();
        match (method, rest.as_slice()) {
            (Method::GET, []) => {
                let shown = Query::of_url(query).project(self.print_single(single)?);
                let is_list = self.world.quirks.singletons_as_lists;
                Ok(if is_list { CommandReply::List(vec![shown]) } else { CommandReply::One(shown) })
            }
            (Method::POST, ["print"]) => {
                let properties = arguments.take_list(".proplist", Some(','));
                let query = Query { properties, ..Query::default() };
                Ok(CommandReply::List(vec![query.project(self.print_single(single)?)]))
            }
            (Method::POST, ["set"]) if single == Single::Identity => {
                self.user.require_write_to_set()?;
                let name = arguments.take("name");
                arguments.require_empty()?;
                if let Some(name) = name {
                    self.rename(name)?;
                }
                Ok(CommandReply::Done)
            }
            (Method::POST, []) => self.without_verb(),
            (Method::PATCH | Method::DELETE, _) => Err(ApiError::no_identifier()),
            (_, [.., word]) => Err(ApiError::no_such_command(word)),
            (_, []) => Err(ApiError::bad("no such command")),
        }
    }

    fn without_verb(&self) -> Result<CommandReply, ApiError> {
        match self.world.quirks.bare_post {
            BarePost::Ignored => Ok(CommandReply::Done),
            BarePost::Refused => Err(ApiError::bad("no such command")),
        }
    }

    fn command(
        &mut self,
        menu: &'static Menu,
        verb: &str,
        mut arguments: Arguments,
    ) -> Result<CommandReply, ApiError> {
        match verb {
            "print" => return self.print_from(menu, arguments),
            "add" => {
                let id = self.add_from(menu, arguments)?;
                return Ok(CommandReply::Returned(values::shown_id(id)));
            }
            "set" => {
                self.user.require_write_to_set()?;
                let ids = self.targets(menu, &mut arguments)?;
                self.set(menu, &ids, &arguments.into_pairs()?)?;
            }
            "enable" | "disable" => {
                let ids = self.targets(menu, &mut arguments)?;
                self.switch(menu, &ids, verb == "enable")?;
            }
            "remove" => {
                let ids = self.targets(menu, &mut arguments)?;
                self.remove(menu, &ids)?;
            }
            "move" if menu.kind.is_ordered => {
                let keys = take_keys(&mut arguments)?;
                let found = |key: &String| self.world.locate(menu, key);
                let ids = keys.iter().map(|key| found(key).ok_or_else(ApiError::not_found));
                let ids = ids.collect::<Result<Vec<_>, _>>()?;
                // A destination that does not exist is the end, without a word.
                let before = arguments.take("destination").and_then(|key| found(&key));
                arguments.require_empty()?;
                self.move_rows(menu, &ids, before)?;
            }
            "reset-counters" if menu.kind.is_counted => {
                let ids = self.targets(menu, &mut arguments)?;
                self.reset_counters(menu, &ids)?;
            }
            "reset-counters-all" if menu.kind.is_counted => {
                let ids = self.world.ids(menu);
                self.reset_counters(menu, &ids)?;
            }
            _ => return Err(ApiError::no_such_command(verb)),
        }
        Ok(CommandReply::Done)
    }

    fn list(
        &mut self,
        menu: &'static Menu,
        query: Vec<(String, String)>,
    ) -> Result<CommandReply, ApiError> {
        let mut query = Query::of_url(query);
        if self.world.quirks.unasked_id {
            query.properties.iter_mut().for_each(|listed| listed.push(".id".to_owned()));
        }
        self.print(menu, &query).map(CommandReply::List)
    }

    fn print_from(
        &mut self,
        menu: &'static Menu,
        mut arguments: Arguments,
    ) -> Result<CommandReply, ApiError> {
        let properties = arguments.take_list(".proplist", Some(','));
        let words = arguments.take_list(".query", None).unwrap_or_default();
        let only_count = arguments.take("count-only").is_some();
        for presentation in PRESENTATIONS {
            arguments.take(presentation);
        }
        arguments.require_empty()?;
        let rows = self.print(menu, &Query { words, properties })?;
        Ok(if only_count {
            CommandReply::Returned(rows.len().to_string())
        } else {
            CommandReply::List(rows)
        })
    }

    fn add_from(&mut self, menu: &'static Menu, mut arguments: Arguments) -> Result<u32, ApiError> {
        // Order matters, and can be chosen, only where rows are evaluated one after the other.
        let before = if menu.kind.is_ordered { arguments.take("place-before") } else { None };
        let before = before.map(|key| self.target(menu, &key)).transpose()?;
        self.add(menu, before, &arguments.into_pairs()?)
    }

    fn locate(&self, menu: &Menu, key: &str) -> Result<u32, ApiError> {
        if values::id(key).is_none() && (key.starts_with('*') || !menu.kind.is_named) {
            return Err(ApiError::bad("no such command prefix"));
        }
        self.world.locate(menu, key).ok_or_else(ApiError::not_found)
    }

    fn targets(&self, menu: &Menu, arguments: &mut Arguments) -> Result<Vec<u32>, ApiError> {
        take_keys(arguments)?.iter().map(|key| self.target(menu, key)).collect()
    }
}

fn take_keys(arguments: &mut Arguments) -> Result<Vec<String>, ApiError> {
    let keys = arguments.take_list(".id", Some(','));
    let keys = keys.or_else(|| arguments.take_list("numbers", Some(',')));
    keys.ok_or_else(|| ApiError::missing(".id"))
}
