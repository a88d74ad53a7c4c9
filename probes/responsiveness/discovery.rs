//! Where a server's load and probes are: the object under `/.well-known/nq`.
//!
//! Names are written in two ways in the field: `small_download_url` and its like in the draft, `small_https_download_url`, `large_https_download_url`
//! and `https_upload_url` in programs. Either set is read; a server of ours writes all six.

use crate::http::Url;
use serde::Deserialize;
use serde_json::{Value, json};

/// A larger object is none.
pub const LONGEST: u64 = 64 * 1024;
/// Where the object is.
pub const WELL_KNOWN: &str = "/.well-known/nq";

/// What to ask for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Urls {
    /// One byte.
    pub small: Url,
    /// More bytes than a test can take.
    pub large: Url,
    /// Takes whatever is sent.
    pub upload: Url,
    /// The host to connect to, where it is not the one in the URLs.
    pub endpoint: Option<String>,
}

#[derive(Deserialize)]
struct Written {
    version: u64,
    urls: Names,
    #[serde(default)]
    test_endpoint: Option<String>,
}

#[derive(Deserialize)]
#[expect(clippy::struct_field_names, reason = "the names are the draft's")]
struct Names {
    #[serde(default)]
    small_download_url: Option<String>,
    #[serde(default)]
    small_https_download_url: Option<String>,
    #[serde(default)]
    large_download_url: Option<String>,
    #[serde(default)]
    large_https_download_url: Option<String>,
    #[serde(default)]
    upload_url: Option<String>,
    #[serde(default)]
    https_upload_url: Option<String>,
}

/// Reads the object that came from a URL; `Err` says what is wrong with it. It is believed whole or not at all.
pub fn read(bytes: &[u8], from: &Url) -> Result<Urls, String> {
    let written: Written =
        serde_json::from_slice(bytes).map_err(|error| format!("gave no such object: {error}"))?;
    if written.version != 1 {
        return Err(format!("gave an object of version {}; known is 1", written.version));
    }
    let url = |what: &str, one: Option<String>, other: Option<String>| {
        let text = one.or(other).ok_or_else(|| format!("names no {what}"))?;
        from.join(&text).map_err(|problem| format!("names a {what} that is none: {problem}"))
    };
    let names = written.urls;
    let urls = Urls {
        small: url("small_download_url", names.small_download_url, names.small_https_download_url)?,
        large: url("large_download_url", names.large_download_url, names.large_https_download_url)?,
        upload: url("upload_url", names.upload_url, names.https_upload_url)?,
        endpoint: written.test_endpoint.filter(|host| !host.is_empty() && host.len() <= 255),
    };
    if !urls.small.same_origin(&urls.large) || !urls.small.same_origin(&urls.upload) {
        return Err(String::from("names URLs of several hosts; a load and its probes must share one"));
    }
    Ok(urls)
}

/// The object of a server at this authority.
pub fn write(scheme: &str, authority: &str) -> Value {
    let url = |path: &str| json!(format!("{scheme}://{authority}{path}"));
    json!({
        "version": 1,
        "urls": {
            "small_download_url": url(SMALL), "small_https_download_url": url(SMALL),
            "large_download_url": url(LARGE), "large_https_download_url": url(LARGE),
            "upload_url": url(UPLOAD), "https_upload_url": url(UPLOAD),
        },
    })
}

/// Where a server of ours has each.
pub const SMALL: &str = "/nq/small";
/// More bytes than a test can take.
pub const LARGE: &str = "/nq/large";
/// Takes whatever is sent.
pub const UPLOAD: &str = "/nq/upload";

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn from() -> Url {
        Url::parse("https://peer.example/.well-known/nq").unwrap()
    }

    #[test]
    fn either_set_of_names_is_read_and_both_are_written() {
        let ours = write("https", "peer.example:4043");
        let urls = read(ours.to_string().as_bytes(), &from()).unwrap();
        assert_eq!(urls.large.to_string(), "https://peer.example:4043/nq/large");
        let Value::Object(names) = &ours["urls"] else { panic!() };
        assert_eq!(names.len(), 6);
        for set in [
            ["small_download_url", "large_download_url", "upload_url"],
            ["small_https_download_url", "large_https_download_url", "https_upload_url"],
        ] {
            let urls: serde_json::Map<String, Value> =
                set.iter().map(|name| ((*name).to_owned(), names[*name].clone())).collect();
            let object = json!({ "version": 1, "urls": urls, "test_endpoint": "edge.example", "more": 7 });
            let read = read(object.to_string().as_bytes(), &from()).unwrap();
            assert_eq!(read.endpoint.as_deref(), Some("edge.example"));
            assert_eq!(read.upload.path, UPLOAD);
        }
    }

    #[test]
    fn an_object_that_is_not_whole_is_not_believed() {
        let wrong = |object: &Value| read(object.to_string().as_bytes(), &from()).unwrap_err();
        let mut object = write("https", "peer.example");
        object["version"] = json!(2);
        assert!(wrong(&object).contains("version 2"));
        let mut object = write("https", "peer.example");
        object["urls"]["small_download_url"] = json!("https://other.example/small");
        assert!(wrong(&object).contains("several hosts"));
        assert!(wrong(&json!({ "version": 1, "urls": {} })).contains("small_download_url"));
        assert!(wrong(&json!([])).contains("no such object"));
        let mut object = write("https", "peer.example");
        object["urls"]["upload_url"] = json!("gopher://peer.example/");
        object["urls"]["https_upload_url"] = json!(null);
        assert!(wrong(&object).contains("upload_url"));
    }

    proptest! {
        #[test]
        fn whatever_comes_is_read_or_refused(bytes: Vec<u8>) {
            drop(read(&bytes, &from()));
        }
    }
}
