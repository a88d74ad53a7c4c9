//! Wire formats: pure bytes in, bytes out. No clock, no socket; nothing here panics on what a stranger sends.

pub mod capacity;
pub mod dns;
pub mod icmp;
pub mod icmp_error;
pub mod iperf3;
mod key;
pub mod ndt7;
pub mod ntp;
pub mod stamp;
pub mod stamp_tlv;

/// Reads `N` bytes at `at`, with zeros where the packet ends early: RFC 5357 appendix I (TWAMP Light) senders
/// may leave padding out, and a short packet is then a packet of zeros.
fn bytes_at<const N: usize>(packet: &[u8], at: usize) -> [u8; N] {
    let mut out = [0; N];
    let from = packet.get(at..).unwrap_or_default();
    let n = from.len().min(N);
    out[..n].copy_from_slice(&from[..n]);
    out
}
