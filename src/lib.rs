//! The command's face for tests: everything `broadgauge` does, as functions.

pub mod agent;
pub mod cli;
pub mod collector;
pub mod complaints;
pub mod config;
pub mod demo;
pub mod error;
pub mod export;
pub mod gather;
pub mod import;
pub mod peer;
pub mod publish;
pub mod schedule;
pub mod store;
pub mod survey;
