//! Sockets of this machine, with the kernel's timestamps.
//!
//! `SO_TIMESTAMPING` (Linux, Documentation/networking/timestamping.rst) in software, both ways. A transmit stamp comes
//! back on the socket's error queue with the number of the send (`OPT_ID`), without the packet (`OPT_TSONLY`).
//! Waiting is `ppoll` with the thread's timer slack at its least, so that slots are met.

use super::stamp::{of_arrivals, read_both, stamp_of};
use super::{
    ClockState, Connection, Datagrams, End, Inbox, Listener, Marks, Net, NetError, Now, Outgoing, Packet,
    Protocol, Report, Wanted, Wire, sys,
};
use crate::codec::icmp::Version;
use crate::codec::icmp_error::Trouble;
use crate::tcp::ConnectError;
use async_trait::async_trait;
use broadgauge_model::clock::{Clock, Mono, Span};
use nix::cmsg_space;
use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, ppoll};
use nix::sys::socket::{
    ControlMessage, ControlMessageOwned, MsgFlags, SockaddrStorage, TimestampingFlag, Timestamps, recvmsg,
    sendmsg, setsockopt, sockopt,
};
use nix::sys::time::TimeSpec;
use socket2::{Domain, SockAddr, Socket, Type};
use std::cell::RefCell;
use std::collections::VecDeque;
use std::io::{self, IoSlice, IoSliceMut};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::sync::Arc;

/// What this machine's clock says of itself now.
pub fn clock_state() -> ClockState {
    sys::clock_state()
}

/// Packets handed over before the session is asked again.
const BATCH: usize = 64;
/// Sends whose transmit stamp may still come.
const OUTSTANDING: usize = 4096;
const RECEIVE_BUFFER: usize = 4 << 20;
/// The longest datagram.
const LONGEST: usize = 1 << 16;

thread_local! {
    /// Where packets are put before they are handed over: one for all sockets of a thread.
    static BUFFER: RefCell<Vec<u8>> = RefCell::new(vec![0; LONGEST]);
}

/// This machine's network.
#[derive(Clone)]
pub struct RealNet {
    clock: Arc<dyn Clock>,
}

impl RealNet {
    /// With the clock that results are told in.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock }
    }
}

#[async_trait]
impl Net for RealNet {
    fn datagrams(&self, wanted: &Wanted) -> Result<Box<dyn Datagrams>, NetError> {
        let (socket, raw) = open(wanted)?;
        set_up(&socket, wanted)?;
        let local = socket
            .local_addr()
            .map_err(refused("read the socket's own address"))?
            .as_socket()
            .unwrap_or(SocketAddr::new(IpAddr::V4(Ipv4Addr::UNSPECIFIED), 0));
        let flags = stamps_of(wanted.transmit_stamps);
        setsockopt(&socket, sockopt::Timestamping, &flags)
            .map_err(|e| refused("ask for timestamps")(e.into()))?;
        Ok(Box::new(RealSocket {
            clock: Arc::clone(&self.clock),
            peer: wanted.end,
            transmit_stamps: wanted.transmit_stamps,
            reports: wanted.reports,
            outstanding: VecDeque::new(),
            sends: 0,
            unreachable: None,
            control: cmsg_space!(
                Timestamps,
                libc::in6_pktinfo,
                libc::c_int,
                libc::c_int,
                libc::sock_extended_err,
                libc::sockaddr_in6
            ),
            waited: false,
            socket,
            local,
            raw,
        }))
    }

    async fn connect(&self, wanted: &Connection<'_>, within: Span) -> Result<Wire, ConnectError> {
        wanted.make(within).await
    }

    fn listen(&self, at: SocketAddr) -> io::Result<Listener> {
        Listener::at(at)
    }
}

fn refused(what: impl Into<String>) -> impl FnOnce(io::Error) -> NetError {
    let what = what.into();
    move |source| NetError::Socket { what, source }
}

fn stamps_of(transmit: bool) -> TimestampingFlag {
    if transmit {
        of_arrivals()
            | TimestampingFlag::SOF_TIMESTAMPING_TX_SOFTWARE
            | TimestampingFlag::SOF_TIMESTAMPING_OPT_ID
            | TimestampingFlag::SOF_TIMESTAMPING_OPT_TSONLY
    } else {
        of_arrivals()
    }
}

