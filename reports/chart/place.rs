//! Where can a label stand without touching what is drawn?

use super::scene::{Label, Rect};

/// What is taken: boxes of texts and marks, and lines.
#[derive(Default)]
pub(super) struct Placer {
    boxes: Vec<Rect>,
    lines: Vec<[(f64, f64); 2]>,
}

impl Placer {
    /// Takes a box.
    pub(super) fn take(&mut self, area: Rect) {
        self.boxes.push(area);
    }

    /// Takes the lines through some points.
    pub(super) fn take_line(&mut self, points: &[(f64, f64)]) {
        self.lines.extend(points.windows(2).map(|w| [w[0], w[1]]));
    }

    /// Whether a box is free.
    pub(super) fn free(&self, area: &Rect) -> bool {
        !self.boxes.iter().any(|b| b.overlaps(area)) && !self.lines.iter().any(|line| crosses(*line, area))
    }

    /// The first of some places for a label that is free and inside `room`; it is taken.
    pub(super) fn first_free(
        &mut self,
        room: &Rect,
        places: impl IntoIterator<Item = Label>,
    ) -> Option<Label> {
        let found = places.into_iter().find(|label| {
            let bounds = label.bounds();
            room.holds(&bounds) && self.free(&bounds)
        })?;
        self.take(found.bounds());
        Some(found)
    }
}

/// Whether a line and a box meet (Liang and Barsky, 1984).
fn crosses([from, to]: [(f64, f64); 2], area: &Rect) -> bool {
    let (dx, dy) = (to.0 - from.0, to.1 - from.1);
    let sides = [
        (-dx, from.0 - area.x),
        (dx, area.right() - from.0),
        (-dy, from.1 - area.y),
        (dy, area.bottom() - from.1),
    ];
    let (mut enter, mut leave) = (0.0_f64, 1.0_f64);
    for (run, room) in sides {
        if run == 0.0 && room < 0.0 {
            return false;
        }
        if run < 0.0 {
            enter = enter.max(room / run);
        } else if run > 0.0 {
            leave = leave.min(room / run);
        }
    }
    enter <= leave
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_through_a_box_takes_it() {
        let area = Rect::new(10.0, 10.0, 20.0, 10.0);
        assert!(crosses([(0.0, 15.0), (50.0, 15.0)], &area));
        assert!(crosses([(0.0, 0.0), (40.0, 30.0)], &area));
        assert!(!crosses([(0.0, 0.0), (40.0, 5.0)], &area));
        assert!(!crosses([(0.0, 30.0), (9.0, 0.0)], &area));
    }
}
