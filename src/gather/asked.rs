//! What is asked for by name: whether it is there, and which lines it leaves.

use super::request::{GatherError, Request};
use broadgauge_model::complaint::Complaint;
use broadgauge_model::place::AccessLine;
use std::collections::BTreeSet;

/// An operator is known from its lines, or from complaints about it.
pub(super) fn check_operators(
    lines: &[AccessLine],
    complaints: &[Complaint],
    request: &Request,
) -> Result<(), GatherError> {
    let mut known: BTreeSet<&str> = lines.iter().map(|line| line.operator.as_str()).collect();
    known.extend(complaints.iter().filter_map(|complaint| complaint.operator.as_deref()));
    for name in std::iter::once(&request.own).chain(&request.peers) {
        if !known.contains(name.as_str()) {
            let known: Vec<_> = known.into_iter().collect();
            let known = if known.is_empty() { "none; import lines first".into() } else { known.join(", ") };
            return Err(GatherError::NoSuchOperator { name: name.clone(), known });
        }
    }
    Ok(())
}

/// What is asked for by name is there, and leaves something of the own operator: an empty answer would be read as one.
pub(super) fn check_values(lines: &[AccessLine], request: &Request) -> Result<(), GatherError> {
    type Value = fn(&AccessLine) -> Option<&String>;
    let filters: [(&'static str, &[String], Value); 2] = [
        ("region", &request.regions, |line| line.region.as_ref()),
        ("technology", &request.technologies, |line| line.technology.as_ref()),
    ];
    let asked = lines.iter().filter(|line| of_operators(line, request));
    for (what, names, value) in filters {
        let known: BTreeSet<&String> = asked.clone().filter_map(value).collect();
        if let Some(name) = names.iter().find(|name| !known.contains(name)) {
            let known = listed(known.into_iter());
            return Err(GatherError::NoSuchValue { what, name: name.clone(), known });
        }
    }
    let mut own = lines.iter().filter(|line| line.operator == request.own).peekable();
    if own.peek().is_none() || own.clone().any(|line| wanted(line, request)) {
        return Ok(());
    }
    let used = filters.iter().filter(|(_, names, _)| !names.is_empty());
    let asked: Vec<_> =
        used.clone().map(|(what, names, _)| format!("of {what} {}", names.join(" or "))).collect();
    let has: BTreeSet<String> = own
        .map(|line| {
            let of = |(_, _, value): &(_, _, Value)| value(line).map_or("(none)", String::as_str).to_owned();
            used.clone().map(of).collect::<Vec<_>>().join(" with ")
        })
        .collect();
    Err(GatherError::NothingLeft {
        own: request.own.clone(),
        asked: asked.join(" and "),
        known: listed(has.iter()),
    })
}

fn listed<'a>(names: impl Iterator<Item = &'a String>) -> String {
    let names: Vec<_> = names.map(String::as_str).collect();
    if names.is_empty() { "none".into() } else { names.join(", ") }
}

fn of_operators(line: &AccessLine, request: &Request) -> bool {
    request.peers.is_empty() || line.operator == request.own || request.peers.contains(&line.operator)
}

pub(super) fn wanted(line: &AccessLine, request: &Request) -> bool {
    of_operators(line, request) && of_place(line, request)
}

/// Whether a line is of the regions and technologies asked for.
pub(super) fn of_place(line: &AccessLine, request: &Request) -> bool {
    let among =
        |list: &[String], value: Option<&String>| list.is_empty() || value.is_some_and(|v| list.contains(v));
    among(&request.regions, line.region.as_ref()) && among(&request.technologies, line.technology.as_ref())
}