/// The socket, and whether it is raw. ICMP goes by datagram socket where `ping_group_range` lets it, else by raw
/// socket where the process may.
fn open(wanted: &Wanted) -> Result<(Socket, bool), NetError> {
    let four = wanted.end.address().is_ipv4();
    let domain = if four { Domain::IPV4 } else { Domain::IPV6 };
    match wanted.protocol {
        Protocol::Udp => Socket::new(domain, Type::DGRAM, Some(socket2::Protocol::UDP))
            .map(|socket| (socket, false))
            .map_err(refused("open a UDP socket")),
        Protocol::Icmp => {
            let icmp = if four { socket2::Protocol::ICMPV4 } else { socket2::Protocol::ICMPV6 };
            Socket::new(domain, Type::DGRAM, Some(icmp)).map(|socket| (socket, false)).or_else(|datagram| {
                Socket::new(domain, Type::RAW, Some(icmp))
                    .map(|socket| (socket, true))
                    .map_err(|raw| NetError::IcmpForbidden { datagram, raw })
            })
        }
    }
}

fn set_up(socket: &Socket, wanted: &Wanted) -> Result<(), NetError> {
    let four = wanted.end.address().is_ipv4();
    socket.set_nonblocking(true).map_err(refused("make a socket non-blocking"))?;
    // The system caps this at its own limit; a smaller buffer only drops earlier.
    if let Err(why) = socket.set_recv_buffer_size(RECEIVE_BUFFER) {
        tracing::debug!(error = %why, "receive buffer left as it is");
    }
    if let Some(interface) = &wanted.binding.interface {
        socket
            .bind_device(Some(interface.as_bytes()))
            .map_err(refused(format!("bind to interface {interface}")))?;
    }
    if let Some(dscp) = wanted.binding.dscp {
        let octet = u32::from(dscp) << 2;
        let set = if four { socket.set_tos_v4(octet) } else { socket.set_tclass_v6(octet) };
        set.map_err(refused(format!("set DSCP {dscp}")))?;
    }
    if let Some(ttl) = wanted.ttl {
        let set = if four { socket.set_ttl_v4(ttl.into()) } else { socket.set_unicast_hops_v6(ttl.into()) };
        set.map_err(refused(format!("set TTL {ttl}")))?;
    }
    let told = if four {
        setsockopt(socket, sockopt::Ipv4RecvTtl, &true)
            .and_then(|()| setsockopt(socket, sockopt::IpRecvTos, &true))
            .and_then(|()| setsockopt(socket, sockopt::Ipv4PacketInfo, &true))
    } else {
        setsockopt(socket, sockopt::Ipv6RecvHopLimit, &true)
            .and_then(|()| setsockopt(socket, sockopt::Ipv6RecvTClass, &true))
            .and_then(|()| setsockopt(socket, sockopt::Ipv6RecvPacketInfo, &true))
    };
    told.map_err(|e| refused("ask for each packet's TTL, class and address")(e.into()))?;
    if wanted.reports {
        let told = if four {
            setsockopt(socket, sockopt::Ipv4RecvErr, &true)
        } else {
            setsockopt(socket, sockopt::Ipv6RecvErr, &true)
        };
        told.map_err(|e| refused("ask for ICMP errors")(e.into()))?;
    }
    match wanted.end {
        End::At(address) => {
            if !four {
                socket.set_only_v6(true).map_err(refused("keep IPv4 out of an IPv6 socket"))?;
            }
            socket.bind(&address.into()).map_err(refused(format!("listen on {address}")))
        }
        End::To(address) => {
            if let Some(source) = wanted.binding.source {
                let source = SocketAddr::new(source, 0);
                socket
                    .bind(&source.into())
                    .map_err(refused(format!("bind to source address {}", source.ip())))?;
            }
            socket.connect(&SockAddr::from(address)).map_err(refused(format!("reach {address}")))
        }
    }
}

