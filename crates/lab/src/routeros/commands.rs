//! What the verbs of HTTP mean: from a call to a reply.

use axum::{
    Json,
    http::{Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::json;

use super::{
    call::{Arguments, Call},
    errors::Refusal,
    operations::{Query, Session},
    place::Single,
    quirks::BarePost,
    schema::{Menu, Values},
    select, values,
};

/// What a call is answered with when nothing is wrong.
#[derive(Debug)]
pub(super) enum Reply {
    /// Rows.
    List(Vec<Values>),
    /// One object.
    One(Values),
    /// An object that was added, and its path.
    Created(String, Values),
    /// Nothing, since the row is gone.
    Gone,
    /// An empty list, which is how a command says that it is done.
    Done,
    /// A single value.
    Returned(String),
}

impl IntoResponse for Reply {
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
    /// Carries out a call on the list `menu`; `rest` is the path below it.
    ///
    /// # Errors
    /// Refuses what RouterOS refuses.
    pub(super) fn on_menu(
        &mut self,
        menu: &'static Menu,
        rest: &[String],
        call: Call,
    ) -> Result<Reply, Refusal> {
        let Call { method, query, arguments, .. } = call;
        match (method, rest) {
            (Method::GET, []) => self.list(menu, query),
            (Method::GET, [key]) => {
                let id = self.locate(menu, key)?;
                let properties = read_filters(query).properties;
                let row = self.print_one(menu, id)?;
                Ok(Reply::One(select::project(row, properties.as_deref())))
            }
            (Method::PATCH, [key]) => {
                self.user.require_write_to_set()?;
                let id = self.locate(menu, key)?;
                self.set(menu, &[id], &arguments.into_pairs()?)?;
                self.show(menu, id).map(Reply::One)
            }
            (Method::PUT, []) => {
                let id = self.add_from(menu, arguments)?;
                let path = format!("/rest/{}/{}", menu.path, values::shown_id(id));
                Ok(Reply::Created(path, self.show(menu, id)?))
            }
            (Method::DELETE, [key]) => {
                let id = self.locate(menu, key)?;
                self.remove(menu, &[id])?;
                Ok(Reply::Gone)
            }
            (Method::POST, []) => self.without_verb(),
            (Method::POST, [verb]) => self.command(menu, verb, arguments),
            (Method::PATCH | Method::DELETE, []) => Err(Refusal::no_identifier()),
            (_, [.., word]) => Err(Refusal::no_such_command(word)),
            (_, []) => Err(Refusal::bare(StatusCode::NOT_IMPLEMENTED)),
        }
    }

    /// Carries out a call on an object without an identifier.
    ///
    /// # Errors
    /// Refuses what RouterOS refuses.
    pub(super) fn on_single(
        &mut self,
        single: Single,
        rest: &[String],
        call: Call,
    ) -> Result<Reply, Refusal> {
        let Call { method, query, mut arguments, .. } = call;
        let rest: Vec<&str> = rest.iter().map(String::as_str).collect();
        match (method, rest.as_slice()) {
            (Method::GET, []) => {
                let properties = read_filters(query).properties;
                let shown = select::project(self.print_single(single)?, properties.as_deref());
                let is_list = self.world.quirks().singletons_as_lists;
                Ok(if is_list { Reply::List(vec![shown]) } else { Reply::One(shown) })
            }
            (Method::POST, ["print"]) => {
                let properties = arguments.take_list(".proplist", Some(','));
                let shown = select::project(self.print_single(single)?, properties.as_deref());
                Ok(Reply::List(vec![shown]))
            }
            (Method::POST, ["set"]) if single == Single::Identity => {
                self.user.require_write_to_set()?;
                let name = arguments.take("name");
                arguments.require_empty()?;
                if let Some(name) = name {
                    self.rename(name)?;
                }
                Ok(Reply::Done)
            }
            (Method::POST, []) => self.without_verb(),
            (Method::PATCH | Method::DELETE, _) => Err(Refusal::no_identifier()),
            (_, [.., word]) => Err(Refusal::no_such_command(word)),
            (_, []) => Err(Refusal::bad("no such command")),
        }
    }

    /// Answers a POST that names no command.
    fn without_verb(&self) -> Result<Reply, Refusal> {
        match self.world.quirks().bare_post {
            BarePost::Ignored => Ok(Reply::Done),
            BarePost::Refused => Err(Refusal::bad("no such command")),
        }
    }

    fn command(
        &mut self,
        menu: &'static Menu,
        verb: &str,
        mut arguments: Arguments,
    ) -> Result<Reply, Refusal> {
        match verb {
            "print" => return self.print_from(menu, arguments),
            "add" => {
                let id = self.add_from(menu, arguments)?;
                return Ok(Reply::Returned(values::shown_id(id)));
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
            "move" if menu.is_ordered => {
                let keys = take_keys(&mut arguments)?;
                let found = |key: &String| self.world.locate(menu, key);
                let ids = keys.iter().map(|key| found(key).ok_or_else(Refusal::not_found));
                let ids = ids.collect::<Result<Vec<_>, _>>()?;
                // A destination that does not exist is the end, without a word.
                let before = arguments.take("destination").and_then(|key| found(&key));
                arguments.require_empty()?;
                self.move_rows(menu, &ids, before)?;
            }
            "reset-counters" if menu.is_counted => {
                let ids = self.targets(menu, &mut arguments)?;
                self.reset_counters(menu, &ids)?;
            }
            "reset-counters-all" if menu.is_counted => {
                let ids = self.world.ids(menu);
                self.reset_counters(menu, &ids)?;
            }
            _ => return Err(Refusal::no_such_command(verb)),
        }
        Ok(Reply::Done)
    }

    fn list(&mut self, menu: &Menu, query: Vec<(String, String)>) -> Result<Reply, Refusal> {
        let mut query = read_filters(query);
        if self.world.quirks().unasked_id {
            query.properties.iter_mut().for_each(|listed| listed.push(".id".to_owned()));
        }
        self.print(menu, &query).map(Reply::List)
    }

    fn print_from(&mut self, menu: &Menu, mut arguments: Arguments) -> Result<Reply, Refusal> {
        let properties = arguments.take_list(".proplist", Some(','));
        let words = arguments.take_list(".query", None).unwrap_or_default();
        let only_count = arguments.take("count-only").is_some();
        for presentation in PRESENTATIONS {
            arguments.take(presentation);
        }
        arguments.require_empty()?;
        let rows = self.print(menu, &Query { words, properties })?;
        Ok(if only_count { Reply::Returned(rows.len().to_string()) } else { Reply::List(rows) })
    }

    fn add_from(&mut self, menu: &'static Menu, mut arguments: Arguments) -> Result<u32, Refusal> {
        // Order matters, and can be chosen, only where rows are evaluated one after the other.
        let before = if menu.is_ordered { arguments.take("place-before") } else { None };
        let before = before.map(|key| self.target(menu, &key)).transpose()?;
        self.add(menu, before, &arguments.into_pairs()?)
    }

    /// Returns the row that a path names.
    fn locate(&self, menu: &Menu, key: &str) -> Result<u32, Refusal> {
        if values::id(key).is_none() && (key.starts_with('*') || !menu.is_named) {
            return Err(Refusal::bad("no such command prefix"));
        }
        self.world.locate(menu, key).ok_or_else(Refusal::not_found)
    }

    /// Returns the rows that a body names.
    fn targets(&self, menu: &Menu, arguments: &mut Arguments) -> Result<Vec<u32>, Refusal> {
        take_keys(arguments)?.iter().map(|key| self.target(menu, key)).collect()
    }
}

/// Takes out what names the rows of a command.
fn take_keys(arguments: &mut Arguments) -> Result<Vec<String>, Refusal> {
    let keys = arguments.take_list(".id", Some(','));
    let keys = keys.or_else(|| arguments.take_list("numbers", Some(',')));
    keys.ok_or_else(|| Refusal::bad("missing =.id="))
}

/// Reads the query of a URL: exact values of properties, and a list of those that are wanted.
fn read_filters(query: Vec<(String, String)>) -> Query {
    let mut read = Query::default();
    for (name, value) in query {
        if name == ".proplist" {
            read.properties = Some(value.split(',').map(ToOwned::to_owned).collect());
        } else {
            read.words.push(format!("={name}={value}"));
        }
    }
    read
}
