//! Randomness: ids, join codes and seeds. The only place that draws, apart from tokens (`auth`).

use shared::id::WorkshopId;

/// Letters and digits that nobody takes for one another when reading them off a projector.
const CODE_LETTERS: &[u8; 31] = b"23456789ABCDEFGHJKMNPQRSTUVWXYZ";
/// Lower-case letters and digits.
const ID_LETTERS: &[u8; 36] = b"0123456789abcdefghijklmnopqrstuvwxyz";

/// A seed for seatings.
pub fn seed() -> u64 {
    // Without the system's randomness nothing here is safe: no tokens, no ids. Falling back to the clock only keeps the seating going.
    getrandom::u64().unwrap_or_else(|_| crate::clock::now())
}

/// A client id for a CRDT document: 32 bits, never 0. `None` if the system has no randomness to give.
pub fn client_id() -> Option<u64> {
    Some(u64::from(getrandom::u32().ok()?.max(1)))
}

/// A workshop's id: 16 lower-case letters and digits, 82 bits. `None` as in [`client_id`].
pub fn workshop_id() -> Option<WorkshopId> {
    text::<16>(ID_LETTERS).map(WorkshopId)
}

/// A join code: 8 characters without look-alikes, 39 bits. `None` as in [`client_id`].
pub fn join_code() -> Option<String> {
    text::<8>(CODE_LETTERS)
}

fn text<const LENGTH: usize>(letters: &[u8]) -> Option<String> {
    let mut text = String::with_capacity(LENGTH);
    // Bytes beyond the last whole multiple are thrown away, or the first letters would come more often.
    let fair = 256 - 256 % letters.len();
    while text.len() < LENGTH {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).ok()?;
        let drawn = bytes.iter().map(|byte| usize::from(*byte)).filter(|byte| *byte < fair);
        text.extend(drawn.map(|byte| char::from(letters[byte % letters.len()])).take(LENGTH - text.len()));
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_and_codes_have_their_shape() {
        let id = workshop_id().expect("randomness");
        assert_eq!(id.as_str().len(), 16);
        assert!(id.as_str().bytes().all(|b| ID_LETTERS.contains(&b)));
        let code = join_code().expect("randomness");
        assert!(code.len() == 8 && code.bytes().all(|b| CODE_LETTERS.contains(&b)));
        assert_ne!(workshop_id(), workshop_id());
        assert!(client_id().is_some_and(|id| (1..1 << 32).contains(&id)));
    }
}
