//! A URL as far as a measurement needs it.

use hyper::Uri;
use hyper::http::uri::{Authority, PathAndQuery, Scheme};
use std::fmt;

/// `http` or `https`, a host, a port, and what is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    /// Whether TLS is asked for.
    pub secure: bool,
    /// The host: a name, or an address without brackets.
    pub host: String,
    /// The port, written or not.
    pub port: u16,
    /// Path and query.
    pub path: String,
}

impl Url {
    /// Reads a URL; without a scheme it is `https`. `Err` says what is wrong.
    pub fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        let whole = if text.contains("://") {
            text.to_owned()
        } else if text.parse::<std::net::Ipv6Addr>().is_ok() {
            format!("https://[{text}]")
        } else {
            format!("https://{text}")
        };
        let uri: Uri = whole.parse().map_err(|_| format!("{text:?} is not a URL"))?;
        let secure = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            other => {
                return Err(format!("{text:?} has the scheme {:?}; use http or https", other.unwrap_or("")));
            }
        };
        let host = uri.host().unwrap_or_default().trim_start_matches('[').trim_end_matches(']');
        if host.is_empty() {
            return Err(format!("{text:?} names no host"));
        }
        Ok(Self {
            secure,
            host: host.to_owned(),
            port: uri.port_u16().unwrap_or(if secure { 443 } else { 80 }),
            path: uri.path_and_query().map_or("/", PathAndQuery::as_str).to_owned(),
        })
    }

    /// The same host, asked for something else: a path, or a whole URL, as a server may write either.
    pub fn join(&self, reference: &str) -> Result<Self, String> {
        if reference.contains("://") {
            return Self::parse(reference);
        }
        if let Some(rest) = reference.strip_prefix("//") {
            return Self::parse(&format!("{}://{rest}", if self.secure { "https" } else { "http" }));
        }
        let path = if reference.starts_with('/') {
            reference.to_owned()
        } else {
            let base = self.path.split('?').next().unwrap_or("/");
            let folder = base.rfind('/').map_or("/", |end| &base[..=end]);
            format!("{folder}{reference}")
        };
        let path: PathAndQuery = path.parse().map_err(|_| format!("{reference:?} is not a path"))?;
        Ok(Self { path: path.as_str().to_owned(), ..self.clone() })
    }

    /// Host and port as a request names them.
    pub fn authority(&self) -> String {
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        if self.port == (if self.secure { 443 } else { 80 }) { host } else { format!("{host}:{}", self.port) }
    }

    /// As HTTP/2 wants it: whole.
    pub fn absolute(&self) -> Option<Uri> {
        let authority: Authority = self.authority().parse().ok()?;
        Uri::builder()
            .scheme(if self.secure { Scheme::HTTPS } else { Scheme::HTTP })
            .authority(authority)
            .path_and_query(self.path.as_str())
            .build()
            .ok()
    }

    /// Whether two ask the same server.
    pub fn same_origin(&self, other: &Self) -> bool {
        (self.secure, &self.host, self.port) == (other.secure, &other.host, other.port)
    }
}

impl fmt::Display for Url {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}://{}{}", if self.secure { "https" } else { "http" }, self.authority(), self.path)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_are_read_as_people_write_them() {
        for (text, whole) in [
            ("example.net", "https://example.net/"),
            ("example.net:8443/a?b=c", "https://example.net:8443/a?b=c"),
            ("http://192.0.2.1", "http://192.0.2.1/"),
            ("http://192.0.2.1:80/x", "http://192.0.2.1/x"),
            ("2001:db8::1", "https://[2001:db8::1]/"),
            ("https://[2001:db8::1]:444/", "https://[2001:db8::1]:444/"),
        ] {
            let url = Url::parse(text).unwrap();
            assert_eq!(url.to_string(), whole);
            assert_eq!(url.absolute().unwrap().to_string(), whole);
        }
        for wrong in ["ftp://example.net", "https://", "a b", ""] {
            assert!(Url::parse(wrong).is_err(), "{wrong:?}");
        }
    }

    #[test]
    fn a_reference_is_read_from_where_it_stands() {
        let base = Url::parse("https://example.net/a/b?c").unwrap();
        for (reference, whole) in [
            ("d.php?e=f", "https://example.net/a/d.php?e=f"),
            ("/d", "https://example.net/d"),
            ("//other.example/d", "https://other.example/d"),
            ("http://other.example/d", "http://other.example/d"),
        ] {
            assert_eq!(base.join(reference).unwrap().to_string(), whole);
        }
        assert!(base.same_origin(&base.join("/d").unwrap()));
    }
}
