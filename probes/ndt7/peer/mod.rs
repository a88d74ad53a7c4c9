//! The answering side: an ndt7 server that may be left open to the world.
//!
//! One loading test at a time, in the queue that all answering sides share; who comes meanwhile is answered 503. Bounded
//! are connections altogether and per place, the handshake, the length of a test, the size of a message, and what is
//! kept of what a client says.

mod limits;
mod test;

pub use limits::Limits;

use super::counted::{Counted, Traffic};
use super::socket::config;
use crate::codec::ndt7::{Archive, Parties, SUBPROTOCOL, Subtest, query};
use crate::dial::Stream;
use crate::net::{Listener, Tap, Wire};
use crate::peer::door::keep;
use crate::peer::guests::{Guest, Guests, place_of};
use crate::peer::queue::{Place, Queue};
use crate::peer::service::{Ground, Keeper, Kept, Running, Service, Tls};
use crate::probe::Stop;
use crate::tls;
use broadgauge_model::clock::{Clock, Wall};
use flate2::Compression;
use flate2::write::GzEncoder;
use rand::RngExt;
use std::io::{self, Write};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use tokio::task::JoinSet;
use tokio_tungstenite::accept_hdr_async_with_config;
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request, Response};
use tokio_tungstenite::tungstenite::http::{HeaderValue, StatusCode};

/// Where it listens unless told otherwise: servers of M-Lab are at 80 and 443, which need privileges.
pub const DEFAULT_PORT: u16 = 8_627;

/// What it is, for the catalogue of answering sides.
pub static SERVICE: Service = Service {
    name: "ndt7",
    about: "an ndt7 server, for M-Lab's clients and others",
    port: DEFAULT_PORT,
    transport: "tcp",
    tls: Tls::IfAsked,
    start,
};

/// Takes its ports.
pub fn start(ground: Ground) -> io::Result<Running> {
    let mut peer = Peer::new(Limits::default(), ground.queue, ground.tls);
    if let Some(keeper) = ground.keeper {
        peer = peer.keeping(keeper);
    }
    for &address in &ground.at {
        peer = peer.and_behind(ground.net.listen(address)?);
    }
    let addresses = peer.addresses();
    Ok(Running { addresses, answering: Box::pin(peer.serve(ground.clock, ground.stop)) })
}

/// A server that has its ports and does not answer yet.
pub struct Peer {
    doors: Vec<Listener>,
    limits: Limits,
    queue: Queue,
    tls: Option<tls::Server>,
    keeper: Option<Keeper>,
}

/// What all connections share.
struct House {
    limits: Limits,
    queue: Queue,
    tls: Option<tls::Server>,
    keeper: Option<Keeper>,
    clock: Arc<dyn Clock>,
}

/// What a client asked for, when its turn has come.
struct Asked {
    subtest: Subtest,
    metadata: Vec<(String, String)>,
    /// After so many bytes a download is over.
    most: Option<u64>,
    turn: Place,
}

impl Peer {
    /// A server whose tests have their turn in this queue.
    pub fn new(limits: Limits, queue: Queue, tls: Option<tls::Server>) -> Self {
        // HTTP/1.1 only: there is no WebSocket in HTTP/2 as ndt7 has it.
        let tls = tls.map(|tls| tls.speaking(&["http/1.1"]));
        Self { doors: Vec::new(), limits, queue, tls, keeper: None }
    }

    /// Hands each test to somebody who keeps it.
    #[must_use]
    pub fn keeping(self, keeper: Keeper) -> Self {
        Self { keeper: Some(keeper), ..self }
    }

    /// Listens at one more address. Needs a runtime.
    pub fn and_at(self, address: SocketAddr) -> io::Result<Self> {
        Ok(self.and_behind(Listener::at(address)?))
    }

    /// Answers whoever comes in by one more door.
    #[must_use]
    pub fn and_behind(mut self, door: Listener) -> Self {
        self.doors.push(door);
        self
    }

    /// Everywhere it listens.
    pub fn addresses(&self) -> Vec<SocketAddr> {
        self.doors.iter().filter_map(|door| door.local_addr().ok()).collect()
    }

