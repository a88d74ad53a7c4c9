//! How would a telephone call sound over this line? R and MOS by the E-model (ITU-T G.107).
//!
//! `R = Ro - Is - Id - Ie,eff + A`, the whole chain with the Recommendation's default values: the basic signal-to-noise
//! ratio, what goes with the voice, echo and delay, codec and packet loss, also in bursts. The scale is the
//! narrowband one, up to 93.2; wideband R (G.107.1) goes to 129 and must not be mixed with it.
//!
//! What it cannot tell: how anybody did hear it. It is a planning model; below R = 50 it is weakly supported, and beyond
//! 20 % loss or a burst ratio of 8 not at all. Delay is mouth to ear, so codec and jitter buffer belong to it, and
//! what comes too late for the buffer is lost: see [`call`]. Between no delay and 1 ms the Recommendation's R rises by 0.06.

pub mod call;

use broadgauge_model::clock::Span;
use broadgauge_model::unit::Ratio;
use serde::{Deserialize, Serialize};
use std::sync::LazyLock;

/// The largest burst ratio for which the packet-loss term was checked.
pub const MOST_BURSTY: f64 = 8.0;

/// A speech codec, as the E-model sees it.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Codec {
    /// The name in results.
    pub id: String,
    /// The name for readers.
    pub name: String,
    /// The equipment impairment without loss, Ie.
    pub ie: f64,
    /// The packet-loss robustness, Bpl.
    pub bpl: f64,
    /// Two frames and the look-ahead: what the codec adds between mouth and ear.
    pub delay_ms: f64,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CodecFile {
    #[serde(rename = "about")]
    _about: String,
    source: String,
    #[serde(rename = "read")]
    _read: String,
    codecs: Vec<Codec>,
}

static CODECS: LazyLock<CodecFile> = LazyLock::new(|| {
    #[expect(clippy::expect_used, reason = "part of the program, read by a test")]
    serde_json::from_str(include_str!("data/codecs.json")).expect("data/codecs.json")
});

/// Every codec; the first is the one that results are stored of.
pub fn codecs() -> &'static [Codec] {
    &CODECS.codecs
}

/// Where the codecs' values are from.
pub fn codec_source() -> &'static str {
    &CODECS.source
}

/// What happens to the voice on its way.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Path<'a> {
    /// From mouth to ear.
    pub delay: Span,
    /// Lost, or too late to be played.
    pub loss: Ratio,
    /// How much longer runs of loss are than by chance: 1 is random.
    pub burst_ratio: f64,
    /// The codec.
    pub codec: &'a Codec,
}

/// Everything else about a connection: Table 2 of the Recommendation, with its default values.
#[derive(Clone, Copy, Debug, PartialEq)]
#[expect(missing_docs, reason = "the names are the Recommendation's own symbols")]
pub struct Planning {
    pub slr: f64,
    pub rlr: f64,
    pub stmr: f64,
    pub ds: f64,
    pub dr: f64,
    pub telr: f64,
    pub wepl: f64,
    pub qdu: f64,
    pub nc: f64,
    pub nfor: f64,
    pub ps: f64,
    pub pr: f64,
    /// Sensitivity to delay, sT.
    pub st: f64,
    /// The least delay that is noticed, mT in ms.
    pub mt: f64,
    /// Advantage of access.
    pub a: f64,
}

impl Default for Planning {
    fn default() -> Self {
        Self {
            slr: 8.0,
            rlr: 2.0,
            stmr: 15.0,
            ds: 3.0,
            dr: 3.0,
            telr: 65.0,
            wepl: 110.0,
            qdu: 1.0,
            nc: -70.0,
            nfor: -64.0,
            ps: 35.0,
            pr: 35.0,
            st: 1.0,
            mt: 100.0,
            a: 0.0,
        }
    }
}

/// The rating and the terms that it is made of.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Rating {
    /// The transmission rating factor.
    pub r: f64,
    /// The mean opinion score that it stands for.
    pub mos: f64,
    /// Basic signal-to-noise ratio.
    pub ro: f64,
    /// What comes together with the voice.
    pub is: f64,
    /// Talker echo.
    pub idte: f64,
    /// Listener echo.
    pub idle: f64,
    /// Too long a delay.
    pub idd: f64,
    /// Codec and loss.
    pub ie_eff: f64,
}

/// The E-model with its default values.
pub fn rate(path: &Path<'_>) -> Rating {
    rate_with(path, &Planning::default())
}

/// The E-model.
pub fn rate_with(path: &Path<'_>, plan: &Planning) -> Rating {
    let ta = path.delay.as_millis_f64().max(0.0);
    let (t, tr) = (ta, 2.0 * ta);
    let no = noise(plan);
    let ro = 15.0 - 1.5 * (plan.slr + no);
    let ist = sidetone(plan, t);
    let is = loudness(plan, no) + ist + quantising(plan, ro);
    let (idte, idle) = (talker_echo(plan, no, ist, t), listener_echo(plan, ro, tr));
    let idd = long_delay(plan, ta);
    let ie_eff = equipment(path);
    let r = ro - is - (idte + idle + idd) - ie_eff + plan.a;
    Rating { r, mos: mos(r), ro, is, idte, idle, idd, ie_eff }
}

