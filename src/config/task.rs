//! `[[task]]`: a method, against a target, over one line or several, on a schedule.

use super::schedule::ScheduleSection;
use super::{VantageLine, VantageTarget, Wrong, named};
use broadgauge_model::task::Task;
use serde::Deserialize;

/// As written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TaskSection {
    /// Its name; the method and the target where left out.
    pub name: Option<String>,
    /// The method, as in the catalogue.
    pub method: String,
    /// The line; may be left out where there is only one.
    pub line: Option<String>,
    /// Several lines, measured in the same slots: the paired comparison of operators at one site.
    pub lines: Vec<String>,
    /// The target; may be left out where there is only one.
    pub target: Option<String>,
    /// When.
    pub schedule: ScheduleSection,
    /// The method's own settings.
    pub settings: toml::Table,
    /// The most bytes that the runs of one local day may move.
    pub bytes_per_day: Option<u64>,
}

impl TaskSection {
    /// One task per line. All of them bear the name in front of the `@`, which seeds their common slots.
    pub(super) fn check(self, lines: &[VantageLine], targets: &[VantageTarget]) -> Result<Vec<Task>, Wrong> {
        let method = named("method", self.method)?;
        let names = || targets.iter().map(|t| t.target.name.as_str());
        let target = match self.target {
            Some(name) if names().any(|known| known == name) => name,
            None if targets.len() == 1 => targets[0].target.name.clone(),
            other => {
                return Err(unknown("target", other.as_deref(), names()));
            }
        };
        let ids = || lines.iter().map(|l| l.line.line_id.as_str());
        let over = match (self.line, self.lines) {
            (Some(line), several) if several.is_empty() => vec![line],
            (None, several) if !several.is_empty() => several,
            (None, _) if lines.len() == 1 => vec![lines[0].line.line_id.clone()],
            (None, _) => return Err(unknown("line", None, ids())),
            (Some(_), _) => return Err(Wrong::new("lines", "stands beside line; keep one of the two")),
        };
        if let Some(stranger) = over.iter().find(|line| !ids().any(|id| id == line.as_str())) {
            return Err(unknown("line", Some(stranger), ids()));
        }
        let schedule = self.schedule.check().map_err(|wrong| match wrong.key.as_str() {
            "schedule" => wrong,
            _ => wrong.within("schedule"),
        })?;
        if self.bytes_per_day == Some(0) {
            return Err(Wrong::new("bytes_per_day", "is 0; take the task out, or the limit"));
        }
        let Ok(serde_json::Value::Object(settings)) = serde_json::to_value(self.settings) else {
            return Err(Wrong::new("settings", "cannot be read; write it as { count = 100 }"));
        };
        let name = self.name.unwrap_or_else(|| format!("{method}-{target}"));
        let name = named("name", name)?;
        if name.contains('@') {
            return Err(Wrong::new("name", "holds an @, which parts the name from the line; leave it out"));
        }
        Ok(over
            .into_iter()
            .map(|line| Task {
                name: format!("{name}@{line}"),
                method: method.clone(),
                line,
                target: target.clone(),
                schedule: schedule.clone(),
                settings: settings.clone(),
                bytes_per_day: self.bytes_per_day,
            })
            .collect())
    }
}

fn unknown<'a>(key: &str, name: Option<&str>, known: impl Iterator<Item = &'a str>) -> Wrong {
    let known: Vec<_> = known.collect();
    let problem = match name {
        Some(name) => format!("{name:?} is not one of: {}", known.join(", ")),
        None if known.is_empty() => format!("is missing, and there is no [[{key}]]; add one"),
        None => format!("is missing; name one of: {}", known.join(", ")),
    };
    Wrong::new(key, problem)
}
