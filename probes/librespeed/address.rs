//! The address from which a backend says that we come.

/// More characters than this are not kept.
pub const LONGEST: usize = 200;

/// Reads an answer of `getIP`: JSON with `processedString`, or plain text.
pub fn read(body: &[u8]) -> Option<String> {
    let text = match serde_json::from_slice::<serde_json::Value>(body) {
        Ok(object) => object.get("processedString")?.as_str()?.to_owned(),
        Err(_) => String::from_utf8(body.to_vec()).ok()?,
    };
    let text: String = text.chars().filter(|c| !c.is_control()).take(LONGEST).collect();
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_backend_says_of_our_address_is_bounded() {
        assert_eq!(
            read(br#"{"processedString":"192.0.2.1 - X","rawIspInfo":""}"#).as_deref(),
            Some("192.0.2.1 - X")
        );
        assert_eq!(read(b"192.0.2.1\n").as_deref(), Some("192.0.2.1"));
        assert_eq!(read(&[b'x'; 9_000]).unwrap().len(), LONGEST);
        assert_eq!(read(b"{}"), None);
        assert_eq!(read(&[0xff]), None);
    }
}
