//! The fastest that the kernel sends on one connection (`SO_MAX_PACING_RATE`, Linux 3.13; for TCP without a special
//! queue since 4.13).

use nix::sys::socket::setsockopt;
use nix::{setsockopt_impl, sockopt_impl};
use socket2::SockRef;
use std::io;
use std::os::fd::AsFd;

sockopt_impl!(
    /// In bytes a second.
    MaxPacingRate,
    SetOnly,
    libc::SOL_SOCKET,
    libc::SO_MAX_PACING_RATE,
    u64
);

/// What may be written and not sent yet: at a low rate a whole buffer would be seconds of it, and count as sent.
const UNSENT: u64 = 128 * 1024;

/// Sends no faster than this, and takes little more than it sends: a tenth of a second's worth, and never nothing.
pub fn pace(socket: &impl AsFd, bits_per_second: u64) -> io::Result<()> {
    let bytes = (bits_per_second / 8).max(1);
    let unsent = (bytes / 10).clamp(4_096, UNSENT) as u32;
    SockRef::from(socket).set_tcp_notsent_lowat(unsent)?;
    setsockopt(socket, MaxPacingRate, &bytes).map_err(io::Error::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_is_taken_by_the_kernel() {
        let socket = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        pace(&socket, 20_000_000_000).unwrap();
    }
}
