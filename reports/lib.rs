//! Broadgauge.