#[expect(
    clippy::struct_excessive_bools,
    reason = "facts of a socket that have nothing to do with each other"
)]
struct RealSocket {
    socket: Socket,
    clock: Arc<dyn Clock>,
    local: SocketAddr,
    peer: End,
    raw: bool,
    transmit_stamps: bool,
    reports: bool,
    /// The kernel's number of each send, and the sender's.
    outstanding: VecDeque<(u32, u64)>,
    sends: u32,
    unreachable: Option<io::ErrorKind>,
    control: Vec<u8>,
    waited: bool,
}

impl Datagrams for RealSocket {
    fn now(&self) -> Now {
        read_both(&*self.clock)
    }

    fn clock_state(&self) -> ClockState {
        sys::clock_state()
    }

    fn local(&self) -> SocketAddr {
        self.local
    }

    fn is_raw(&self) -> bool {
        self.raw
    }

    fn send(&mut self, packet: &Outgoing<'_>) -> io::Result<()> {
        if self.reports {
            // An ICMP error fails the next call, whatever that is. What it says comes by the error queue.
            self.socket.take_error()?;
        }
        let mut sent = self.send_once(packet);
        if let Err(why) = &sent
            && matches!(why.kind(), io::ErrorKind::ConnectionRefused | io::ErrorKind::HostUnreachable)
        {
            // The news is of an earlier packet; hearing it has kept this one back.
            self.unreachable = Some(why.kind());
            sent = self.send_once(packet);
        }
        if sent.is_err() {
            self.count_sends_anew()?;
        } else if self.transmit_stamps {
            if self.outstanding.len() == OUTSTANDING {
                self.outstanding.pop_front();
            }
            self.outstanding.push_back((self.sends, packet.id));
            self.sends = self.sends.wrapping_add(1);
        }
        sent
    }

    fn descriptor(&self) -> Option<BorrowedFd<'_>> {
        Some(self.socket.as_fd())
    }

    fn take_in(&mut self, inbox: &mut dyn Inbox) -> io::Result<()> {
        if let Some(why) = self.unreachable.take() {
            inbox.unreachable(why);
        }
        // Whatever lies on the error queue wakes who waits, until it is taken.
        self.read_errors(inbox)?;
        self.read_packets(inbox).map(drop)
    }

    fn wait(&mut self, until: Mono, inbox: &mut dyn Inbox) -> io::Result<()> {
        if !self.waited {
            self.waited = true;
            // A thread's timers may be 50 microseconds late by default. Slots are late by that much if this fails.
            if let Err(why) = nix::sys::prctl::set_timerslack(1) {
                tracing::debug!(error = %why, "timer slack left as it is");
            }
        }
        if let Some(why) = self.unreachable.take() {
            inbox.unreachable(why);
        }
        if (!self.outstanding.is_empty() || self.reports) && self.read_errors(inbox)? {
            return Ok(());
        }
        loop {
            let left = (until - self.clock.mono()).to_std();
            let mut fds = [PollFd::new(self.socket.as_fd(), PollFlags::POLLIN)];
            match ppoll(&mut fds, Some(TimeSpec::from_duration(left)), None) {
                Ok(0) => return Ok(()),
                Ok(_) => {}
                Err(Errno::EINTR) => continue,
                Err(why) => return Err(why.into()),
            }
            let ready = fds[0].revents().unwrap_or(PollFlags::empty());
            if ready.contains(PollFlags::POLLNVAL) {
                return Err(io::ErrorKind::NotConnected.into());
            }
            let reported = ready.contains(PollFlags::POLLERR) && self.read_errors(inbox)?;
            if self.read_packets(inbox)? > 0 || reported {
                return Ok(());
            }
        }
    }
}

