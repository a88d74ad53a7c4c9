//! Every field of `TCP_INFO` that this kernel fills in, by the names of the public ndt7 data (m-lab/tcp-info).

use super::info::option;
use std::io;
use std::mem::offset_of;
use std::os::fd::AsFd;

/// Names, where they stand, and how wide they are.
macro_rules! fields {
    ($($name:literal $field:ident $width:literal),* $(,)?) => {
        &[$(($name, offset_of!(libc::tcp_info, $field), $width)),*]
    };
}

const FIELDS: &[(&str, usize, usize)] = fields![
    "State" tcpi_state 1, "CAState" tcpi_ca_state 1, "Retransmits" tcpi_retransmits 1, "Probes" tcpi_probes 1,
    "Backoff" tcpi_backoff 1, "Options" tcpi_options 1, "RTO" tcpi_rto 4, "ATO" tcpi_ato 4,
    "SndMSS" tcpi_snd_mss 4, "RcvMSS" tcpi_rcv_mss 4, "Unacked" tcpi_unacked 4, "Sacked" tcpi_sacked 4,
    "Lost" tcpi_lost 4, "Retrans" tcpi_retrans 4, "Fackets" tcpi_fackets 4, "LastDataSent" tcpi_last_data_sent 4,
    "LastAckSent" tcpi_last_ack_sent 4, "LastDataRecv" tcpi_last_data_recv 4, "LastAckRecv" tcpi_last_ack_recv 4,
    "PMTU" tcpi_pmtu 4, "RcvSsThresh" tcpi_rcv_ssthresh 4, "RTT" tcpi_rtt 4, "RTTVar" tcpi_rttvar 4,
    "SndSsThresh" tcpi_snd_ssthresh 4, "SndCwnd" tcpi_snd_cwnd 4, "AdvMSS" tcpi_advmss 4,
    "Reordering" tcpi_reordering 4, "RcvRTT" tcpi_rcv_rtt 4, "RcvSpace" tcpi_rcv_space 4,
    "TotalRetrans" tcpi_total_retrans 4, "PacingRate" tcpi_pacing_rate 8, "MaxPacingRate" tcpi_max_pacing_rate 8,
    "BytesAcked" tcpi_bytes_acked 8, "BytesReceived" tcpi_bytes_received 8, "SegsOut" tcpi_segs_out 4,
    "SegsIn" tcpi_segs_in 4, "NotsentBytes" tcpi_notsent_bytes 4, "MinRTT" tcpi_min_rtt 4,
    "DataSegsIn" tcpi_data_segs_in 4, "DataSegsOut" tcpi_data_segs_out 4, "DeliveryRate" tcpi_delivery_rate 8,
    "BusyTime" tcpi_busy_time 8, "RWndLimited" tcpi_rwnd_limited 8, "SndBufLimited" tcpi_sndbuf_limited 8,
    "Delivered" tcpi_delivered 4, "DeliveredCE" tcpi_delivered_ce 4, "BytesSent" tcpi_bytes_sent 8,
    "BytesRetrans" tcpi_bytes_retrans 8, "DSackDups" tcpi_dsack_dups 4, "ReordSeen" tcpi_reord_seen 4,
    "RcvOooPack" tcpi_rcv_ooopack 4, "SndWnd" tcpi_snd_wnd 4,
];

/// Names and values.
pub type Named = Vec<(&'static str, u64)>;

/// Asks the kernel for everything.
pub fn every_field(socket: &impl AsFd) -> io::Result<Named> {
    let mut bytes = [0_u8; 512];
    Ok(read(option(socket, libc::IPPROTO_TCP, libc::TCP_INFO, &mut bytes)?))
}

fn read(filled: &[u8]) -> Named {
    let value = |&(name, at, width): &(&'static str, usize, usize)| {
        let mut wide = [0_u8; 8];
        let field = filled.get(at..at + width)?;
        if cfg!(target_endian = "big") {
            wide[8 - width..].copy_from_slice(field);
        } else {
            wide[..width].copy_from_slice(field);
        }
        Some((name, u64::from_ne_bytes(wide)))
    };
    FIELDS.iter().filter_map(value).collect()
}

/// What BBR says of the connection (`TCP_CC_INFO`): bandwidth in bytes a second, its smallest round trip in
/// microseconds, and its gains times 256. Empty under another congestion control.
pub fn bbr(socket: &impl AsFd) -> Named {
    // struct tcp_bbr_info of linux/inet_diag.h: bandwidth low and high, round trip, pacing gain, window gain.
    let mut bytes = [0_u8; 64];
    let is_bbr = socket2::SockRef::from(socket).tcp_congestion().is_ok_and(|name| name.starts_with(b"bbr"));
    let Ok(filled) = option(socket, libc::IPPROTO_TCP, libc::TCP_CC_INFO, &mut bytes) else {
        return Vec::new();
    };
    let word = |at: usize| filled.get(at..at + 4)?.try_into().ok().map(u32::from_ne_bytes).map(u64::from);
    match (word(0), word(4), word(8), word(12), word(16)) {
        (Some(low), Some(high), Some(rtt), Some(pacing), Some(window)) if is_bbr => {
            vec![("BW", high << 32 | low), ("MinRTT", rtt), ("PacingGain", pacing), ("CwndGain", window)]
        }
        _ => Vec::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tcp::info::tcp_info;

    #[test]
    fn a_field_beyond_what_the_kernel_filled_in_is_left_out() {
        assert!(read(&[]).is_empty());
        let old = read(&[1; 104]);
        assert_eq!(old.last(), Some(&("TotalRetrans", 0x0101_0101)));
        assert_eq!(old[0], ("State", 1));
        assert_eq!(read(&[1; 512]).len(), FIELDS.len());
    }

    #[test]
    fn the_names_say_the_same_as_the_figures_of_results() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let client = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let all = every_field(&client).unwrap();
        let value = |name: &str| all.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
        assert_eq!(value("RTT"), tcp_info(&client).unwrap().rtt_us.map(u64::from));
        assert_eq!(value("State"), Some(1), "established");
        let said = bbr(&client);
        assert!(said.is_empty() || said.len() == 4);
    }
}
