//! Where a measurement is taken and what it is taken of.

use crate::clock::Wall;
use serde::{Deserialize, Serialize};

/// The subscriber line that is measured: one row of the `lines` table.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct AccessLine {
    /// The line's name, unique among all operators.
    pub line_id: String,
    /// Who sells the line.
    pub operator: String,
    /// City, county or province: the ground on which operators are compared.
    pub region: Option<String>,
    /// A smaller place, for complaints that carry no line.
    pub area: Option<String>,
    /// The network element that the line hangs on.
    pub node: Option<String>,
    /// Access technology: `fttp`, `fttc`, `cable`, `adsl`…
    pub technology: Option<String>,
    /// The product sold.
    pub plan: Option<String>,
    /// The customer segment.
    pub segment: Option<String>,
    /// Promised, normally available and minimum rates, and the promised delay, where the contract names them.
    #[serde(flatten)]
    pub promise: Promise,
    /// IANA time zone of the line: peak hours are local.
    pub zone: Option<String>,
    /// How many lines this one stands for; 1 where unknown.
    pub weight: Option<f64>,
    /// First moment in service.
    pub active_from: Option<Wall>,
    /// First moment no longer in service.
    pub active_to: Option<Wall>,
}

/// What the contract of a line promises.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Promise {
    /// Headline download rate.
    pub promised_down_mbps: Option<f64>,
    /// Normally available download rate (EU 2015/2120).
    pub normal_down_mbps: Option<f64>,
    /// Minimum download rate.
    pub minimum_down_mbps: Option<f64>,
    /// Headline upload rate.
    pub promised_up_mbps: Option<f64>,
    /// Promised round-trip delay.
    pub promised_delay_ms: Option<f64>,
}

/// The far end of a measurement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Target {
    /// Its name in results.
    pub name: String,
    /// Host name or address, with a port where the method needs another than its default.
    pub address: String,
    /// Results are compared only between targets of one class, such as `on-net` or `exchange`.
    #[serde(default)]
    pub class: Option<String>,
}
