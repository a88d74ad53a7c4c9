//! What the kernel knows about a TCP connection (`TCP_INFO`, Linux).
//!
//! The structure grew over the years. The kernel says how many bytes it filled in, and a field beyond that length
//! is unknown here, never zero. Counters of a sender (retransmissions, delivery rate) say little at a
//! receiver; read both ends.

#![expect(unsafe_code, reason = "no safe wrapper of getsockopt reports the length that the kernel returned")]

use serde::{Deserialize, Serialize};
use std::io;
use std::mem::offset_of;
use std::os::fd::{AsFd, AsRawFd};

/// The fields worth keeping. Unknown is `None`: the kernel is older than the field.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TcpInfo {
    /// Smoothed round-trip delay.
    pub rtt_us: Option<u32>,
    /// Its mean deviation.
    pub rtt_variation_us: Option<u32>,
    /// The smallest round-trip delay in the kernel's window (five minutes).
    pub min_rtt_us: Option<u32>,
    /// Segments sent again.
    pub retransmitted_segments: Option<u32>,
    /// Payload sent again.
    pub retransmitted_bytes: Option<u64>,
    /// Payload sent, retransmissions included.
    pub sent_bytes: Option<u64>,
    /// Payload that the far end has acknowledged.
    pub acked_bytes: Option<u64>,
    /// Segments that the far end has, but behind a gap: they are not acknowledged yet.
    pub sacked_segments: Option<u32>,
    /// Payload received in order.
    pub received_bytes: Option<u64>,
    /// The most recent delivery rate.
    pub delivery_rate_bps: Option<u64>,
    /// How long the sender had data under way.
    pub busy_us: Option<u64>,
    /// How long the receiver's window held the sender back.
    pub limited_by_receiver_us: Option<u64>,
    /// How long the send buffer held the sender back.
    pub limited_by_send_buffer_us: Option<u64>,
    /// Segments that arrived out of order.
    pub out_of_order_segments: Option<u32>,
    /// Largest payload of a segment.
    pub segment_bytes: Option<u32>,
}

impl TcpInfo {
    /// Payload that the far end has, in order or not. What waits behind a gap has crossed the line when it did, not when
    /// the gap was filled.
    pub fn delivered_bytes(&self) -> Option<u64> {
        let behind = self.sacked_segments.zip(self.segment_bytes);
        let behind = behind.map_or(0, |(segments, bytes)| u64::from(segments) * u64::from(bytes));
        self.acked_bytes.map(|acked| acked.saturating_add(behind))
    }
}

/// Asks the kernel.
pub fn tcp_info(socket: &impl AsFd) -> io::Result<TcpInfo> {
    let mut bytes = [0_u8; 512];
    Ok(read(option(socket, libc::IPPROTO_TCP, libc::TCP_INFO, &mut bytes)?))
}

/// Memory that the kernel holds for what arrived and was not read (`SO_MEMINFO`, Linux 4.12): on a socket that has just
/// been read empty, the segments that wait behind a gap, each with its overhead. `None` where the kernel does not say.
pub fn waiting(socket: &impl AsFd) -> Option<u64> {
    let mut bytes = [0_u8; 64];
    let filled = option(socket, libc::SOL_SOCKET, libc::SO_MEMINFO, &mut bytes).ok()?;
    // The first word is SK_MEMINFO_RMEM_ALLOC.
    filled.get(..4)?.try_into().ok().map(u32::from_ne_bytes).map(u64::from)
}

/// Payload that waits behind gaps on a socket that has just been read empty. It is no more than the memory that is held,
/// which has each segment's overhead in it, and no more than the segments that came carry beyond what came in order; the
/// latter counts what came twice for the whole life of the connection, the former does not.
pub fn behind_gaps(socket: &impl AsFd) -> Option<u64> {
    let held = waiting(socket)?;
    if held == 0 {
        return Some(0);
    }
    let mut bytes = [0_u8; 512];
    let filled = option(socket, libc::IPPROTO_TCP, libc::TCP_INFO, &mut bytes).ok()?;
    Some(held.min(beyond_order(filled).unwrap_or(held)))
}

