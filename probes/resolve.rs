//! From a target as people write it to an address.

use crate::probe::{Context, Family, ProbeError};
use std::io;
use std::net::{IpAddr, SocketAddr};

/// Splits `host`, `host:port`, `[v6]:port` or a bare IPv6 address.
pub fn split(address: &str, default_port: u16) -> Option<(&str, u16)> {
    if let Some((host, rest)) = address.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return match rest.strip_prefix(':') {
            Some(port) => Some((host, port.parse().ok()?)),
            None => rest.is_empty().then_some((host, default_port)),
        };
    }
    if address.parse::<IpAddr>().is_ok() {
        return Some((address, default_port));
    }
    match address.split_once(':') {
        Some((host, port)) => Some((host, port.parse().ok()?)),
        None => Some((address, default_port)),
    }
}

/// Refuses a target, host or URL, whose host or port cannot be, before anything is asked.
pub fn check(address: &str) -> Result<(), ProbeError> {
    let authority = address.split_once("://").map_or(address, |(_, rest)| rest);
    let authority = authority.split(['/', '?', '#']).next().unwrap_or_default();
    let port = authority.rsplit_once(':').map(|(_, port)| port);
    let problem = match split(authority, 1) {
        Some((host, port)) if !host.is_empty() && port > 0 => return Ok(()),
        _ if port.is_some_and(|port| !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit())) => {
            "its port is not between 1 and 65535"
        }
        _ => "it is not HOST or HOST:PORT",
    };
    Err(ProbeError::Target { address: address.to_owned(), problem })
}

/// The address of a context's target: the resolver's first answer of the wanted family. A source address, where one is
/// set, settles the family.
pub async fn resolve(context: &Context, default_port: u16) -> Result<SocketAddr, ProbeError> {
    let (host, port) =
        split(&context.address, default_port).filter(|(host, _)| !host.is_empty()).ok_or_else(|| {
            let source = io::Error::new(io::ErrorKind::InvalidInput, "not HOST or HOST:PORT");
            ProbeError::Resolve { host: context.address.clone(), source }
        })?;
    look_up(host, port, context).await
}

/// The same of any host, in the family of a context.
pub async fn look_up(host: &str, port: u16, context: &Context) -> Result<SocketAddr, ProbeError> {
    let failed = |source| ProbeError::Resolve { host: host.to_owned(), source };
    let family = context.family.or(context.binding.source.map(|source| match source {
        IpAddr::V4(_) => Family::V4,
        IpAddr::V6(_) => Family::V6,
    }));
    let mut found = tokio::net::lookup_host((host, port)).await.map_err(failed)?;
    found
        .find(|address| family.is_none_or(|family| address.is_ipv4() == (family == Family::V4)))
        .ok_or_else(|| failed(io::Error::new(io::ErrorKind::NotFound, "no address of the wanted family")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_target_that_cannot_be_is_refused_with_the_range_of_its_port() {
        for right in
            ["peer.example", "192.0.2.1:65535", "2001:db8::1", "[2001:db8::1]:99", "https://a:8443/b:c?d"]
        {
            assert!(check(right).is_ok(), "{right}");
        }
        for wrong in ["127.0.0.1:99999", "peer.example:0", "[2001:db8::1]:65536", "https://a:99999/b"] {
            let told = check(wrong).unwrap_err().to_string();
            assert_eq!(told, format!("target {wrong:?}: its port is not between 1 and 65535"));
        }
        for wrong in ["", ":99", "peer.example:", "peer.example:many"] {
            assert!(check(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn addresses_are_split_as_people_write_them() {
        assert_eq!(split("peer.example", 862), Some(("peer.example", 862)));
        assert_eq!(split("peer.example:99", 862), Some(("peer.example", 99)));
        assert_eq!(split("192.0.2.1:99", 862), Some(("192.0.2.1", 99)));
        assert_eq!(split("2001:db8::1", 862), Some(("2001:db8::1", 862)));
        assert_eq!(split("[2001:db8::1]", 862), Some(("2001:db8::1", 862)));
        assert_eq!(split("[2001:db8::1]:99", 862), Some(("2001:db8::1", 99)));
        assert_eq!(split("peer.example:many", 862), None);
        assert_eq!(split("[2001:db8::1]99", 862), None);
    }
}
