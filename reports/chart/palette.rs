//! Colours, markers and dashes: Okabe and Ito, "Color universal design" (2008); told apart by colour-blind readers
//! and on grey print, where marker and dash carry what colour cannot.

use super::scene::{Ink, MarkerShape, Stroke, WHITE};
use super::{Party, Role};

pub(super) const OWN: Ink = Ink::solid(0x00_72B2);
pub(super) const VERMILION: Ink = Ink::solid(0xD5_5E00);
pub(super) const GREEN: Ink = Ink::solid(0x00_9E73);
pub(super) const PURPLE: Ink = Ink::solid(0xCC_79A7);
pub(super) const WARN: Ink = Ink::solid(0xE6_9F00);
pub(super) const SKY: Ink = Ink::solid(0x56_B4E9);

/// Titles.
pub(super) const BLACK: Ink = Ink::solid(0x1A_1A1A);
/// Text.
pub(super) const TEXT: Ink = Ink::solid(0x40_4040);
/// Notes, and everything that is only for reference.
pub(super) const GREY: Ink = Ink::solid(0x6E_6E6E);
/// Lines of a mesh.
pub(super) const GRID: Ink = Ink::solid(0xE3_E3E3);
/// Lines that bear: axes, zero, one.
pub(super) const AXIS: Ink = Ink::solid(0x8C_8C8C);
/// The ground of what is set apart.
pub(super) const SHADE: Ink = Ink::solid(0xF4_F4F4);

/// The ground below the hatch of what was not measured at all.
pub(super) const UNMEASURED: Ink = Ink::solid(0xDD_DDDD);

/// The hatch of what is missing or too few.
pub(super) const HATCH: Stroke = Stroke::new(Ink::solid(0x9A_9A9A), 1.0);

/// White to brown in six steps: how much is over.
pub(super) const EXCESS: [Ink; 6] = [
    Ink::solid(0xFF_F7E6),
    Ink::solid(0xFE_E0A8),
    Ink::solid(0xFD_BE66),
    Ink::solid(0xEC_7C14),
    Ink::solid(0xB4_4403),
    Ink::solid(0x66_2506),
];

/// How a party is drawn.
pub(super) struct Look {
    pub(super) ink: Ink,
    pub(super) marker: MarkerShape,
    pub(super) dash: &'static [f64],
    pub(super) width: f64,
}

impl Look {
    /// The look of a party.
    pub(super) fn of(party: &Party) -> Self {
        // Seven inks and four forms: they meet again only after 28 peers.
        const INKS: [Ink; 7] = [VERMILION, GREEN, PURPLE, GREY, WARN, SKY, BLACK];
        const FORMS: [(MarkerShape, &[f64]); 4] = [
            (MarkerShape::Triangle, &[7.0, 3.0]),
            (MarkerShape::Square, &[2.0, 2.5]),
            (MarkerShape::Diamond, &[9.0, 3.0, 2.0, 3.0]),
            (MarkerShape::Circle, &[4.0, 2.0]),
        ];
        match party.role {
            Role::Own => Self { ink: OWN, marker: MarkerShape::Circle, dash: &[], width: 2.4 },
            Role::Peer(i) => {
                let (marker, dash) = FORMS[i % FORMS.len()];
                Self { ink: INKS[i % INKS.len()], marker, dash, width: 1.8 }
            }
        }
    }

    /// The line of a series.
    pub(super) fn line(&self) -> Stroke {
        Stroke::new(self.ink, self.width).dashed(self.dash)
    }

    /// The colour of its name.
    pub(super) fn text(&self) -> Ink {
        self.ink.readable()
    }
}

/// Black or white, whichever is read better on a ground.
pub(super) fn text_on(ground: Ink) -> Ink {
    if BLACK.contrast(ground) >= WHITE.contrast(ground) { BLACK } else { WHITE }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_of_28_peers_look_alike_and_none_like_the_own_operator() {
        let role = |i: usize| if i == 0 { Role::Own } else { Role::Peer(i - 1) };
        let look = |i: usize| Look::of(&Party { name: String::new(), role: role(i) });
        for a in 0..=28 {
            for b in 0..a {
                let (a, b) = (look(a), look(b));
                assert!(a.ink != b.ink || a.marker != b.marker, "{:?} {:?}", a.ink, a.marker);
            }
        }
    }
}
