//! One direction of one test at the peer: it sends, or it receives and counts.

use super::House;
use crate::net::Wire;
use crate::peer::guests::Guest;
use crate::throughput::lanes::{Lanes, Received};
use crate::throughput::meter::Meter;
use crate::throughput::pump::{self, Brake};
use crate::throughput::words::{Report, Talk, TalkError, ToClient, ToPeer, Way, Wish};
use broadgauge_model::clock::Span;
use std::io;
use std::sync::Arc;
use tokio::sync::mpsc;

/// How long after the planned end a sender goes on: the client's clock started a little later than ours.
const GRACE: Span = Span::secs(5);

/// Runs a direction over connections that have shown their token.
pub(super) async fn run(
    talk: &mut Talk,
    way: Way,
    wish: &Wish,
    streams: Vec<(Wire, Guest)>,
    house: &House,
) -> Result<(), TalkError> {
    let (streams, _guests): (Vec<_>, Vec<_>) = streams.into_iter().unzip();
    let failed = |error: io::Error| TalkError::Io(error.kind());
    let lanes = Lanes::of(streams).map_err(failed)?;
    if let (Way::Down, Some(wanted)) = (way, &wish.congestion)
        && lanes.use_congestion(wanted).is_err()
    {
        let reason = format!("congestion control {wanted:?} is not to be had here");
        talk.say(&ToClient::Refused { reason }, house.limits.patience).await?;
        return Err(TalkError::Garbled);
    }
    let congestion = lanes.congestion();
    let ToPeer::Start {} = talk.hear(house.limits.patience).await? else { return Err(TalkError::Garbled) };
    let duration = Span::millis(wish.duration_ms as i64);
    let seen = match way {
        Way::Down => Report { streams: send(talk, lanes, duration, house).await?, ..Report::default() },
        Way::Up => receive(talk, lanes, duration, house).await?,
    };
    talk.say(&ToClient::Report(Report { congestion, ..seen }), house.limits.patience).await
}

/// Sends until the client says that its clock has stopped.
async fn send(
    talk: &mut Talk,
    lanes: Lanes,
    duration: Span,
    house: &House,
) -> Result<Vec<pump::Stream>, TalkError> {
    let brake = Brake::default();
    let (watched, clock) = (brake.watched(), Arc::clone(&house.clock));
    let until = clock.mono() + duration + GRACE;
    let seed = until.0;
    let mut pumping = tokio::spawn(async move {
        let (lanes, seen) = lanes.send(pump::Sending::random(seed, until), clock, watched).await?;
        lanes.abandon();
        Ok::<_, io::Error>(seen)
    });
    tokio::select! {
        heard = talk.hear::<ToPeer>(duration + GRACE) => {
            let ToPeer::Stop {} = heard? else { return Err(TalkError::Garbled) };
            brake.pull();
            pumping.await
        }
        seen = &mut pumping => seen,
    }
    .map_err(|_| TalkError::Closed)?
    .map_err(|_| TalkError::Closed)
}

/// Receives for the planned time, telling each interval as it passes.
async fn receive(talk: &mut Talk, lanes: Lanes, duration: Span, house: &House) -> Result<Report, TalkError> {
    let brake = Brake::default();
    let (watched, clock) = (brake.watched(), Arc::clone(&house.clock));
    let (tick, mut ticks) = mpsc::channel(16);
    let meter = Meter::new(clock.mono(), pump::intervals_in(duration), lanes.len());
    let pumping = tokio::spawn(async move {
        let tell = move |index, bytes| {
            // A client that does not read its ticks loses them; the report holds them all.
            let _ = tick.try_send((index, bytes));
        };
        let Received { lanes, meter, ended, streams } = lanes.receive(meter, clock, watched, tell).await?;
        lanes.abandon();
        Ok::<_, io::Error>(Report {
            intervals: meter.complete(ended).to_vec(),
            waiting: meter.waiting(ended).to_vec(),
            streams,
            congestion: None,
        })
    });
    loop {
        tokio::select! {
            passed = ticks.recv() => match passed {
                Some((index, bytes)) => talk.say(&ToClient::Tick { index, bytes }, house.limits.patience).await?,
                None => break,
            },
            heard = talk.hear::<ToPeer>(duration + GRACE) => {
                let ToPeer::Stop {} = heard? else { return Err(TalkError::Garbled) };
                brake.pull();
                break;
            }
        }
    }
    pumping.await.map_err(|_| TalkError::Closed)?.map_err(|_| TalkError::Closed)
}
