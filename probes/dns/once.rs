//! One lookup over a connection, as it is asked for.

use crate::codec::dns::{Manner, Question};
use crate::tls;
use broadgauge_model::clock::Span;
use std::net::SocketAddr;

/// How questions are kept private.
#[derive(Clone, Debug)]
pub(super) struct Secure {
    pub(super) client: tls::Client,
    /// The name that the certificate must bear.
    pub(super) name: String,
    /// Over HTTPS: where the resolver takes questions.
    pub(super) path: Option<String>,
}

/// One lookup.
#[derive(Clone, Debug)]
pub(super) struct Once {
    pub(super) to: SocketAddr,
    pub(super) question: Question,
    pub(super) manner: Manner,
    pub(super) timeout: Span,
    pub(super) id: u16,
    pub(super) secure: Option<Secure>,
}
