//! A made-up satisfaction survey: 24 items on a scale of 1 to 10 about the seven constructs of the European customer
//! satisfaction index, from sums of uniform numbers, so that any program can make the same answers.

use super::{Block, Mode, Model};
use crate::stats::oracle::uniforms;
use crate::stats::rows::Rows;

/// Items of image, expectation, quality, value, satisfaction, complaints and loyalty.
pub(crate) const ITEMS: [usize; 7] = [5, 3, 7, 2, 3, 1, 3];

/// The twelve arrows of the index.
pub(crate) const ARROWS: [(usize, usize); 12] =
    [(0, 1), (0, 4), (0, 6), (1, 2), (1, 3), (1, 4), (2, 3), (2, 4), (3, 4), (4, 5), (4, 6), (5, 6)];

/// The model; satisfaction in mode `satisfaction`, all others reflect.
pub(crate) fn model(satisfaction: Mode) -> Model {
    let mut next = 0;
    let block = |(k, &count): (usize, &usize)| {
        next += count;
        let mode = if k == 4 { satisfaction } else { Mode::A };
        Block { items: (next - count..next).collect(), mode }
    };
    Model::new(ITEMS.iter().enumerate().map(block).collect(), ARROWS.to_vec()).unwrap()
}

/// 250 respondents.
pub(crate) fn answers() -> Rows {
    const RESPONDENTS: usize = 250;
    let u = uniforms(2_024, RESPONDENTS * 31 * 12);
    let mut rows = Rows::new(24);
    for respondent in 0..RESPONDENTS {
        // Twelve uniform numbers less six: mean 0, variance 1.
        let e = |place: usize| {
            let start = (respondent * 31 + place) * 12;
            u[start..start + 12].iter().sum::<f64>() - 6.0
        };
        let image = e(0);
        let expectation = 0.6 * image + 0.8 * e(1);
        let quality = 0.7 * expectation + 0.7 * e(2);
        let value = 0.3 * expectation + 0.5 * quality + 0.7 * e(3);
        let satisfaction = 0.25 * image + 0.1 * expectation + 0.4 * quality + 0.25 * value + 0.5 * e(4);
        let complaints = 0.55 * satisfaction + 0.8 * e(5);
        let loyalty = 0.3 * image + 0.4 * satisfaction + 0.15 * complaints + 0.6 * e(6);
        let constructs = [image, expectation, quality, value, satisfaction, complaints, loyalty];
        let mut row = Vec::with_capacity(24);
        for (construct, &items) in constructs.iter().zip(&ITEMS) {
            for item in 0..items {
                let loading = 0.85 - 0.05 * item as f64;
                let answer = 7.0 + 1.5 * (loading * construct + 0.6 * e(7 + row.len()));
                row.push((answer + 0.5).floor().clamp(1.0, 10.0));
            }
        }
        rows.push(&row).unwrap();
    }
    rows
}