/// What segments carry beyond what came in order, each as large as the largest; Linux 4.6.
fn beyond_order(filled: &[u8]) -> Option<u64> {
    let word = |at: usize| filled.get(at..at + 4)?.try_into().ok().map(u32::from_ne_bytes).map(u64::from);
    let segments = word(offset_of!(libc::tcp_info, tcpi_data_segs_in))?;
    let largest = word(offset_of!(libc::tcp_info, tcpi_rcv_mss))?;
    Some((segments * largest).saturating_sub(read(filled).received_bytes?))
}

/// Packets that arrived and found no room in the socket's buffer (`SO_MEMINFO`, the count of `SO_RXQ_OVFL`): lost in this
/// machine, not on the line.
pub fn dropped(socket: &impl AsFd) -> Option<u64> {
    let mut bytes = [0_u8; 64];
    let filled = option(socket, libc::SOL_SOCKET, libc::SO_MEMINFO, &mut bytes).ok()?;
    // The ninth word is SK_MEMINFO_DROPS.
    filled.get(32..36)?.try_into().ok().map(u32::from_ne_bytes).map(u64::from)
}

/// Reads a socket option: as many bytes as the kernel has, and there is room for.
pub(super) fn option<'a>(
    socket: &impl AsFd,
    level: libc::c_int,
    name: libc::c_int,
    bytes: &'a mut [u8],
) -> io::Result<&'a [u8]> {
    let mut length = bytes.len() as libc::socklen_t;
    // SAFETY: the pointers are to `bytes` and `length`, which live through the call, and `length` is the size of
    // `bytes`, so the kernel writes inside them. Every byte pattern is valid there.
    let failed = unsafe {
        libc::getsockopt(socket.as_fd().as_raw_fd(), level, name, bytes.as_mut_ptr().cast(), &raw mut length)
    };
    if failed != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(&bytes[..(length as usize).min(bytes.len())])
}