impl RealSocket {
    fn send_once(&self, packet: &Outgoing<'_>) -> io::Result<()> {
        if packet.to.is_none() && packet.marks == Marks::default() {
            return self.socket.send(packet.bytes).map(drop);
        }
        let four = self.peer.address().is_ipv4();
        let (info4, info6);
        let mut controls = Vec::with_capacity(3);
        match packet.to.and_then(|(_, from)| from) {
            Some(IpAddr::V4(from)) => {
                info4 = libc::in_pktinfo {
                    ipi_ifindex: 0,
                    ipi_spec_dst: libc::in_addr { s_addr: u32::from_ne_bytes(from.octets()) },
                    ipi_addr: libc::in_addr { s_addr: 0 },
                };
                controls.push(ControlMessage::Ipv4PacketInfo(&info4));
            }
            Some(IpAddr::V6(from)) => {
                info6 = libc::in6_pktinfo {
                    ipi6_addr: libc::in6_addr { s6_addr: from.octets() },
                    ipi6_ifindex: 0,
                };
                controls.push(ControlMessage::Ipv6PacketInfo(&info6));
            }
            None => {}
        }
        let ttl = packet.marks.ttl.map(i32::from);
        if let Some(ttl) = &ttl {
            controls.push(if four {
                ControlMessage::Ipv4Ttl(ttl)
            } else {
                ControlMessage::Ipv6HopLimit(ttl)
            });
        }
        let octet = packet.marks.dscp.map(|dscp| dscp << 2);
        let class = octet.map(i32::from);
        if let (Some(octet), Some(class)) = (&octet, &class) {
            controls.push(if four {
                ControlMessage::Ipv4Tos(octet)
            } else {
                ControlMessage::Ipv6TClass(class)
            });
        }
        let iov = [IoSlice::new(packet.bytes)];
        let to = packet.to.map(|(to, _)| SockaddrStorage::from(to));
        sendmsg(self.socket.as_raw_fd(), &iov, &controls, MsgFlags::empty(), to.as_ref())
            .map(drop)
            .map_err(io::Error::from)
    }

    /// Whether a failed send has taken a number differs between kernels, so both sides start again from zero.
    fn count_sends_anew(&mut self) -> io::Result<()> {
        if self.transmit_stamps {
            setsockopt(&self.socket, sockopt::Timestamping, &stamps_of(false))?;
            setsockopt(&self.socket, sockopt::Timestamping, &stamps_of(true))?;
            self.outstanding.clear();
            self.sends = 0;
        }
        Ok(())
    }

    /// Empties the error queue: transmit stamps, and what ICMP says. Whether ICMP said something.
    fn read_errors(&mut self, inbox: &mut dyn Inbox) -> io::Result<bool> {
        BUFFER.with_borrow_mut(|buffer| self.errors_into(buffer, inbox))
    }

    fn errors_into(&mut self, buffer: &mut [u8], inbox: &mut dyn Inbox) -> io::Result<bool> {
        let flags = MsgFlags::MSG_ERRQUEUE | MsgFlags::MSG_DONTWAIT;
        let mut reported = false;
        for _ in 0..BATCH {
            let mut iov = [IoSliceMut::new(buffer)];
            let message = match recvmsg::<SockaddrStorage>(
                self.socket.as_raw_fd(),
                &mut iov,
                Some(&mut self.control),
                flags,
            ) {
                Ok(message) => message,
                Err(Errno::EAGAIN | Errno::EINTR) => return Ok(reported),
                Err(why) => return Err(why.into()),
            };
            let now = read_both(&*self.clock);
            let (mut stamp, mut ttl, mut error, mut from) = (None, None, None, None);
            for control in message.cmsgs()? {
                match control {
                    ControlMessageOwned::ScmTimestampsns(stamps) => stamp = stamp_of(&stamps),
                    ControlMessageOwned::Ipv4Ttl(left) | ControlMessageOwned::Ipv6HopLimit(left) => {
                        ttl = u8::try_from(left).ok();
                    }
                    ControlMessageOwned::Ipv4RecvErr(what, offender) => {
                        error = Some(what);
                        from = offender.map(|a| IpAddr::V4(a.sin_addr.s_addr.to_ne_bytes().into()));
                    }
                    ControlMessageOwned::Ipv6RecvErr(what, offender) => {
                        error = Some(what);
                        from = offender.map(|a| IpAddr::V6(a.sin6_addr.s6_addr.into()));
                    }
                    _ => {}
                }
            }
            let Some(error) = error else { continue };
            let length = message.bytes;
            let version = match error.ee_origin {
                libc::SO_EE_ORIGIN_TIMESTAMPING => {
                    let left = stamp.and_then(|stamp| self.stamped(error.ee_data).map(|id| (id, stamp)));
                    if let Some((id, stamp)) = left {
                        inbox.transmitted(id, stamp);
                    }
                    // Another call to find the queue empty would cost each packet one more.
                    if self.outstanding.is_empty() && !self.reports {
                        return Ok(reported);
                    }
                    continue;
                }
                libc::SO_EE_ORIGIN_ICMP => Version::V4,
                libc::SO_EE_ORIGIN_ICMP6 => Version::V6,
                _ => continue,
            };
            let trouble = Trouble::of(version, error.ee_type, error.ee_code);
            if let (true, Some(trouble), Some(from)) = (self.reports, trouble, from) {
                let quoted = &buffer[..length];
                inbox.reported(&Report { from, trouble, quoted, now, kernel: stamp, ttl });
                reported = true;
            }
        }
        Ok(reported)
    }