    /// Answers until it is told to stop; then every test ends at once.
    pub async fn serve(self, clock: Arc<dyn Clock>, stop: Stop) {
        let guests = Guests::new(self.limits.connections, self.limits.connections_per_place);
        let (limits, queue, tls, keeper) = (self.limits, self.queue, self.tls, self.keeper);
        let house = Arc::new(House { limits, queue, tls, keeper, clock });
        let mut doors = JoinSet::new();
        for door in self.doors {
            let house = Arc::clone(&house);
            doors.spawn(keep(door, guests.clone(), stop.clone(), move |stream, address, guest| {
                Arc::clone(&house).welcome(stream, address, guest)
            }));
        }
        while doors.join_next().await.is_some() {}
    }
}

impl House {
    async fn welcome(self: Arc<Self>, stream: Wire, address: SocketAddr, _guest: Guest) {
        // Measurements shall not wait behind one another. BBR as the specification asks, where the system has it.
        stream.in_haste();
        stream.give_up_after(self.limits.longest);
        if let Some(socket) = stream.socket() {
            let _ = socket.set_tcp_congestion(b"bbr");
        }
        let (Ok(tap), Ok(local)) = (Tap::of(&stream), stream.local_addr()) else { return };
        match self.converse(stream, address, local, &tap).await {
            Ok(()) => tracing::debug!(%address, "ndt7 test over"),
            Err(problem) => tracing::debug!(%address, problem, "connection closed"),
        }
    }

    async fn converse(
        &self,
        stream: Wire,
        client: SocketAddr,
        server: SocketAddr,
        tap: &Tap,
    ) -> Result<(), String> {
        let traffic = Traffic::new(Arc::clone(&self.clock));
        let mut asked = None;
        let shaking = async {
            let stream = match &self.tls {
                None => Stream::plain(stream),
                Some(tls) => Stream::secure(tls.handshake(stream).await.map_err(|error| error.to_string())?),
            };
            let stream = Counted::new(stream, Arc::clone(&traffic));
            #[expect(clippy::result_large_err, reason = "the library's own type")]
            let judge = |request: &Request, response: Response| {
                self.judge(request, response, client.ip(), &mut asked)
            };
            accept_hdr_async_with_config(stream, judge, Some(config()))
                .await
                .map_err(|error| error.to_string())
        };
        let socket = tokio::time::timeout(self.limits.handshake.to_std(), shaking)
            .await
            .map_err(|_| String::from("no handshake in time"))??;
        let Asked { subtest, metadata, most, turn } = asked.ok_or("a handshake without a request")?;
        let started_at = self.clock.wall();
        let parties = Parties { client, server, uuid: uuid(started_at), started_at: started_at.rfc3339() };
        let test = test::Test {
            subtest,
            parties: &parties,
            traffic,
            tap,
            most,
            limits: self.limits,
            clock: &*self.clock,
        };
        let said = test.run(socket, turn).await;
        if let Some(keeper) = &self.keeper {
            let archive = Archive {
                subtest,
                version: format!("broadgauge/{}", env!("CARGO_PKG_VERSION")),
                parties,
                ended_at: self.clock.wall().rfc3339(),
                server: said.server,
                client: said.client,
                metadata,
            };
            match kept(&archive, started_at) {
                Ok(kept) => keeper(kept),
                Err(error) => tracing::warn!(%error, "a test cannot be kept"),
            }
        }
        Ok(())
    }