/// The mean opinion score of a rating (Annex B). The cubic dips below 1 for small R; no score does.
pub fn mos(r: f64) -> f64 {
    if r <= 0.0 {
        1.0
    } else if r >= 100.0 {
        4.5
    } else {
        (1.0 + 0.035 * r + r * (r - 60.0) * (100.0 - r) * 7e-6).max(1.0)
    }
}

/// What users would say (G.109).
pub fn word(r: f64) -> &'static str {
    match r {
        90.0.. => "best",
        80.0.. => "high",
        70.0.. => "medium",
        60.0.. => "low",
        50.0.. => "poor",
        _ => "not recommended",
    }
}

/// 7.2: circuit noise, room noise at both sides and the noise floor, as powers.
fn noise(plan: &Planning) -> f64 {
    let olr = plan.slr + plan.rlr;
    let nos = plan.ps - plan.slr - plan.ds - 100.0 + 0.004 * (plan.ps - olr - plan.ds - 14.0).powi(2);
    let lstr = plan.stmr + plan.dr;
    let pre = plan.pr + 10.0 * (1.0 + 10_f64.powf((10.0 - lstr) / 10.0)).log10();
    let nor = plan.rlr - 121.0 + pre + 0.008 * (pre - 35.0).powi(2);
    let nfo = plan.nfor + plan.rlr;
    10.0 * [plan.nc, nos, nor, nfo].map(|n| 10_f64.powf(n / 10.0)).iter().sum::<f64>().log10()
}

/// 7.3.1: too loud.
fn loudness(plan: &Planning, no: f64) -> f64 {
    let x = plan.slr + plan.rlr + 0.2 * (64.0 + no - plan.rlr);
    20.0 * ((1.0 + (x / 8.0).powi(8)).powf(1.0 / 8.0) - x / 8.0)
}

/// 7.3.2: one's own voice in the ear.
fn sidetone(plan: &Planning, t: f64) -> f64 {
    let stmro =
        -10.0 * (10_f64.powf(-plan.stmr / 10.0) + (-t / 4.0).exp() * 10_f64.powf(-plan.telr / 10.0)).log10();
    12.0 * (1.0 + ((stmro - 13.0) / 6.0).powi(8)).powf(1.0 / 8.0)
        - 28.0 * (1.0 + ((stmro + 1.0) / 19.4).powi(35)).powf(1.0 / 35.0)
        - 13.0 * (1.0 + ((stmro - 3.0) / 33.0).powi(13)).powf(1.0 / 13.0)
        + 29.0
}

/// 7.3.3: quantising distortion.
fn quantising(plan: &Planning, ro: f64) -> f64 {
    let q = 37.0 - 15.0 * plan.qdu.log10();
    let g = 1.07 + 0.258 * q + 0.0602 * q * q;
    let y = (ro - 100.0) / 15.0 + 46.0 / 8.4 - g / 9.0;
    let z = 46.0 / 30.0 - g / 40.0;
    15.0 * (1.0 + 10_f64.powf(y) + 10_f64.powf(z)).log10()
}

/// 7.4: the echo that the talker hears.
fn talker_echo(plan: &Planning, no: f64, ist: f64, t: f64) -> f64 {
    if t < 1.0 {
        return 0.0;
    }
    let mut terv =
        plan.telr - 40.0 * ((1.0 + t / 10.0) / (1.0 + t / 150.0)).log10() + 6.0 * (-0.3 * t * t).exp();
    if plan.stmr < 9.0 {
        terv += ist / 2.0;
    }
    let re = 80.0 + 2.5 * (terv - 14.0);
    let roe = -1.5 * (no - plan.rlr);
    let idte = ((roe - re) / 2.0 + ((roe - re).powi(2) / 4.0 + 100.0).sqrt() - 1.0) * (1.0 - (-t).exp());
    if plan.stmr > 20.0 { idte.hypot(ist) } else { idte }
}

/// 7.4: the echo that the listener hears.
fn listener_echo(plan: &Planning, ro: f64, tr: f64) -> f64 {
    let rle = 10.5 * (plan.wepl + 7.0) * (tr + 1.0).powf(-0.25);
    (ro - rle) / 2.0 + ((ro - rle).powi(2) / 4.0 + 169.0).sqrt()
}

/// 7.4: too long a delay, even without echo.
fn long_delay(plan: &Planning, ta: f64) -> f64 {
    if ta <= plan.mt {
        return 0.0;
    }
    let (x, power) = ((ta / plan.mt).log2(), 6.0 * plan.st);
    25.0 * ((1.0 + x.powf(power)).powf(1.0 / power) - 3.0 * (1.0 + (x / 3.0).powf(power)).powf(1.0 / power)
        + 2.0)
}

/// 7.5: the codec, and what is lost.
fn equipment(path: &Path<'_>) -> f64 {
    let (ppl, ie) = (100.0 * path.loss.0.clamp(0.0, 1.0), path.codec.ie);
    let burst = path.burst_ratio.clamp(1.0, MOST_BURSTY);
    ie + (95.0 - ie) * ppl / (ppl / burst + path.codec.bpl)
}

#[cfg(test)]
mod tests;
