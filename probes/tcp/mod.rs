//! TCP connections through a chosen door: interface, source address and DSCP are set before the first packet leaves.

pub mod info;
pub mod linux;
pub mod pacing;

use crate::binding::Binding;
use broadgauge_model::clock::Span;
use socket2::{Domain, Protocol, Socket, Type};
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use tokio::net::TcpStream;

/// A non-blocking TCP socket towards `to`, bound as asked.
pub fn open(to: SocketAddr, binding: &Binding) -> Result<Socket, NoSocket> {
    open_as(to, binding, Type::STREAM, Protocol::TCP, "TCP")
}

/// A non-blocking UDP socket towards `to`, bound as asked: for methods whose payload may go by either.
pub fn open_udp(to: SocketAddr, binding: &Binding) -> Result<Socket, NoSocket> {
    open_as(to, binding, Type::DGRAM, Protocol::UDP, "UDP")
}

fn open_as(
    to: SocketAddr,
    binding: &Binding,
    kind: Type,
    protocol: Protocol,
    name: &str,
) -> Result<Socket, NoSocket> {
    let door = |kind: String| move |source: io::Error| NoSocket { kind, source };
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

/// Sets the congestion control of a socket that is not connected yet.
pub fn use_congestion(socket: &Socket, wanted: &str) -> Result<(), NoSocket> {
    let kind = || format!("TCP (congestion control {wanted:?})");
    socket.set_tcp_congestion(wanted.as_bytes()).map_err(|source| NoSocket { kind: kind(), source })
}

/// The system has no such socket.
#[derive(Debug, thiserror::Error)]
#[error("cannot open a {kind} socket")]
pub struct NoSocket {
    /// Which kind, through which door.
    pub kind: String,
    /// Why.
    pub source: io::Error,
}

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// There is no such socket here.
    #[error(transparent)]
    Door(NoSocket),
    /// Known without asking anybody: this machine has no way there.
    #[error(transparent)]
    Here(io::Error),
    /// The far end said so, or a router on the way, or nobody said anything in time.
    #[error(transparent)]
    There(io::Error),
}

/// Calls with a socket of [`open`], and waits for nobody. What the system says at once of a way there comes from its own
/// tables; the same words later are a router's.
pub fn call(socket: &Socket, to: SocketAddr) -> Result<(), ConnectError> {
    match socket.connect(&to.into()) {
        Err(error) if error.raw_os_error() != Some(libc::EINPROGRESS) => Err(match error.kind() {
            ErrorKind::NetworkUnreachable | ErrorKind::HostUnreachable | ErrorKind::AddrNotAvailable => {
                ConnectError::Here(error)
            }
            _ => ConnectError::There(error),
        }),
        _ => Ok(()),
    }
}

/// Connects a socket of [`open`] within a time.
pub async fn connect(socket: Socket, to: SocketAddr, within: Span) -> Result<TcpStream, ConnectError> {
    call(&socket, to)?;
    let stream = TcpStream::from_std(socket.into()).map_err(ConnectError::Here)?;
    let answered = async {
        stream.writable().await?;
        stream.take_error()?.map_or(Ok(()), Err)
    };
    let in_time = tokio::time::timeout(within.to_std(), answered).await;
    in_time.unwrap_or_else(|_| Err(ErrorKind::TimedOut.into())).map_err(ConnectError::There)?;
    Ok(stream)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::closed;

    #[tokio::test]
    async fn a_source_address_and_a_dscp_are_set_before_connecting() {
        let to = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let binding = Binding { interface: None, source: Some("127.0.0.9".parse().unwrap()), dscp: Some(46) };
        let socket = open(to.local_addr().unwrap(), &binding).unwrap();
        assert_eq!(socket.tos_v4().unwrap(), 46 << 2);
        let stream = connect(socket, to.local_addr().unwrap(), Span::secs(5)).await.unwrap();
        assert_eq!(stream.local_addr().unwrap().ip(), binding.source.unwrap());
    }

    #[tokio::test]
    async fn what_the_far_end_says_is_not_taken_for_what_this_machine_knows() {
        let (_held, closed) = closed();
        let came_to = async |to: SocketAddr| {
            let socket = open(to, &Binding::default()).unwrap();
            connect(socket, to, Span::secs(5)).await.unwrap_err()
        };
        let refused = came_to(closed).await;
        assert!(matches!(&refused, ConnectError::There(why) if why.kind() == ErrorKind::ConnectionRefused));
        // TCP has no way to all at once.
        let known = came_to(SocketAddr::from(([255, 255, 255, 255], 9))).await;
        assert!(matches!(&known, ConnectError::Here(why) if why.kind() == ErrorKind::NetworkUnreachable));
    }

    #[test]
    fn an_interface_that_is_not_there_is_named() {
        let binding = Binding { interface: Some(String::from("nosuch0")), ..Binding::default() };
        let error = open(SocketAddr::from(([127, 0, 0, 1], 9)), &binding).unwrap_err();
        assert!(error.to_string().contains("nosuch0"), "{error}");
    }
}