    /// Whether a request is one for a test that may run now.
    #[expect(clippy::result_large_err, reason = "the library's own type")]
    fn judge(
        &self,
        request: &Request,
        mut response: Response,
        client: IpAddr,
        asked: &mut Option<Asked>,
    ) -> Result<Response, ErrorResponse> {
        let subtest = match request.uri().path() {
            path if path == Subtest::Download.path() => Subtest::Download,
            path if path == Subtest::Upload.path() => Subtest::Upload,
            _ => return Err(refused(StatusCode::NOT_FOUND, "not an ndt7 path")),
        };
        let offered = request.headers().get_all("Sec-WebSocket-Protocol");
        let names = offered.iter().filter_map(|value| value.to_str().ok()).flat_map(|value| value.split(','));
        if !names.map(str::trim).any(|name| name == SUBPROTOCOL) {
            return Err(refused(StatusCode::BAD_REQUEST, "the subprotocol of ndt7 is not offered"));
        }
        let metadata = query(request.uri().query().unwrap_or_default())
            .ok_or_else(|| refused(StatusCode::BAD_REQUEST, "not a query of keys with values, each once"))?;
        let most = match metadata.iter().find(|(key, _)| key == "early_exit").map(|(_, value)| value.as_str())
        {
            None => None,
            Some("250") if subtest == Subtest::Download => Some(250_000_000),
            Some(_) => return Err(refused(StatusCode::BAD_REQUEST, "early_exit is 250, for a download")),
        };
        let busy = || refused(StatusCode::SERVICE_UNAVAILABLE, "another test is running");
        let turn = self.queue.enter(place_of(client)).map_err(|_| busy())?;
        if turn.ahead() > 0 {
            return Err(busy());
        }
        response.headers_mut().insert("Sec-WebSocket-Protocol", HeaderValue::from_static(SUBPROTOCOL));
        *asked = Some(Asked { subtest, metadata, most, turn });
        Ok(response)
    }
}

fn refused(status: StatusCode, words: &str) -> ErrorResponse {
    let mut response = ErrorResponse::new(Some(words.to_owned()));
    *response.status_mut() = status;
    if status == StatusCode::SERVICE_UNAVAILABLE {
        response.headers_mut().insert("Retry-After", HeaderValue::from_static("10"));
    }
    response
}

/// A name that no other test has: when it began, and 64 random bits.
fn uuid(at: Wall) -> String {
    format!("broadgauge_{}_{:016X}", at.secs(), rand::rng().random::<u64>())
}

/// A test as a file: compressed, in the form and under the name of M-Lab's public data.
fn kept(archive: &Archive, at: Wall) -> io::Result<Kept> {
    let mut gzip = GzEncoder::new(Vec::new(), Compression::default());
    gzip.write_all(archive.document().to_string().as_bytes())?;
    // 2026-11-22T10:00:00.5Z in the form of the public data: 20261122T100000.500000000Z.
    let text = Wall::from_secs(at.secs()).rfc3339();
    let day = text.get(..10).unwrap_or("0000-00-00");
    let seconds: String = text.chars().filter(|c| !matches!(c, '-' | ':' | 'Z')).collect();
    let nanoseconds = at.0.rem_euclid(1_000_000_000);
    let (subtest, uuid) = (archive.subtest.name(), &archive.parties.uuid);
    Ok(Kept {
        name: format!("ndt7-{subtest}-{seconds}.{nanoseconds:09}Z.{uuid}.json.gz"),
        folder: day.replace('-', "/"),
        bytes: gzip.finish()?,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::read::GzDecoder;
    use std::io::Read;

    #[test]
    fn a_test_is_kept_under_its_day_and_the_name_of_the_public_data() {
        let at = Wall(1_795_341_600_500_000_000);
        let archive = Archive {
            subtest: Subtest::Upload,
            version: String::from("broadgauge/1"),
            parties: Parties {
                client: "192.0.2.1:5".parse().unwrap(),
                server: "192.0.2.2:443".parse().unwrap(),
                uuid: String::from("u_1"),
                started_at: at.rfc3339(),
            },
            ended_at: at.rfc3339(),
            server: Vec::new(),
            client: Vec::new(),
            metadata: Vec::new(),
        };
        let kept = kept(&archive, at).unwrap();
        assert_eq!(
            (kept.folder.as_str(), kept.name.as_str()),
            ("2026/11/22", "ndt7-upload-20261122T100000.500000000Z.u_1.json.gz")
        );
        let mut text = String::new();
        GzDecoder::new(&kept.bytes[..]).read_to_string(&mut text).unwrap();
        assert_eq!(text, archive.document().to_string());
    }
}
