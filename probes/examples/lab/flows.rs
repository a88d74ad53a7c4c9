//! What the wire saw of connections: from SYN to SYN-ACK, or from the request to the first byte of the answer.

use super::Outcome;
use super::capture::{Capture, Seen, packets};
use broadgauge_model::clock::{Span, Wall};
use std::collections::BTreeMap;

/// Which part of a connection is timed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Handshake,
    FirstByte,
}

const FIN_SYN: u8 = 0b11;
const ACK: u8 = 0b1_0000;

/// One connection to a server.
#[derive(Default)]
struct Flow {
    syn: Option<Wall>,
    syn_ack: Option<Wall>,
    request: Option<Wall>,
    first_byte: Option<Wall>,
}

impl Flow {
    fn seen(&self, part: Part) -> Seen {
        let (left, arrived) = match part {
            Part::Handshake => (self.syn, self.syn_ack),
            Part::FirstByte => (self.request, self.first_byte),
        };
        Seen { left, arrived: arrived.map(|at| (at, Span::ZERO)).into_iter().collect() }
    }
}

/// The connections to the server's port, numbered in the order of their first SYN.
pub(crate) fn read(part: Part, port: u16, bytes: &[u8]) -> Outcome<Capture> {
    let mut flows: Vec<Flow> = Vec::new();
    let mut numbers: BTreeMap<u16, usize> = BTreeMap::new();
    for (at, ip) in packets(bytes)? {
        if ip.len() < 40 || ip[0] != 0x45 || ip[9] != 6 {
            continue;
        }
        let word = |at: usize| u16::from_be_bytes([ip[at], ip[at + 1]]);
        let (from, to, flags) = (word(20), word(22), ip[33]);
        let payload = word(2).saturating_sub(20 + u16::from(ip[32] >> 4) * 4);
        let client = if to == port { from } else { to };
        let is_syn = flags & (FIN_SYN | ACK) == 0b10;
        if to == port && is_syn && !numbers.contains_key(&client) {
            numbers.insert(client, flows.len());
            flows.push(Flow { syn: Some(at), ..Flow::default() });
        }
        let Some(flow) = numbers.get(&client).map(|number| &mut flows[*number]) else { continue };
        let moment = match (to == port, flags & FIN_SYN == 0b10, payload > 0) {
            (false, true, _) => &mut flow.syn_ack,
            (true, _, true) => &mut flow.request,
            (false, _, true) => &mut flow.first_byte,
            _ => continue,
        };
        moment.get_or_insert(at);
    }
    let probes = (0..).zip(&flows).map(|(number, flow)| ((0, number), flow.seen(part))).collect();
    Ok(Capture { probes, order: Vec::new() })
}
