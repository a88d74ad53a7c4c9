//! Over loopback: whom a client believes, and what a handshake came to.

use super::*;
use crate::net::Wire;
use broadgauge_model::clock::{Clock, SystemClock};
use std::net::SocketAddr;
use tokio::net::{TcpListener, TcpStream};

async fn serving(server: Server) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let server = server.clone();
            tokio::spawn(async move { drop(server.handshake(Wire::System(stream)).await) });
        }
    });
    address
}

fn pem_of(server: &Server, folder: &tempfile::TempDir) -> PathBuf {
    let path = folder.path().join("certificate.pem");
    std::fs::write(&path, server.certificate_pem().unwrap()).unwrap();
    path
}

async fn called(address: SocketAddr) -> Wire {
    Wire::System(TcpStream::connect(address).await.unwrap())
}

#[tokio::test]
async fn a_certificate_that_is_named_is_believed_for_its_names_only() {
    let folder = tempfile::tempdir().unwrap();
    let server = Server::self_signed(&[String::from("localhost")], &["h2"]).unwrap();
    let trust = Trust { ca_file: Some(pem_of(&server, &folder)), insecure: false };
    let address = serving(server).await;
    let client = Client::new(&trust, &["h2", "http/1.1"]).unwrap();
    let shaken = client.handshake("localhost", called(address).await).await.unwrap();
    let facts = Facts::of(shaken.get_ref().1, client.checks());
    assert_eq!((facts.version, facts.round_trips), (Some("TLSv1.3"), 1));
    assert_eq!(facts.alpn.as_deref(), Some("h2"));
    assert!(facts.cipher.unwrap().starts_with("TLS_"));
    assert_eq!(facts.group.as_deref(), Some("x25519"));
    let certificate = facts.certificate.unwrap();
    assert_eq!(certificate.names, ["localhost"]);
    assert!(certificate.holds_for(SystemClock::start().wall()).0 > 0);
    let other = client.handshake("other.example", called(address).await).await;
    assert!(other.unwrap_err().to_string().contains("not valid for name"));
}

#[tokio::test]
async fn a_stranger_is_believed_only_where_that_is_asked_for() {
    let server = Server::self_signed(&[String::from("stranger.example")], &[]).unwrap();
    let address = serving(server).await;
    let folder = tempfile::tempdir().unwrap();
    let somebody_else = Server::self_signed(&[String::from("localhost")], &[]).unwrap();
    let trust = Trust { ca_file: Some(pem_of(&somebody_else, &folder)), insecure: false };
    let client = Client::new(&trust, &[]).unwrap();
    let refused = client.handshake("stranger.example", called(address).await).await;
    let refused = refused.unwrap_err().to_string();
    assert!(refused.contains("invalid peer certificate"), "{refused}");
    let client = Client::new(&Trust { ca_file: None, insecure: true }, &[]).unwrap();
    let shaken = client.handshake("127.0.0.1", called(address).await).await.unwrap();
    assert!(!Facts::of(shaken.get_ref().1, client.checks()).certificate_checked);
}

#[test]
fn a_file_without_a_certificate_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("empty.pem");
    std::fs::write(&file, "nothing here").unwrap();
    let error = Client::new(&Trust { ca_file: Some(file.clone()), insecure: false }, &[]).unwrap_err();
    assert!(error.to_string().contains("empty.pem"), "{error}");
    let error = Server::from_files(&file, &file, &[]).unwrap_err();
    assert!(error.to_string().contains("empty.pem"), "{error}");
}

#[test]
fn a_certificate_that_is_none_is_not_read() {
    assert_eq!(Certificate::read(&[]), None);
    assert_eq!(Certificate::read(&[0x30; 300]), None);
    let server = Server::self_signed(&[String::from("a.example"), String::from("192.0.2.1")], &[]).unwrap();
    let whole = server.certificate();
    assert_eq!(Certificate::read(whole).unwrap().names, ["a.example", "192.0.2.1"]);
    for cut in 0..whole.len() {
        assert_eq!(Certificate::read(&whole[..cut]), None);
    }
}
