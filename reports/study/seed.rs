//! Seeds for parts of a study: the same part draws the same numbers whatever else is asked for.

/// FNV-1a over the words, mixed into the study's seed. Not a secret, only a spread.
pub(super) fn seed_of(seed: u64, words: &[&str]) -> u64 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    let mut eat = |byte: u8| hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    seed.to_le_bytes().into_iter().for_each(&mut eat);
    for word in words {
        word.bytes().for_each(&mut eat);
        eat(0xff);
    }
    hash
}
