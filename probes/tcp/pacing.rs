//! The fastest that the kernel sends on one connection (`SO_MAX_PACING_RATE`, Linux 3.13; for TCP without a special
//! queue since 4.13).

use nix::sys::socket::setsockopt;
use nix::{setsockopt_impl, sockopt_impl};
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

/// Sends no faster than this.
pub fn pace(socket: &impl AsFd, bits_per_second: u64) -> io::Result<()> {
    setsockopt(socket, MaxPacingRate, &(bits_per_second / 8).max(1)).map_err(io::Error::from)
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
