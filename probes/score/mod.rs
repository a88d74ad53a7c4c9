//! What samples mean to somebody who uses the line: scores and grades, as pure functions.
//!
//! - [`voice`]: how a call would sound, R and MOS by the E-model (ITU-T G.107);
//! - [`outcome`]: how near the line comes to what an application needs (draft-ietf-ippm-qoo);
//! - [`bufferbloat`]: how far a load lifts the delay, and the grades that several sites would give for it;
//! - [`aim`]: the points of Cloudflare's speed test;
//! - [`jitter`]: the interarrival jitter of RTP (RFC 3550);
//! - [`tcp`]: what RFC 6349 makes of a transfer.
//!
//! [`of`] applies those that a measurement's samples suffice for, and says of the others why they are declined. Every
//! table of thresholds is data in `data/`, with its source and date. A score is a view on a measurement: the delay and
//! the loss are what was observed, and are what operators should be compared by first.

pub mod aim;
mod answer;
pub mod bufferbloat;
pub mod interval;
pub mod jitter;
pub mod outcome;
mod scored;
pub mod tcp;
pub mod voice;

pub use answer::{Declined, Estimate};
pub use scored::{Score, Scored, of};
