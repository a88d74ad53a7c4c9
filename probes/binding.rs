//! Through which door packets leave, and by which version of IP.

use serde::{Deserialize, Serialize};
use std::net::IpAddr;

/// Through which door packets leave.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Binding {
    /// The network interface.
    pub interface: Option<String>,
    /// The source address.
    pub source: Option<IpAddr>,
    /// The differentiated-services code point, 0 to 63.
    pub dscp: Option<u8>,
}

/// An address family.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Family {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}