/// Reads what the kernel filled in.
fn read(filled: &[u8]) -> TcpInfo {
    let word = |at: usize| filled.get(at..at + 4).and_then(|b| b.try_into().ok()).map(u32::from_ne_bytes);
    let long = |at: usize| filled.get(at..at + 8).and_then(|b| b.try_into().ok()).map(u64::from_ne_bytes);
    TcpInfo {
        rtt_us: word(offset_of!(libc::tcp_info, tcpi_rtt)).filter(|&us| us > 0),
        rtt_variation_us: word(offset_of!(libc::tcp_info, tcpi_rttvar)),
        // The kernel says ~0 while it has no sample.
        min_rtt_us: word(offset_of!(libc::tcp_info, tcpi_min_rtt)).filter(|&us| us > 0 && us < u32::MAX),
        retransmitted_segments: word(offset_of!(libc::tcp_info, tcpi_total_retrans)),
        retransmitted_bytes: long(offset_of!(libc::tcp_info, tcpi_bytes_retrans)),
        sent_bytes: long(offset_of!(libc::tcp_info, tcpi_bytes_sent)),
        acked_bytes: long(offset_of!(libc::tcp_info, tcpi_bytes_acked)),
        sacked_segments: word(offset_of!(libc::tcp_info, tcpi_sacked)),
        received_bytes: long(offset_of!(libc::tcp_info, tcpi_bytes_received)),
        delivery_rate_bps: long(offset_of!(libc::tcp_info, tcpi_delivery_rate)).map(|bytes| bytes * 8),
        busy_us: long(offset_of!(libc::tcp_info, tcpi_busy_time)),
        limited_by_receiver_us: long(offset_of!(libc::tcp_info, tcpi_rwnd_limited)),
        limited_by_send_buffer_us: long(offset_of!(libc::tcp_info, tcpi_sndbuf_limited)),
        out_of_order_segments: word(offset_of!(libc::tcp_info, tcpi_rcv_ooopack)),
        segment_bytes: word(offset_of!(libc::tcp_info, tcpi_snd_mss)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::{Read, Write};

    #[test]
    fn fields_beyond_what_the_kernel_filled_in_are_unknown() {
        let filled = [1_u8; 512];
        let old = read(&filled[..104]);
        assert_eq!(old.retransmitted_segments, Some(0x0101_0101));
        assert_eq!((old.min_rtt_us, old.delivery_rate_bps, old.retransmitted_bytes), (None, None, None));
        assert_eq!(read(&filled[..151]).min_rtt_us, None, "half a field is no field");
        assert_eq!(read(&filled[..152]).min_rtt_us, Some(0x0101_0101));
        assert_eq!(read(&[]), TcpInfo::default());
    }

    #[test]
    fn what_waits_behind_a_gap_is_delivered_though_not_acknowledged() {
        let info = TcpInfo {
            acked_bytes: Some(10_000),
            sacked_segments: Some(3),
            segment_bytes: Some(1_448),
            ..TcpInfo::default()
        };
        assert_eq!(info.delivered_bytes(), Some(14_344));
        assert_eq!(TcpInfo { sacked_segments: None, ..info }.delivered_bytes(), Some(10_000));
        assert_eq!(TcpInfo { acked_bytes: None, ..info }.delivered_bytes(), None);
    }

    #[test]
    fn the_offsets_are_those_of_the_kernels_interface() {
        // include/uapi/linux/tcp.h of Linux 6.12.
        assert_eq!(offset_of!(libc::tcp_info, tcpi_rtt), 68);
        assert_eq!(offset_of!(libc::tcp_info, tcpi_total_retrans), 100);
        assert_eq!(offset_of!(libc::tcp_info, tcpi_bytes_acked), 120);
        assert_eq!(offset_of!(libc::tcp_info, tcpi_bytes_received), 128);
        assert_eq!(offset_of!(libc::tcp_info, tcpi_min_rtt), 148);
        assert_eq!(offset_of!(libc::tcp_info, tcpi_delivery_rate), 160);
        assert_eq!(offset_of!(libc::tcp_info, tcpi_bytes_retrans), 208);
        assert_eq!(offset_of!(libc::tcp_info, tcpi_rcv_ooopack), 224);
    }

    #[test]
    fn a_live_connection_counts_its_payload() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let mut client = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (mut server, _) = listener.accept().unwrap();
        client.write_all(b"twelve bytes").unwrap();
        server.read_exact(&mut [0; 12]).unwrap();
        let info = tcp_info(&server).unwrap();
        assert_eq!(info.received_bytes.unwrap_or(12), 12);
        assert!(tcp_info(&client).unwrap().rtt_us.is_some(), "the handshake is a sample");
    }

    #[test]
    fn what_arrived_and_was_not_read_waits_in_memory() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let mut client = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (mut server, _) = listener.accept().unwrap();
        client.write_all(&[1; 1_000]).unwrap();
        server.peek(&mut [0; 1]).unwrap();
        assert!(waiting(&server).is_none_or(|bytes| bytes >= 1_000));
        server.read_exact(&mut [0; 1_000]).unwrap();
        assert_eq!(waiting(&server).unwrap_or(0), 0);
    }

    #[test]
    fn what_waits_behind_a_gap_is_no_more_than_the_segments_that_came_carry() {
        let mut filled = [0_u8; 232];
        let mut put = |at: usize, bytes: &[u8]| filled[at..at + bytes.len()].copy_from_slice(bytes);
        put(offset_of!(libc::tcp_info, tcpi_data_segs_in), &10_u32.to_ne_bytes());
        put(offset_of!(libc::tcp_info, tcpi_rcv_mss), &1_448_u32.to_ne_bytes());
        put(offset_of!(libc::tcp_info, tcpi_bytes_received), &(7 * 1_448_u64).to_ne_bytes());
        assert_eq!(beyond_order(&filled), Some(3 * 1_448));
        assert_eq!(beyond_order(&filled[..140]), None, "the kernel is older than the count");
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        assert!(behind_gaps(&listener).is_none_or(|bytes| bytes == 0));
    }

    #[test]
    fn a_socket_of_another_kind_is_an_error() {
        assert!(tcp_info(&std::net::UdpSocket::bind("127.0.0.1:0").unwrap()).is_err());
    }
}
