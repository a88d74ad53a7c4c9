//! What all answering sides share, so that they are safe to leave open to the world: who is let in, and whose turn it is.
//!
//! Connections are counted altogether and from one place; loading tests run one at a time, whatever their protocol,
//! because two loads at once would measure each other. A protocol that can say "wait" queues; one that cannot is
//! refused while another test runs, and told when to come back.

pub mod door;
pub mod guests;
pub mod queue;
pub mod service;
pub mod turns;
