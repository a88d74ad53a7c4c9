//! Any bytes as the object under `/.well-known/nq`: it is believed whole, of one host, or not at all.
#![no_main]

use broadgauge_probes::http::Url;
use broadgauge_probes::responsiveness::discovery::read;

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let from = Url::parse("https://peer.example:4043/.well-known/nq").expect("is a URL");
    if let Ok(urls) = read(bytes, &from) {
        assert!(urls.small.same_origin(&urls.large) && urls.small.same_origin(&urls.upload));
        for url in [&urls.small, &urls.large, &urls.upload] {
            assert_eq!(&Url::parse(&url.to_string()).expect("what we write, we read"), url);
        }
    }
});
