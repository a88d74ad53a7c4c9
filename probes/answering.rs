//! Every answering side that needs no more than a port, one line each: what `broadgauge peer` can serve beside STAMP and
//! `throughput`. A new one is a module with a [`Service`] and a line here.

use crate::peer::service::Service;
use crate::{capacity, iperf3, librespeed, ndt7, responsiveness};

/// Every answering side.
pub static SERVICES: &[&Service] = &[
    &capacity::serve::SERVICE,
    &librespeed::peer::SERVICE,
    &responsiveness::peer::SERVICE,
    &iperf3::peer::SERVICE,
    &ndt7::peer::SERVICE,
];

/// Looks one up by its name.
pub fn find(name: &str) -> Option<&'static Service> {
    SERVICES.iter().copied().find(|service| service.name == name)
}
