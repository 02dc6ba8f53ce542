//! Finds the place of a key in the text.
//!
//! `serde_yaml` gives no places of values. Once there is something to report, the text is parsed
//! again, by saphyr-parser, whose events carry marks, and a key is found by its position.

use saphyr_parser::{Event, Marker, Parser, Span, StrInput};

use super::errors::Place;

/// Which end of an entry a problem is about.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Spot {
    /// The key.
    Key,
    /// The value, if it is a scalar on its own; else the key.
    Value,
}

/// The marks of a document, in the shape of its tree.
pub(super) struct Places(Option<Mark>);

struct Mark {
    /// Where the value begins; `None` for an empty one, which has no place of its own.
    at: Option<Place>,
    children: Children,
}

enum Children {
    None,
    Items(Vec<Mark>),
    Entries(Vec<(Place, Mark)>),
}

impl Places {
    /// Finds the places of a text that parsed as YAML.
    pub(super) fn of(text: &str) -> Self {
        let mut events = Parser::new_from_str(text);
        while let Some(Ok((event, span))) = events.next_event() {
            if !matches!(event, Event::StreamStart | Event::DocumentStart(_)) {
                return Self(mark(&mut events, &event, span));
            }
        }
        Self(None)
    }

    /// Returns the place that `steps` lead to, or of the last of them that exists.
    pub(super) fn find(&self, steps: &[usize], spot: Spot) -> Option<Place> {
        let mut here = self.0.as_ref()?;
        let mut place = here.at;
        for (depth, step) in steps.iter().enumerate() {
            let is_target = depth + 1 == steps.len();
            match &here.children {
                Children::None => return place,
                Children::Items(items) => {
                    here = items.get(*step)?;
                    place = here.at.or(place);
                }
                Children::Entries(entries) => {
                    let (key, value) = entries.get(*step)?;
                    let is_scalar = matches!(value.children, Children::None);
                    let on_value = is_target && is_scalar && spot == Spot::Value;
                    place = value.at.filter(|_| on_value).or(Some(*key));
                    here = value;
                }
            }
        }
        place
    }
}

type Events<'a> = Parser<'a, StrInput<'a>>;

/// Takes in the value that begins with `event`. The depth of the recursion is bounded: `serde_yaml`
/// has refused a document that is nested deeper than 128 levels.
fn mark(events: &mut Events<'_>, event: &Event<'_>, span: Span) -> Option<Mark> {
    let at = Some(place(span.start));
    match event {
        Event::SequenceStart(..) => {
            let mut items = Vec::new();
            loop {
                match next(events)? {
                    (Event::SequenceEnd, _) => break,
                    (event, span) => items.push(mark(events, &event, span)?),
                }
            }
            Some(Mark { at, children: Children::Items(items) })
        }
        Event::MappingStart(..) => {
            let mut entries = Vec::new();
            loop {
                let (event, span) = next(events)?;
                if event == Event::MappingEnd {
                    break;
                }
                mark(events, &event, span)?;
                let key = place(span.start);
                let (event, span) = next(events)?;
                entries.push((key, mark(events, &event, span)?));
            }
            Some(Mark { at, children: Children::Entries(entries) })
        }
        _ => Some(Mark { at: at.filter(|_| !span.is_empty()), children: Children::None }),
    }
}

fn next<'a>(events: &mut Events<'a>) -> Option<(Event<'a>, Span)> {
    events.next_event()?.ok()
}

fn place(marker: Marker) -> Place {
    Place { line: marker.line(), column: marker.col() + 1 }
}