    /// Whose stamp this number is. Stamps come in the order of sending; those that never came are dropped on the way.
    fn stamped(&mut self, number: u32) -> Option<u64> {
        while let Some(&(sent, id)) = self.outstanding.front() {
            let ahead = number.wrapping_sub(sent) as i32;
            if ahead < 0 {
                break;
            }
            self.outstanding.pop_front();
            if ahead == 0 {
                return Some(id);
            }
        }
        None
    }

    /// Hands over what has arrived, and says how much that was.
    fn read_packets(&mut self, inbox: &mut dyn Inbox) -> io::Result<usize> {
        BUFFER.with_borrow_mut(|buffer| self.packets_into(buffer, inbox))
    }

    fn packets_into(&mut self, buffer: &mut [u8], inbox: &mut dyn Inbox) -> io::Result<usize> {
        for told in 0..BATCH {
            let mut iov = [IoSliceMut::new(buffer)];
            let message = match recvmsg::<SockaddrStorage>(
                self.socket.as_raw_fd(),
                &mut iov,
                Some(&mut self.control),
                MsgFlags::MSG_DONTWAIT,
            ) {
                Ok(message) => message,
                Err(Errno::EAGAIN | Errno::EINTR) => return Ok(told),
                Err(why) => {
                    let why = io::Error::from(why);
                    match why.kind() {
                        // What ICMP says, whatever it is, came by the error queue.
                        _ if self.reports => continue,
                        io::ErrorKind::ConnectionRefused
                        | io::ErrorKind::HostUnreachable
                        | io::ErrorKind::NetworkUnreachable => {
                            inbox.unreachable(why.kind());
                            continue;
                        }
                        _ => return Err(why),
                    }
                }
            };
            let now = read_both(&*self.clock);
            let (mut kernel, mut ttl, mut class, mut to) = (None, None, None, None);
            for control in message.cmsgs()? {
                match control {
                    ControlMessageOwned::ScmTimestampsns(stamps) => kernel = stamp_of(&stamps),
                    ControlMessageOwned::Ipv4Ttl(left) | ControlMessageOwned::Ipv6HopLimit(left) => {
                        ttl = u8::try_from(left).ok();
                    }
                    ControlMessageOwned::Ipv4Tos(octet) => class = Some(octet),
                    ControlMessageOwned::Ipv6TClass(octet) => class = u8::try_from(octet).ok(),
                    ControlMessageOwned::Ipv4PacketInfo(info) => {
                        to = Some(IpAddr::V4(Ipv4Addr::from(info.ipi_addr.s_addr.to_ne_bytes())));
                    }
                    ControlMessageOwned::Ipv6PacketInfo(info) => {
                        to = Some(IpAddr::V6(Ipv6Addr::from(info.ipi6_addr.s6_addr)));
                    }
                    _ => {}
                }
            }
            let from = message.address.as_ref().and_then(address_of).unwrap_or(self.peer.address());
            let length = message.bytes;
            inbox.received(&Packet { bytes: &buffer[..length], from, to, now, kernel, ttl, class });
        }
        Ok(BATCH)
    }
}

fn address_of(address: &SockaddrStorage) -> Option<SocketAddr> {
    match (address.as_sockaddr_in(), address.as_sockaddr_in6()) {
        (Some(&four), _) => Some(SocketAddr::V4(four.into())),
        (_, Some(&six)) => Some(SocketAddr::V6(six.into())),
        _ => None,
    }
}
