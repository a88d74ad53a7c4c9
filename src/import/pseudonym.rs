//! Ticket numbers and the names of respondents become keyed pseudonyms on the way in: HMAC-SHA-256 (RFC 2104, FIPS 180-4) under a key that only
//! the operator holds, so that nobody else can find a number by trying them all.
//!
//! A pseudonym is `<key's mark>-<32 hex digits>`: 128 bits of the MAC, after 16 bits that tell keys apart. The same
//! number under the same key is always the same pseudonym, so importing a file again changes nothing.
//!
//! Changing the key: pseudonyms of the old and of the new key cannot be joined, and a table imported under a new key
//! comes in a second time. So import every complaint file that is still kept into a new store under the new key, and
//! destroy the old store and the old key together. The marks show whether a store holds two keys.

use super::error::ImportError;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

/// Gives pseudonyms under one key.
pub struct Pseudonyms {
    key: [u8; 32],
    mark: String,
}

impl std::fmt::Debug for Pseudonyms {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pseudonyms").field("mark", &self.mark).finish_non_exhaustive()
    }
}

impl Pseudonyms {
    /// Under this key.
    pub fn new(key: [u8; 32]) -> Self {
        let mark = hex(&mac(&key, b"mark", b"")[..2]);
        Self { key, mark }
    }

    /// Under the key in this file: 64 hexadecimal digits. Nobody but its owner may be able to read it.
    pub fn open(path: &Path) -> Result<Self, ImportError> {
        let wrong = |message: String| ImportError::Key { path: path.to_owned(), message };
        let text = match std::fs::read_to_string(path) {
            Ok(text) => text,
            Err(e) if e.kind() == std::io::ErrorKind::NotFound => {
                return Err(wrong("is not there; --new-key makes it".into()));
            }
            Err(source) => return Err(ImportError::Read { path: path.to_owned(), source }),
        };
        check_private(path)?;
        let key = unhex(text.trim()).ok_or_else(|| {
            wrong(
                "does not hold 64 hexadecimal digits; name another file, or make a key with --new-key".into(),
            )
        })?;
        Ok(Self::new(key))
    }

    /// Makes a key from these random bytes in a new file that only its owner can read. A file that exists is never
    /// touched: it may be the only key to what is stored.
    pub fn create(path: &Path, random: [u8; 32]) -> Result<Self, ImportError> {
        let mut options = std::fs::OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        let mut file = options.open(path).map_err(|source| match source.kind() {
            std::io::ErrorKind::AlreadyExists => ImportError::Key {
                path: path.to_owned(),
                message: "exists already and is left as it is; leave --new-key out to use it".into(),
            },
            _ => ImportError::Write { path: path.to_owned(), source },
        })?;
        let written = writeln!(file, "{}", hex(&random)).and_then(|()| file.sync_all());
        written.map_err(|source| ImportError::Write { path: path.to_owned(), source })?;
        Ok(Self::new(random))
    }

    /// The pseudonym of a name within a space of names, such as complaints.
    pub fn of(&self, space: &str, name: &str) -> String {
        format!("{}-{}", self.mark, hex(&mac(&self.key, space.as_bytes(), name.as_bytes())[..16]))
    }
}

fn mac(key: &[u8; 32], space: &[u8], name: &[u8]) -> [u8; 32] {
    // RFC 2104: a key shorter than the block is filled up with zeros.
    let mut block = [0; 64];
    block[..32].copy_from_slice(key);
    let mut mac = Hmac::<Sha256>::new(&block.into());
    mac.update(space);
    mac.update(&[0]);
    mac.update(name);
    mac.finalize().into_bytes().into()
}

#[cfg(unix)]
fn check_private(path: &Path) -> Result<(), ImportError> {
    use std::os::unix::fs::PermissionsExt as _;
    let read = |source| ImportError::Read { path: path.to_owned(), source };
    let mode = std::fs::metadata(path).map_err(read)?.permissions().mode() & 0o777;
    if mode.trailing_zeros() >= 6 {
        return Ok(());
    }
    let message = format!("others can read it (mode {mode:03o}): chmod 600 it");
    Err(ImportError::Key { path: path.to_owned(), message })
}

#[cfg(not(unix))]
fn check_private(_: &Path) -> Result<(), ImportError> {
    Ok(())
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, b| {
        let _ = write!(text, "{b:02x}");
        text
    })
}

fn unhex(text: &str) -> Option<[u8; 32]> {
    let mut key = [0; 32];
    let fits = text.len() == 64 && text.is_ascii();
    for (i, byte) in key.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * i..2 * i + 2).filter(|_| fits)?, 16).ok()?;
    }
    Some(key)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mac_is_that_of_the_standard_tools() {
        // Python 3 hmac: hmac.new(bytes(range(32)), b"complaint\x00250635", "sha256").hexdigest()[:32],
        // and hmac.new(bytes(range(32)), b"mark\x00", "sha256").hexdigest()[:4].
        let key = std::array::from_fn(|i| i as u8);
        assert_eq!(Pseudonyms::new(key).of("complaint", "250635"), "f727-0e63c37b4af6fed31a24056c6f9060f8");
    }

    #[test]
    fn a_name_has_one_pseudonym_per_key_and_space() {
        let (a, b) = (Pseudonyms::new([1; 32]), Pseudonyms::new([2; 32]));
        assert_eq!(a.of("complaint", "7"), a.of("complaint", "7"));
        assert_ne!(a.of("complaint", "7"), a.of("complaint", "8"));
        assert_ne!(a.of("complaint", "7"), a.of("line", "7"));
        assert_ne!(a.of("complaint", "7"), b.of("complaint", "7"));
    }

    #[test]
    fn a_key_is_made_once_and_kept_private() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("key");
        let made = Pseudonyms::create(&path, [7; 32]).unwrap();
        assert_eq!(Pseudonyms::open(&path).unwrap().of("a", "b"), made.of("a", "b"));
        let again = Pseudonyms::create(&path, [8; 32]).unwrap_err().to_string();
        assert!(again.contains("exists already"), "{again}");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
            std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o644)).unwrap();
            assert!(Pseudonyms::open(&path).unwrap_err().to_string().contains("chmod 600"));
        }
    }

    #[test]
    fn a_file_that_is_no_key_is_named() {
        let folder = tempfile::tempdir().unwrap();
        let missing = Pseudonyms::open(&folder.path().join("none")).unwrap_err().to_string();
        assert!(missing.contains("--new-key"), "{missing}");
        assert!(unhex(&"é".repeat(32)).is_none() && unhex("00").is_none());
    }
}
