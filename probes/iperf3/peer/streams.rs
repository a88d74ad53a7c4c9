//! The data streams of a test as the server gets them: TCP connections that show the cookie, or UDP ports that announce
//! themselves.

use super::Joined;
use crate::codec::iperf3::{Parameters, UDP_HELLO, UDP_WELCOME};
use crate::iperf3::udp::buffers;
use crate::peer::guests::Guest;
use crate::tcp::pacing::pace;
use crate::throughput::lanes::Lanes;
use socket2::{Domain, Socket, Type};
use std::io;
use std::net::{IpAddr, SocketAddr};
use tokio::net::UdpSocket;
use tokio::sync::mpsc;

/// What clients before 3.13 send on a new UDP stream.
const HELLO_OLD: [u8; 4] = [0x15, 0xcd, 0x5b, 0x07];

/// The streams of a test, in the order in which they were opened.
pub(super) struct Streams {
    pub(super) lanes: Lanes,
    pub(super) guests: Vec<Guest>,
}

/// So many TCP connections.
pub(super) async fn by_tcp(
    joined: &mut mpsc::Receiver<Joined>,
    count: usize,
    wish: &Parameters,
) -> io::Result<Streams> {
    let mut all = Vec::with_capacity(count);
    while all.len() < count {
        all.push(joined.recv().await.ok_or(io::ErrorKind::NotConnected)?);
    }
    all.sort_unstable_by_key(|one| one.number);
    let (mut wires, mut guests) = (Vec::new(), Vec::new());
    for Joined { stream, guest, .. } in all {
        if let Some(socket) = stream.socket() {
            set_up(&socket, wish);
        }
        wires.push(stream);
        guests.push(guest);
    }
    Ok(Streams { lanes: Lanes::of(wires)?, guests })
}

/// Does as the client wishes where the system lets us, as iperf3 does: results say which congestion control was used.
fn set_up(socket: &Socket, wish: &Parameters) {
    let bytes = wish.window_bytes.min(64 << 20) as usize;
    let tried = [
        socket.set_tcp_nodelay(wish.no_delay),
        if bytes > 0 { socket.set_send_buffer_size(bytes) } else { Ok(()) },
        if bytes > 0 { socket.set_recv_buffer_size(bytes) } else { Ok(()) },
        wish.congestion.as_ref().map_or(Ok(()), |name| socket.set_tcp_congestion(name.as_bytes())),
        if wish.bandwidth_bps > 0 { pace(socket, wish.bandwidth_bps) } else { Ok(()) },
        mark(socket, wish),
    ];
    for why in tried.into_iter().filter_map(Result::err) {
        tracing::debug!(error = %why, "a wish of the client left aside");
    }
}

fn mark(socket: &Socket, wish: &Parameters) -> io::Result<()> {
    if wish.tos == 0 || wish.tos > 255 {
        return Ok(());
    }
    let local = socket.local_addr()?;
    if local.is_ipv6() { socket.set_tclass_v6(wish.tos as u32) } else { socket.set_tos_v4(wish.tos as u32) }
}

/// The port that UDP streams announce themselves at: that of the control connection.
pub(super) fn udp_door(local: SocketAddr) -> io::Result<UdpSocket> {
    let socket = Socket::new(Domain::for_address(local), Type::DGRAM.nonblocking(), None)?;
    // One socket for each stream, all at one port: those that are connected hear their own client only.
    socket.set_reuse_address(true)?;
    socket.bind(&local.into())?;
    UdpSocket::from_std(socket.into())
}

/// So many UDP streams from this address. Nobody else is answered, and an answer is as long as what it answers.
pub(super) async fn by_udp(
    mut door: UdpSocket,
    from: IpAddr,
    count: usize,
    wish: &Parameters,
) -> io::Result<Streams> {
    let local = door.local_addr()?;
    let mut sockets = Vec::with_capacity(count);
    while sockets.len() < count {
        let mut hello = [0; 16];
        let (length, address) = door.recv_from(&mut hello).await?;
        let known = [UDP_HELLO, HELLO_OLD].iter().any(|known| hello[..length] == *known);
        if !known || address.ip() != from {
            continue;
        }
        door.connect(address).await?;
        // What strangers sent before the port was bound to one client.
        while door.try_recv(&mut hello).is_ok() {}
        let next = udp_door(local)?;
        door.send(&UDP_WELCOME).await?;
        let socket = Socket::from(std::mem::replace(&mut door, next).into_std()?);
        buffers(&socket, (wish.window_bytes > 0).then_some(wish.window_bytes.min(64 << 20) as u32));
        if let Err(why) = mark(&socket, wish) {
            tracing::debug!(error = %why, "a wish of the client left aside");
        }
        sockets.push(socket);
    }
    Ok(Streams { lanes: Lanes::System(sockets), guests: Vec::new() })
}
