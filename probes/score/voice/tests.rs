use super::*;
use proptest::prelude::*;

fn codec(id: &str) -> &'static Codec {
    codecs().iter().find(|codec| codec.id == id).unwrap()
}

fn at(ms: i64, codec: &Codec, loss: f64, burst_ratio: f64) -> Rating {
    rate(&Path { delay: Span::millis(ms), loss: Ratio(loss), burst_ratio, codec })
}

fn near(got: f64, expected: f64, bound: f64) {
    assert!((got - expected).abs() <= bound, "{got} {expected}");
}

// Oracle of the numbers in this file, unless another is named: the formulas of ITU-T G.107 in Python 3.11 with numpy 2.4.6,
// written apart from this program; the published values are R 93.2 and MOS 4.41.

#[test]
fn the_defaults_give_the_published_rating() {
    let best = at(0, codec("g711_plc"), 0.0, 1.0);
    near(best.r, 93.2062, 5e-5);
    near(best.mos, 4.4094, 5e-5);
    near(best.ro, 94.768_822, 5e-7);
    near(best.is, 1.413_568, 5e-7);
    near(noise(&Planning::default()), -61.179_214, 5e-7);
}

#[test]
fn delay_costs_what_the_recommendation_says() {
    let rows = [
        (50, 91.7562, 4.3796, 0.0),
        (100, 90.6637, 4.3549, 0.0),
        (150, 89.5391, 4.3275, 0.1635),
        (200, 85.8047, 4.2232, 3.0444),
        (300, 72.6664, 3.7194, 14.7607),
        (400, 62.2468, 3.2156, 24.0701),
        (500, 54.8032, 2.8280, 30.6359),
    ];
    for (ms, r, mos, idd) in rows {
        let rating = at(ms, codec("g711_plc"), 0.0, 1.0);
        near(rating.r, r, 5e-5);
        near(rating.mos, mos, 5e-5);
        near(rating.idd, idd, 5e-5);
    }
}

#[test]
fn loss_costs_by_codec() {
    let rows = [("g711", 72.7392, 51.6226), ("g711_plc", 87.0239, 80.5214), ("g729a", 75.4637, 68.2092)];
    for (id, one, three) in rows {
        near(at(100, codec(id), 0.01, 1.0).r, one, 5e-5);
        near(at(100, codec(id), 0.03, 1.0).r, three, 5e-5);
    }
}

#[test]
fn bursts_cost_more_than_the_same_loss_by_chance() {
    // By hand from Ie,eff = Ie + (95 - Ie) Ppl / (Ppl / BurstR + Bpl): 95 * 5 / (5 / 2 + 25.1) = 17.210145.
    near(at(0, codec("g711_plc"), 0.05, 2.0).ie_eff, 17.210_145, 5e-7);
    near(at(0, codec("g711_plc"), 0.05, 1.0).ie_eff, 15.780_731, 5e-7);
    assert_eq!(at(0, codec("g711"), 0.05, 99.0), at(0, codec("g711"), 0.05, MOST_BURSTY));
}

/// The one place where more delay sounds better: talker echo counts from 1 ms on, and below 4 ms it is less than none.
#[test]
fn the_recommendation_itself_rises_between_no_delay_and_a_millisecond() {
    let [none, one] = [0, 1].map(|ms| at(ms, codec("g711_plc"), 0.0, 1.0));
    near(one.r - none.r, 0.056_519_7, 5e-7);
    near(one.idte, -0.108_930_4, 5e-7);
}

#[test]
fn scores_are_those_of_annex_b() {
    for (r, expected) in [(60.0, 3.100), (80.0, 4.024), (90.0, 4.339), (-1.0, 1.0), (100.0, 4.5), (3.0, 1.0)]
    {
        near(mos(r), expected, 5e-4);
    }
    assert_eq!(
        [93.0, 85.0, 75.0, 65.0, 55.0, 5.0].map(word),
        ["best", "high", "medium", "low", "poor", "not recommended"]
    );
}

#[test]
fn the_table_of_codecs_can_be_read() {
    assert_eq!(codecs()[0].id, "g711_plc");
    assert!(codec_source().contains("G.113"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]
    #[test]
    fn more_delay_or_loss_never_sounds_better(
        ms in 1_i64..2_000, more_ms in 0_i64..500, loss in 0.0_f64..0.5, more in 0.0_f64..0.2, burst in 1.0_f64..8.0,
    ) {
        for codec in codecs() {
            let now = at(ms, codec, loss, burst).mos;
            prop_assert!(at(ms + more_ms, codec, loss, burst).mos <= now + 1e-9);
            prop_assert!(at(ms, codec, loss + more, burst).mos <= now + 1e-9);
        }
    }
}
