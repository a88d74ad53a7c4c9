//! TCP connections through a chosen door: interface, source address and DSCP are set before the first packet leaves.

pub mod info;
pub mod linux;
pub mod pacing;

use crate::probe::{Binding, ProbeError};
use broadgauge_model::clock::Span;
use socket2::{Domain, Protocol, Socket, Type};
use std::io;
use std::net::SocketAddr;
use tokio::net::{TcpSocket, TcpStream};

/// A non-blocking TCP socket towards `to`, bound as asked.
pub fn open(to: SocketAddr, binding: &Binding) -> Result<Socket, ProbeError> {
    open_as(to, binding, Type::STREAM, Protocol::TCP, "TCP")
}

/// A non-blocking UDP socket towards `to`, bound as asked: for methods whose payload may go by either.
pub fn open_udp(to: SocketAddr, binding: &Binding) -> Result<Socket, ProbeError> {
    open_as(to, binding, Type::DGRAM, Protocol::UDP, "UDP")
}

fn open_as(
    to: SocketAddr,
    binding: &Binding,
    kind: Type,
    protocol: Protocol,
    name: &str,
) -> Result<Socket, ProbeError> {
    let door = |what: String| move |source: io::Error| refused(&what, source);
    let socket = Socket::new(Domain::for_address(to), kind.nonblocking(), Some(protocol))
        .map_err(door(name.to_owned()))?;
    if let Some(interface) = &binding.interface {
        socket
            .bind_device(Some(interface.as_bytes()))
            .map_err(door(format!("{name} (interface {interface})")))?;
    }
    if let Some(source) = binding.source {
        socket.bind(&SocketAddr::new(source, 0).into()).map_err(door(format!("{name} (source {source})")))?;
    }
    if let Some(dscp) = binding.dscp {
        let octet = u32::from(dscp & 63) << 2;
        if to.is_ipv4() { socket.set_tos_v4(octet) } else { socket.set_tclass_v6(octet) }
            .map_err(door(format!("{name} (DSCP {dscp})")))?;
    }
    Ok(socket)
}

/// Connects a socket of [`open`] within a time.
pub async fn connect(socket: Socket, to: SocketAddr, within: Span) -> io::Result<TcpStream> {
    let connecting = TcpSocket::from_std_stream(socket.into()).connect(to);
    tokio::time::timeout(within.to_std(), connecting).await.map_err(|_| io::ErrorKind::TimedOut)?
}

fn refused(what: &str, source: io::Error) -> ProbeError {
    if source.kind() == io::ErrorKind::PermissionDenied {
        return ProbeError::Forbidden {
            what: format!("a {what} socket"),
            cure: "grant CAP_NET_RAW or run as root",
        };
    }
    ProbeError::Socket { what: format!("open a {what} socket"), source }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_source_address_and_a_dscp_are_set_before_connecting() {
        let to = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let binding = Binding { interface: None, source: Some("127.0.0.9".parse().unwrap()), dscp: Some(46) };
        let socket = open(to.local_addr().unwrap(), &binding).unwrap();
        assert_eq!(socket.tos_v4().unwrap(), 46 << 2);
        let stream = connect(socket, to.local_addr().unwrap(), Span::secs(5)).await.unwrap();
        assert_eq!(stream.local_addr().unwrap().ip(), binding.source.unwrap());
    }

    #[test]
    fn an_interface_that_is_not_there_is_named() {
        let binding = Binding { interface: Some(String::from("nosuch0")), ..Binding::default() };
        let error = open(SocketAddr::from(([127, 0, 0, 1], 9)), &binding).unwrap_err();
        assert!(error.to_string().contains("nosuch0"), "{error}");
    }
}
