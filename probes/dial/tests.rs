//! Over loopback: which phases have a time, and how each one fails.

use super::*;
use crate::net::Wire;
use crate::testing::{closed, context};
use crate::tls::{Client, Trust};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;

const WITHIN: Span = Span::secs(5);

fn anybody() -> Client {
    Client::new(&Trust { ca_file: None, insecure: true }, &["h2"]).unwrap()
}

fn phase_of(error: DialError) -> (Phase, Why, Times) {
    let DialError::There { phase, why, times } = error else { panic!("{error}") };
    (phase, why, times)
}

#[tokio::test]
async fn each_phase_that_was_needed_has_a_time() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let server = tls::Server::self_signed(&[String::from("localhost")], &["h2"]).unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let server = server.clone();
            tokio::spawn(async move {
                let _open = server.handshake(Wire::System(stream)).await;
                std::future::pending::<()>().await;
            });
        }
    });
    let mut context = context(&"127.0.0.1");
    let plain = dial(&context, "127.0.0.1", port, None, WITHIN).await.unwrap();
    assert_eq!((plain.times.resolve, plain.times.tls), (None, None));
    assert!(plain.times.connect.unwrap() > Span::ZERO);
    assert!(plain.tap.info().unwrap().rtt_us.is_some());
    context.family = Some(crate::probe::Family::V4);
    let secure = dial(&context, "localhost", port, Some(&anybody()), WITHIN).await.unwrap();
    assert!(secure.times.resolve.unwrap() > Span::ZERO && secure.times.tls.unwrap() > Span::ZERO);
    assert_eq!(secure.stream.alpn(), Some(&b"h2"[..]));
    assert_eq!(secure.tls.unwrap().alpn.as_deref(), Some("h2"));
}

#[tokio::test]
async fn a_refusal_is_known_from_a_silence() {
    let (_held, closed) = closed();
    let (phase, why, times) =
        phase_of(dial(&context(&"127.0.0.1"), "127.0.0.1", closed.port(), None, WITHIN).await.unwrap_err());
    assert_eq!((phase, why, times), (Phase::Connect, Why::Refused, Times::default()));
    // Accepts, and never says a word.
    let mute = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = mute.local_addr().unwrap().port();
    let short = Span::millis(50);
    let (phase, why, times) =
        phase_of(dial(&context(&"127.0.0.1"), "127.0.0.1", port, Some(&anybody()), short).await.unwrap_err());
    assert_eq!((phase, why), (Phase::Tls, Why::Silent));
    assert!(times.connect.is_some(), "what was reached is kept");
}

#[tokio::test]
async fn a_far_end_that_speaks_something_else_is_said() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        use tokio::io::AsyncWriteExt;
        let (mut stream, _) = listener.accept().await.unwrap();
        stream.write_all(b"SSH-2.0-not-tls-at-all\r\n").await.unwrap();
        std::future::pending::<()>().await;
    });
    let (phase, why, _) = phase_of(
        dial(&context(&"127.0.0.1"), "127.0.0.1", port, Some(&anybody()), WITHIN).await.unwrap_err(),
    );
    assert!(matches!((phase, why), (Phase::Tls, Why::Wrong(_))));
}

#[tokio::test]
async fn a_name_that_does_not_exist_fails_before_anything_else() {
    let error = dial(&context(&"127.0.0.1"), "no-such-host.invalid", 443, None, WITHIN).await.unwrap_err();
    let (phase, why, _) = phase_of(error);
    assert!(matches!((phase, why), (Phase::Resolve, Why::Wrong(_))));
}

#[tokio::test]
async fn a_source_address_that_is_not_ours_is_an_error_here() {
    let mut context = context(&"127.0.0.1");
    context.binding.source = Some("192.0.2.77".parse().unwrap());
    let error = dial(&context, "127.0.0.1", 9, None, WITHIN).await.unwrap_err();
    assert!(matches!(error, DialError::Here(_)), "{error}");
    assert!(error.fatal("x").to_string().contains("TCP"));
}

#[tokio::test]
async fn a_router_that_knows_no_way_is_an_answer_and_a_machine_that_knows_none_asks_nobody() {
    let address = SocketAddr::from(([192, 0, 2, 1], 9));
    for kind in [ErrorKind::NetworkUnreachable, ErrorKind::HostUnreachable] {
        let said = not_connected(ConnectError::There(kind.into()), address, Times::default());
        assert_eq!(phase_of(said), (Phase::Connect, Why::Unreachable, Times::default()), "{kind}");
    }
    // TCP has no way to all at once.
    let error = dial(&context(&"127.0.0.1"), "255.255.255.255", 9, None, WITHIN).await.unwrap_err();
    assert!(matches!(error, DialError::Here(_)), "{error}");
}

#[tokio::test]
async fn the_kernel_says_when_what_waits_came_however_late_it_is_read() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    let context = context(&"127.0.0.1");
    let dialled = dial(&context, "127.0.0.1", port, None, WITHIN).await.unwrap();
    let (mut server, _) = listener.accept().await.unwrap();
    let mut client = dialled.stream;
    // The kernel begins to stamp a moment after it was asked to.
    for _ in 0..1_000 {
        let before = context.clock.wall();
        server.write_all(b"x").await.unwrap();
        let Wire::System(below) = client.wire() else { panic!("{client:?}") };
        below.readable().await.unwrap();
        let seen = context.clock.mono();
        while context.clock.mono() - seen < Span::millis(2) {}
        let stamp = client.wire().arrived();
        let late = context.clock.wall();
        let mut byte = [0];
        client.read_exact(&mut byte).await.unwrap();
        assert_eq!((byte, client.wire().arrived()), (*b"x", None), "a peek takes nothing");
        let Some(stamp) = stamp else { continue };
        assert!(before <= stamp && stamp + Span::millis(2) <= late, "{before:?} {stamp:?} {late:?}");
        return;
    }
    panic!("no arrival was stamped");
}
