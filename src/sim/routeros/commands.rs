//! What the verbs do: from a call to a reply.

use axum::{
    Json,
    http::{Method, StatusCode, header},
    response::{IntoResponse, Response},
};
use serde_json::json;

use super::{
    auth::{Policy, User},
    call::{Arguments, Call},
    errors::Refusal,
    log::Effect,
    place::Single,
    schema::{Menu, Values},
    select, values,
    world::World,
};
use crate::units::MonoTime;

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

/// What a command works on and with.
#[derive(Debug)]
pub(super) struct Session<'a> {
    pub(super) world: &'a mut World,
    pub(super) user: &'a User,
    pub(super) now: MonoTime,
    pub(super) effects: &'a mut Vec<Effect>,
}

impl Session<'_> {
    /// Carries out a call on the list `menu`; `rest` is the path below it.
    pub(super) fn on_menu(
        &mut self,
        menu: &'static Menu,
        rest: &[String],
        mut call: Call,
    ) -> Result<Reply, Refusal> {
        let method = call.method.clone();
        match (method, rest) {
            (Method::GET, []) => self.list(menu, call.query),
            (Method::GET, [key]) => {
                self.user.require(Policy::Read)?;
                let id = self.locate(menu, key)?;
                let properties = take_properties(&mut call.query);
                Ok(Reply::One(select::project(self.show(menu, id)?, properties.as_deref())))
            }
            (Method::PATCH, [key]) => {
                self.user.require_write_to_set()?;
                let id = self.locate(menu, key)?;
                let arguments = call.arguments.into_pairs()?;
                self.world.set(menu, &[id], &arguments, self.now, self.effects)?;
                self.show(menu, id).map(Reply::One)
            }
            (Method::PUT, []) => {
                let id = self.add(menu, call.arguments)?;
                let path = format!("/rest/{}/{}", menu.path, values::shown_id(id));
                Ok(Reply::Created(path, self.show(menu, id)?))
            }
            (Method::DELETE, [key]) => {
                self.user.require(Policy::Write)?;
                let id = self.locate(menu, key)?;
                self.remove(menu, &[id])?;
                Ok(Reply::Gone)
            }
            // Without a verb there is no command, and RouterOS is content to do nothing.
            (Method::POST, []) => Ok(Reply::Done),
            (Method::POST, [verb]) => self.command(menu, verb, call.arguments),
            (Method::PATCH | Method::DELETE, []) => Err(Refusal::no_identifier()),
            (_, [.., word]) => Err(Refusal::no_such_command(word)),
            (_, []) => Err(Refusal::bare(StatusCode::NOT_IMPLEMENTED)),
        }
    }

    /// Carries out a call on an object without an identifier.
    pub(super) fn on_single(
        &mut self,
        single: Single,
        rest: &[String],
        call: Call,
    ) -> Result<Reply, Refusal> {
        let Call { method, mut query, mut arguments, .. } = call;
        let rest: Vec<&str> = rest.iter().map(String::as_str).collect();
        match (method, rest.as_slice()) {
            (Method::GET, []) => {
                self.user.require(Policy::Read)?;
                let properties = take_properties(&mut query);
                Ok(Reply::One(select::project(self.show_single(single), properties.as_deref())))
            }
            (Method::POST, ["print"]) => {
                self.user.require(Policy::Read)?;
                let properties = arguments.take_list(".proplist", Some(','));
                let shown = select::project(self.show_single(single), properties.as_deref());
                Ok(Reply::List(vec![shown]))
            }
            (Method::POST, ["set"]) if single == Single::Identity => {
                self.user.require_write_to_set()?;
                let name = arguments.take("name");
                if let Some((unknown, _)) = arguments.into_pairs()?.first() {
                    return Err(Refusal::bad(format!("unknown parameter {unknown}")));
                }
                if let Some(name) = name {
                    self.world.set_identity(name);
                }
                Ok(Reply::Done)
            }
            (Method::POST, []) => Ok(Reply::Done),
            (Method::PATCH | Method::DELETE, _) => Err(Refusal::no_identifier()),
            (_, [.., word]) => Err(Refusal::no_such_command(word)),
            (_, []) => Err(Refusal::bad("no such command")),
        }
    }

    fn show_single(&self, single: Single) -> Values {
        match single {
            Single::Identity => self.world.identity(),
            Single::Resource => self.world.resource(self.now),
        }
    }

    fn command(
        &mut self,
        menu: &'static Menu,
        verb: &str,
        mut arguments: Arguments,
    ) -> Result<Reply, Refusal> {
        match verb {
            "print" => return self.print(menu, arguments),
            "add" if menu.is_open => {
                let id = self.add(menu, arguments)?;
                return Ok(Reply::Returned(values::shown_id(id)));
            }
            "set" => {
                self.user.require_write_to_set()?;
                let ids = self.targets(menu, &mut arguments)?;
                let arguments = arguments.into_pairs()?;
                self.world.set(menu, &ids, &arguments, self.now, self.effects)?;
            }
            "enable" | "disable" => {
                self.user.require(Policy::Write)?;
                let ids = self.targets(menu, &mut arguments)?;
                let switch = [("disabled".to_owned(), (verb == "disable").to_string())];
                self.world.set(menu, &ids, &switch, self.now, self.effects)?;
            }
            "remove" if menu.is_open => {
                self.user.require(Policy::Write)?;
                let ids = self.targets(menu, &mut arguments)?;
                self.remove(menu, &ids)?;
            }
            "reset-counters" if menu.is_counted => {
                self.user.require(Policy::Write)?;
                let ids = self.targets(menu, &mut arguments)?;
                self.world.reset_counters(menu, &ids, self.now, self.effects);
            }
            "reset-counters-all" if menu.is_counted => {
                self.user.require(Policy::Write)?;
                let ids = self.world.ids(menu);
                self.world.reset_counters(menu, &ids, self.now, self.effects);
            }
            _ => return Err(Refusal::no_such_command(verb)),
        }
        Ok(Reply::Done)
    }

    fn list(
        &mut self,
        menu: &'static Menu,
        mut query: Vec<(String, String)>,
    ) -> Result<Reply, Refusal> {
        self.user.require(Policy::Read)?;
        let properties = take_properties(&mut query);
        let rows = self.show_all(menu).into_iter().filter(|row| select::matches(row, &query));
        Ok(Reply::List(rows.map(|row| select::project(row, properties.as_deref())).collect()))
    }

    fn print(&mut self, menu: &'static Menu, mut arguments: Arguments) -> Result<Reply, Refusal> {
        self.user.require(Policy::Read)?;
        let properties = arguments.take_list(".proplist", Some(','));
        let words = arguments.take_list(".query", None).unwrap_or_default();
        let only_count = arguments.take("count-only").is_some();
        for presentation in ["stats", "detail", "without-paging", "as-value"] {
            arguments.take(presentation);
        }
        if let Some((unknown, _)) = arguments.into_pairs()?.first() {
            return Err(Refusal::bad(format!("unknown parameter {unknown}")));
        }
        let mut rows = Vec::new();
        for row in self.show_all(menu) {
            if select::satisfies(&row, &words)? {
                rows.push(select::project(row, properties.as_deref()));
            }
        }
        Ok(if only_count { Reply::Returned(rows.len().to_string()) } else { Reply::List(rows) })
    }

    fn add(&mut self, menu: &'static Menu, mut arguments: Arguments) -> Result<u32, Refusal> {
        self.user.require(Policy::Write)?;
        if !menu.is_open {
            return Err(Refusal::no_such_command("add"));
        }
        // Order matters, and can be chosen, only where rows have no names.
        let before = if menu.is_named { None } else { arguments.take("place-before") };
        let before = before.map(|key| self.target(menu, &key)).transpose()?;
        self.world.add(menu, before, &arguments.into_pairs()?, self.now, self.effects)
    }

    fn remove(&mut self, menu: &'static Menu, ids: &[u32]) -> Result<(), Refusal> {
        if !menu.is_open {
            return Err(Refusal::no_such_command("remove"));
        }
        self.world.remove(menu, ids, self.effects);
        Ok(())
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
        let keys = arguments.take_list(".id", Some(','));
        let keys = keys.or_else(|| arguments.take_list("numbers", Some(',')));
        let keys = keys.ok_or_else(|| Refusal::bad("missing =.id="))?;
        keys.iter().map(|key| self.target(menu, key)).collect()
    }

    fn target(&self, menu: &Menu, key: &str) -> Result<u32, Refusal> {
        self.world.locate(menu, key).ok_or_else(|| Refusal::bad("no such item"))
    }

    fn show(&mut self, menu: &Menu, id: u32) -> Result<Values, Refusal> {
        self.world.show(menu, id, self.now).ok_or_else(Refusal::not_found)
    }

    fn show_all(&mut self, menu: &Menu) -> Vec<Values> {
        let ids = self.world.ids(menu);
        ids.into_iter().filter_map(|id| self.world.show(menu, id, self.now)).collect()
    }
}

/// Takes `.proplist` out of a query and returns the properties it names.
fn take_properties(query: &mut Vec<(String, String)>) -> Option<Vec<String>> {
    let place = query.iter().position(|(name, _)| name == ".proplist")?;
    let (_, list) = query.remove(place);
    Some(list.split(',').map(ToOwned::to_owned).collect())
}
