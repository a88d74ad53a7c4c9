//! The main job on one machine, with real packets.

pub mod relay;
pub mod stage;
pub mod town;
