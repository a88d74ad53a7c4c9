//! Of which class targets are: only results against targets of one class are compared.
//!
//! Agents say it of their own targets. Of the targets of an imported table the request may say it; where nobody does,
//! results against several targets are taken together, and a note says so.

use crate::store::{Row, SourceKind};
use broadgauge_model::metric::MetricId;
use broadgauge_model::wire::registration::Registration;
use std::collections::BTreeMap;
use std::str::FromStr;

/// A class, and the targets that are of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetClass {
    class: String,
    /// A name, or the beginning of names.
    target: String,
    is_beginning: bool,
}

impl TargetClass {
    fn holds(&self, target: &str) -> bool {
        if self.is_beginning { target.starts_with(&self.target) } else { target == self.target }
    }
}

/// `CLASS=TARGET`, where a target that ends in `*` stands for all that begin so.
impl FromStr for TargetClass {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.split_once('=').map(|(class, target)| (class.trim(), target.trim()));
        let (class, target) =
            parts.filter(|(class, target)| !class.is_empty() && !target.is_empty()).ok_or_else(|| {
                format!(
                    "{text:?} is not CLASS=TARGET, such as on-net=speed.example.net or exchange=192.0.2.*"
                )
            })?;
        let beginning = target.strip_suffix('*');
        Ok(Self {
            class: class.to_owned(),
            target: beginning.unwrap_or(target).to_owned(),
            is_beginning: beginning.is_some(),
        })
    }
}

/// What is known of the classes of targets.
pub(super) struct TargetClasses<'a> {
    /// By agent and target, what each agent last said.
    agents: BTreeMap<String, BTreeMap<String, String>>,
    asked: &'a [TargetClass],
    unclassed: BTreeMap<(MetricId, String), Unclassed>,
}

/// Imported results against targets of which nobody names the class.
struct Unclassed {
    first: String,
    several: bool,
    results: u64,
}

impl<'a> TargetClasses<'a> {
    pub(super) fn of(agents: &[Registration], asked: &'a [TargetClass]) -> Self {
        let mut classes: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
        for agent in agents {
            for target in &agent.targets {
                if let Some(class) = &target.class {
                    let targets = classes.entry(agent.agent.clone()).or_default();
                    targets.insert(target.name.clone(), class.clone());
                }
            }
        }
        Self { agents: classes, asked, unclassed: BTreeMap::new() }
    }

    /// The class of a row's target, where somebody names it.
    pub(super) fn find(&mut self, row: &Row<'_>) -> Option<&str> {
        let target = row.target?;
        // Only an agent's own rows have a number: a table may use the same names for something else.
        let said = row.number.and_then(|_| self.agents.get(&row.source.name)?.get(target));
        let class = said.map(String::as_str).or_else(|| {
            self.asked.iter().find(|asked| asked.holds(target)).map(|asked| asked.class.as_str())
        });
        if class.is_none() && row.source.kind == SourceKind::Imported {
            let key = (row.metric, row.method.name.clone());
            let seen = self.unclassed.entry(key).or_insert_with(|| Unclassed {
                first: target.to_owned(),
                several: false,
                results: 0,
            });
            seen.several |= seen.first != target;
            seen.results += 1;
        }
        class
    }

    /// Imported results that are taken together although they are against several targets.
    pub(super) fn taken_together(&self) -> u64 {
        self.unclassed.values().filter(|seen| seen.several).map(|seen| seen.results).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_class_names_a_target_or_the_beginning_of_some() {
        let class = |text: &str| TargetClass::from_str(text).unwrap();
        assert!(class("on-net=192.0.2.1").holds("192.0.2.1"));
        assert!(!class("on-net=192.0.2.1").holds("192.0.2.10"));
        assert!(class("on-net = 192.0.2.*").holds("192.0.2.10"));
        assert!(class("all=*").holds("anything"));
        for wrong in ["", "on-net", "=x", "on-net="] {
            let error = TargetClass::from_str(wrong).unwrap_err();
            assert!(error.contains("is not CLASS=TARGET"), "{error}");
        }
    }
}
