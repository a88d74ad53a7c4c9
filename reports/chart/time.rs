//! Time axes in the reader's zone: ticks at local midnights and hours, also across a change of summer time.

use super::axis::{Scale, Ticks, apart};
use super::palette::{AXIS, TEXT};
use super::panel::middle;
use super::scene::{Rect, Scene, Shape, Stroke};
use broadgauge_model::text::{Lang, Phrase};
use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

/// From tick to tick.
#[derive(Clone, Copy)]
enum Step {
    Hours(i8),
    Days(i32),
    Months(i32),
}

/// Coarser and coarser.
const STEPS: [Step; 14] = [
    Step::Hours(1),
    Step::Hours(2),
    Step::Hours(3),
    Step::Hours(6),
    Step::Hours(12),
    Step::Days(1),
    Step::Days(2),
    Step::Days(7),
    Step::Days(14),
    Step::Months(1),
    Step::Months(2),
    Step::Months(3),
    Step::Months(6),
    Step::Months(12),
];

/// An instant as a number on a time axis.
pub(super) fn seconds(at: Timestamp) -> f64 {
    at.as_millisecond() as f64 / 1e3
}

/// A day, as short as can be: "5 Mar", "3月5日".
pub(super) fn day(at: DateTime, lang: Lang) -> String {
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    match lang {
        Lang::En => format!("{} {}", at.day(), MONTHS[at.month() as usize - 1]),
        Lang::Zh => format!("{}月{}日", at.month(), at.day()),
    }
}

/// The zone of a name; an unknown name reads as UTC, which the axis then says.
pub(super) fn zone(name: &str) -> TimeZone {
    TimeZone::get(name).unwrap_or(TimeZone::UTC)
}

/// The name of a time axis.
pub(super) fn axis_title(zone: &TimeZone, lang: Lang) -> String {
    const LOCAL: Phrase = Phrase { en: "Local time ({zone})", zh: "当地时间（{zone}）" };
    let name = zone.iana_name().unwrap_or("UTC");
    LOCAL.fill(lang, &[("zone", name)])
}

/// An axis from one instant to another whose labels fit into `room` pixels.
pub(super) fn axis(from: Timestamp, to: Timestamp, zone: &TimeZone, room: f64, lang: Lang) -> Ticks {
    let (low, high) = (seconds(from), seconds(to).max(seconds(from) + 1.0));
    let place = |at: f64| (at - low) / (high - low) * room;
    let fits = |ticks: &[(f64, String)]| {
        ticks.len() <= 14 && ticks.windows(2).all(|w| place(w[1].0) - place(w[0].0) > apart(&w[0].1, &w[1].1))
    };
    // A fine step over a long time would be thousands of ticks only to be thrown away.
    let worth = |step: &Step| match step {
        Step::Hours(hours) => (high - low) / 3600.0 / f64::from(*hours) < 60.0,
        Step::Days(days) => (high - low) / 86_400.0 / f64::from(*days) < 60.0,
        Step::Months(_) => true,
    };
    let ticks = STEPS
        .into_iter()
        .filter(worth)
        .map(|step| ticks(from, to, zone, step, lang))
        .find(|ticks| fits(ticks))
        .unwrap_or_default();
    Ticks::new(Scale::Linear, low, high, ticks)
}

fn ticks(from: Timestamp, to: Timestamp, zone: &TimeZone, step: Step, lang: Lang) -> Vec<(f64, String)> {
    let first = zone.to_datetime(from).date();
    let first = if matches!(step, Step::Months(_)) { first.first_of_month() } else { first };
    let mut ticks = Vec::new();
    for i in 0..10_000 {
        let (span, label): (_, fn(DateTime, Lang) -> String) = match step {
            Step::Hours(hours) => ((i64::from(hours) * i).hours(), hour),
            Step::Days(days) => ((i64::from(days) * i).days(), day),
            Step::Months(months) => ((i64::from(months) * i).months(), month),
        };
        let Ok(civil) = first.to_datetime(jiff::civil::Time::midnight()).checked_add(span) else { break };
        let Ok(at) = zone.to_timestamp(civil) else { break };
        if at > to {
            break;
        }
        if at >= from {
            ticks.push((seconds(at), label(civil, lang)));
        }
    }
    ticks
}

/// Midnight is told by its day.
fn hour(at: DateTime, lang: Lang) -> String {
    if at.hour() == 0 { day(at, lang) } else { format!("{:02}:00", at.hour()) }
}

fn month(at: DateTime, lang: Lang) -> String {
    if at.month() > 1 {
        return match lang {
            Lang::En => day(at, lang).split_once(' ').map_or(String::new(), |(_, month)| month.to_owned()),
            Lang::Zh => format!("{}月", at.month()),
        };
    }
    match lang {
        Lang::En => at.year().to_string(),
        Lang::Zh => format!("{}年", at.year()),
    }
}

/// Ticks and labels of a time axis along the upper edge of an area.
pub(super) fn draw(scene: &mut Scene, axis: &Ticks, area: Rect) {
    let mut free_from = f64::NEG_INFINITY;
    for (value, text) in axis.ticks() {
        let x = area.x + axis.place(*value) * area.width;
        scene.push(Shape::Polyline {
            points: vec![(x, area.y), (x, area.y + 4.0)],
            stroke: Stroke::new(AXIS, 1.0),
        });
        let mut label = middle(text, (x, area.y + 13.0), TEXT);
        let half = label.width() / 2.0;
        label.x = x.min(scene.width - 3.0 - half);
        if label.x - half >= free_from {
            free_from = label.x + half + 4.0;
            scene.text(label);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labels(from: &str, to: &str, name: &str, room: f64, lang: Lang) -> Vec<String> {
        let axis = axis(from.parse().unwrap(), to.parse().unwrap(), &zone(name), room, lang);
        axis.ticks().iter().map(|(_, text)| text.clone()).collect()
    }

    #[test]
    fn a_day_is_told_in_local_hours() {
        let day = ("2026-03-04T16:00:00Z", "2026-03-05T16:00:00Z");
        assert_eq!(
            labels(day.0, day.1, "Asia/Shanghai", 450.0, Lang::Zh),
            ["3月5日", "03:00", "06:00", "09:00", "12:00", "15:00", "18:00", "21:00", "3月6日"]
        );
        assert_eq!(
            labels(day.0, day.1, "Asia/Shanghai", 300.0, Lang::En),
            ["5 Mar", "06:00", "12:00", "18:00", "6 Mar"]
        );
    }

    #[test]
    fn a_change_of_summer_time_moves_no_label() {
        // Europe/London sprang forward at 01:00 UTC on 29 March 2026.
        let labels = labels("2026-03-29T00:00:00Z", "2026-03-29T23:00:00Z", "Europe/London", 300.0, Lang::En);
        assert_eq!(labels, ["29 Mar", "06:00", "12:00", "18:00", "30 Mar"]);
    }

    #[test]
    fn a_quarter_is_told_in_weeks_and_a_year_in_months() {
        let quarter = labels("2026-01-01T00:00:00Z", "2026-03-31T00:00:00Z", "UTC", 700.0, Lang::En);
        assert_eq!(quarter[..3], ["1 Jan", "8 Jan", "15 Jan"]);
        let year = labels("2025-07-01T00:00:00Z", "2026-07-01T00:00:00Z", "UTC", 700.0, Lang::Zh);
        assert_eq!(year[5..8], ["12月", "2026年", "2月"]);
    }
}
