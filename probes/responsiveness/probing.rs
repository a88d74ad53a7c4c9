//! The probes beside and on the load: one question for one byte, timed.

use super::load::{Road, RoadError};
use super::meter::Foreign;
use crate::http::{Another, Bounds, Exchange, HttpError, Payload, Url, Version, exchange, request, take_in};
use broadgauge_model::clock::{Mono, Span};
use hyper::Method;

/// What a foreign probe moves, about: most of it is the server's certificate.
pub(super) const FOREIGN_BYTES: u64 = 6_000;
/// What a self probe moves, about.
pub(super) const OWN_BYTES: u64 = 400;

/// What one probe came to.
#[derive(Debug)]
pub(super) enum Probed {
    Foreign(Foreign),
    Own(Span),
    /// No answer in time.
    Lost,
    /// Answered, but not as agreed.
    Failed(String),
}

impl From<RoadError> for Probed {
    fn from(error: RoadError) -> Self {
        match error {
            RoadError::Http(HttpError::Silent(_)) => Self::Lost,
            RoadError::Dial(crate::dial::DialError::There { why: crate::dial::Why::Silent, .. }) => {
                Self::Lost
            }
            other => Self::Failed(other.to_string()),
        }
    }
}

/// Opens a connection of its own and asks.
pub(super) async fn foreign(road: Road, small: Url) -> Probed {
    let probe = async {
        let mut session = road.session(&small).await?;
        let question = session.request(Method::GET, &small, &[], Payload::empty())?;
        let http = whole(exchange(&mut session, question, bounds(road.timeout), |_, _| {}).await?)?;
        let round_trips = session.tls.as_ref().map_or(1, |facts| facts.round_trips);
        let tcp = session.times.connect.unwrap_or_default();
        let tls = session.times.tls.map(|tls| Span(tls.0 / i64::from(round_trips.max(1))));
        Ok::<_, RoadError>(Foreign { tcp, tls, http })
    };
    match probe.await {
        Ok(foreign) => Probed::Foreign(foreign),
        Err(error) => error.into(),
    }
}

/// Asks on a connection that carries the load.
pub(super) async fn own(road: Road, mut asker: Another, small: Url) -> Probed {
    let probe = async {
        let question = request(Version::Two, Method::GET, &small, &[], Payload::empty())?;
        let asked: Mono = road.context.clock.mono();
        let within = road.timeout;
        let head = tokio::time::timeout(within.to_std(), asker.ask(question)).await;
        let response = head.map_err(|_| HttpError::Silent(within.as_secs_f64()))??;
        let answer = take_in(&*road.context.clock, asked, response, bounds(within)).await;
        whole(answer)
    };
    match probe.await {
        Ok(time) => Probed::Own(time),
        Err(error) => error.into(),
    }
}

const fn bounds(within: Span) -> Bounds {
    Bounds { head: within, within, bytes: 1_000, keep: 0 }
}

fn whole(answer: Exchange) -> Result<Span, RoadError> {
    answer.ended?;
    if answer.status.is_success() {
        Ok(answer.whole)
    } else {
        Err(RoadError::Refused(answer.status.as_u16()))
    }
}
