//! `[[line]]`: a line at the agent's vantage point, and through which door its packets leave.

use super::{Wrong, named};
use broadgauge_model::place::AccessLine;
use broadgauge_probes::probe::Binding;
use jiff::tz::TimeZone;
use serde::Deserialize;
use std::net::IpAddr;

/// As written.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LineSection {
    /// The line's name, unique among all operators.
    pub line_id: String,
    /// Who sells the line.
    pub operator: String,
    /// City, county or province.
    pub region: Option<String>,
    /// A smaller place.
    pub area: Option<String>,
    /// The network element that the line hangs on.
    pub node: Option<String>,
    /// `fttp`, `fttc`, `cable`, `adsl`…
    pub technology: Option<String>,
    /// The product sold.
    pub plan: Option<String>,
    /// The customer segment.
    pub segment: Option<String>,
    /// IANA time zone; UTC where left out.
    pub zone: Option<String>,
    /// Through which network interface packets of this line leave.
    pub interface: Option<String>,
    /// From which source address.
    pub source: Option<IpAddr>,
    /// With which differentiated-services code point.
    pub dscp: Option<u8>,
}

/// As relied on.
#[derive(Clone, Debug)]
pub struct VantageLine {
    /// What a collector is told.
    pub line: AccessLine,
    /// The door.
    pub binding: Binding,
    /// The zone of its calendar.
    pub zone: TimeZone,
}

impl LineSection {
    pub(super) fn check(self) -> Result<VantageLine, Wrong> {
        let zone = match &self.zone {
            None => TimeZone::UTC,
            Some(name) => TimeZone::get(name).map_err(|_| {
                Wrong::new("zone", format!("{name:?} is not an IANA time zone; write it as Europe/London"))
            })?,
        };
        if self.dscp.is_some_and(|dscp| dscp > 63) {
            return Err(Wrong::new("dscp", "is above 63; a code point has six bits"));
        }
        let line = AccessLine {
            line_id: named("line_id", self.line_id)?,
            operator: named("operator", self.operator)?,
            region: self.region,
            area: self.area,
            node: self.node,
            technology: self.technology,
            plan: self.plan,
            segment: self.segment,
            zone: self.zone,
            ..AccessLine::default()
        };
        let binding = Binding { interface: self.interface, source: self.source, dscp: self.dscp };
        Ok(VantageLine { line, binding, zone })
    }
}
