//! The answers to a survey about one operator, as their study reads them: one row a respondent.
//!
//! An answer belongs to the operator that it names, else to that of its line; one that names neither is taken to be
//! about the own operator, as complaints are, and counted.

use super::asked::of_place;
use super::request::{GatherError, Request};
use super::{LeftOut, bounds, period, zone};
use crate::store::Store;
use broadgauge_model::place::AccessLine;
use broadgauge_model::survey::Response;
use broadgauge_model::text::{Phrase, Words};
use broadgauge_reports::study::satisfaction::{Query, Survey};
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write as _;

const UNNAMED: Phrase = Phrase {
    en: "respondents of whom neither the answer nor a known line names the operator, taken to be its own",
    zh: "答卷与已知线路均未说明所属运营商的受访者，按本运营商计",
};
const OTHER_QUESTIONS: Phrase =
    Phrase { en: "answers to none of the model's questions", zh: "未回答模型中任何题目的答卷" };
const EARLIER: Phrase = Phrase {
    en: "earlier answers of respondents who answered again, of which the last counts",
    zh: "多次作答的受访者的较早答卷（以最后一次为准）",
};

/// The answers that a study of satisfaction speaks of.
pub fn survey(store: &dyn Store, request: &Request, query: &Query) -> Result<Survey, GatherError> {
    let lines = store.lines()?;
    let zone = zone(&lines, request)?;
    let (from, to) = bounds(request, &zone)?;
    let all = store.responses(from, to)?;
    if all.is_empty() {
        return Err(GatherError::NoSurvey);
    }
    let lines: HashMap<&str, &AccessLine> = lines.iter().map(|line| (line.line_id.as_str(), line)).collect();
    let placed: Vec<Placed<'_>> = all.iter().map(|response| Placed::of(response, &lines)).collect();
    let asked: Vec<&Placed<'_>> =
        placed.iter().filter(|placed| placed.is_asked_for(request, query)).collect();
    if asked.is_empty() {
        return Err(nothing(&placed, request, query));
    }
    let items = query.model.columns();
    let (to_it, elsewhere): (Vec<&Placed<'_>>, Vec<_>) = asked
        .into_iter()
        .partition(|placed| items.iter().any(|item| placed.response.answers.contains_key(*item)));
    if to_it.is_empty() {
        let known: BTreeSet<&String> = elsewhere.iter().flat_map(|p| p.response.answers.keys()).collect();
        return Err(GatherError::NoSuchItem {
            wanted: listed(items.iter().take(3)) + ", …",
            known: listed(known.into_iter()),
        });
    }
    let others = elsewhere.len();
    let given = to_it.len();
    // By time, so that the last one stays.
    let last: BTreeMap<&str, &Placed<'_>> =
        to_it.into_iter().map(|placed| (placed.response.respondent_id.as_str(), placed)).collect();
    let mut last: Vec<&Placed<'_>> = last.into_values().collect();
    let answers = |placed: &Placed<'_>| -> Vec<Option<f64>> {
        items.iter().map(|item| placed.response.answers.get(*item).copied()).collect()
    };
    // An order that no key of pseudonyms decides: two who answered alike at one time are one to every study.
    last.sort_by_cached_key(|placed| {
        let bits: Vec<_> = answers(placed).into_iter().map(|answer| answer.map(f64::to_bits)).collect();
        (placed.response.answered_at, bits, placed.segment)
    });
    let times = last.iter().map(|placed| placed.response.answered_at);
    let span = times.clone().min().zip(times.max());
    let unnamed = last.iter().filter(|placed| placed.operator.is_none()).count();
    let left_out = [(UNNAMED, unnamed), (OTHER_QUESTIONS, others), (EARLIER, given - last.len())];
    Ok(Survey {
        answers: last.iter().map(|placed| answers(placed)).collect(),
        segments: last.iter().map(|placed| placed.segment.map(str::to_owned)).collect(),
        period: period((from, to), span, &[], &zone),
        left_out: left_out
            .into_iter()
            .filter(|(_, count)| *count > 0)
            .map(|(reason, count)| LeftOut { reason: Words::plain(reason), count: count as u64 })
            .collect(),
    })
}

/// An answer with what its line says of it.
struct Placed<'a> {
    response: &'a Response,
    line: Option<&'a AccessLine>,
    operator: Option<&'a str>,
    segment: Option<&'a str>,
}

impl<'a> Placed<'a> {
    fn of(response: &'a Response, lines: &HashMap<&str, &'a AccessLine>) -> Self {
        let line = response.line_id.as_deref().and_then(|id| lines.get(id).copied());
        let operator = response.operator.as_deref().or(line.map(|line| line.operator.as_str()));
        let segment = response.segment.as_deref().or(line.and_then(|line| line.segment.as_deref()));
        Self { response, line, operator, segment }
    }

    fn is_asked_for(&self, request: &Request, query: &Query) -> bool {
        let narrowed = !request.regions.is_empty() || !request.technologies.is_empty();
        self.operator.is_none_or(|operator| operator == request.own)
            && (!narrowed || self.line.is_some_and(|line| of_place(line, request)))
            && (query.segments.is_empty()
                || self.segment.is_some_and(|segment| query.segments.iter().any(|s| s == segment)))
    }
}

/// Why nothing is left, with what there is.
fn nothing(placed: &[Placed<'_>], request: &Request, query: &Query) -> GatherError {
    let own = placed.iter().filter(|p| p.operator.is_none_or(|operator| operator == request.own));
    let mut asked = format!("of operator {:?}", request.own);
    for (what, names) in
        [("segment", &query.segments), ("region", &request.regions), ("technology", &request.technologies)]
    {
        if !names.is_empty() {
            let _ = write!(asked, " and {what} {}", names.join(" or "));
        }
    }
    let known = if own.clone().next().is_none() {
        let operators: BTreeSet<&str> = placed.iter().filter_map(|p| p.operator).collect();
        format!("they are of operators {}", listed(operators.iter()))
    } else {
        let segments: BTreeSet<&str> = own.filter_map(|p| p.segment).collect();
        let segments = if segments.is_empty() { "none".into() } else { listed(segments.iter()) };
        format!("its segments: {segments}")
    };
    GatherError::NothingAnswered { asked, known }
}

fn listed(names: impl Iterator<Item = impl AsRef<str>>) -> String {
    names.map(|name| name.as_ref().to_owned()).collect::<Vec<_>>().join(", ")
}
