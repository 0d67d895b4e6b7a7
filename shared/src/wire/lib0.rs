//! The primitives of lib0, as Yjs writes them: varUint is little-endian groups of 7 bits whose high bit says that more follow;
//! varBytes is a varUint length and that many bytes; varString is varBytes of UTF-8.

/// The bytes are not what they ought to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError {
    /// They end too early.
    #[error("ends too early")]
    Truncated,
    /// A number that does not fit its type, or is spelled with more groups than it can have.
    #[error("number too large")]
    Oversized,
    /// A string that is not UTF-8.
    #[error("text is not UTF-8")]
    Utf8,
}

/// Longest spelling of a varUint: 64 bits in groups of 7.
const GROUPS_MAX: usize = 10;

/// Reads from the front of a slice; never beyond it.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Reads `bytes` from their start.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// Bytes not yet read.
    pub fn remaining(&self) -> usize {
        self.rest.len()
    }

    /// Whether everything is read.
    pub fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// One byte.
    pub fn byte(&mut self) -> Result<u8, ReadError> {
        let (&first, rest) = self.rest.split_first().ok_or(ReadError::Truncated)?;
        self.rest = rest;
        Ok(first)
    }

    /// The next `count` bytes.
    pub fn take(&mut self, count: usize) -> Result<&'a [u8], ReadError> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or(ReadError::Truncated)?;
        self.rest = rest;
        Ok(taken)
    }

    /// A number of up to 64 bits.
    pub fn var_uint(&mut self) -> Result<u64, ReadError> {
        let mut number = 0;
        for group in 0..GROUPS_MAX {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            // The last group has room for one bit.
            if group == GROUPS_MAX - 1 && bits > 1 {
                return Err(ReadError::Oversized);
            }
            number |= bits << (7 * group);
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err(ReadError::Oversized)
    }

    /// A number of up to 32 bits.
    pub fn var_u32(&mut self) -> Result<u32, ReadError> {
        u32::try_from(self.var_uint()?).map_err(|_| ReadError::Oversized)
    }

    /// A length and that many bytes.
    pub fn var_bytes(&mut self) -> Result<&'a [u8], ReadError> {
        let count = self.var_uint()?;
        // A length that does not fit is longer than what is there.
        self.take(usize::try_from(count).map_err(|_| ReadError::Truncated)?)
    }

    /// A length and that many bytes of UTF-8.
    pub fn var_string(&mut self) -> Result<&'a str, ReadError> {
        std::str::from_utf8(self.var_bytes()?).map_err(|_| ReadError::Utf8)
    }
}

/// Writes to the end of a vector.
#[derive(Clone, Debug, Default)]
pub struct Writer {
    bytes: Vec<u8>,
}

impl Writer {
    /// Nothing written yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Nothing written yet, and room for so many bytes.
    pub fn with_capacity(bytes: usize) -> Self {
        Self { bytes: Vec::with_capacity(bytes) }
    }

    /// One byte.
    pub fn byte(&mut self, byte: u8) -> &mut Self {
        self.bytes.push(byte);
        self
    }

    /// A number.
    pub fn var_uint(&mut self, mut number: u64) -> &mut Self {
        while number >= 0x80 {
            self.bytes.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.byte(number as u8)
    }

    /// A length and the bytes.
    pub fn var_bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.var_uint(bytes.len() as u64);
        self.bytes.extend_from_slice(bytes);
        self
    }

    /// A length and the UTF-8 bytes.
    pub fn var_string(&mut self, text: &str) -> &mut Self {
        self.var_bytes(text.as_bytes())
    }

    /// Bytes that are one of these spellings already, or several.
    pub fn raw(&mut self, bytes: &[u8]) -> &mut Self {
        self.bytes.extend_from_slice(bytes);
        self
    }

    /// What was written so far.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// What was written.
    pub fn into_bytes(self) -> Vec<u8> {
        self.bytes
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_are_little_endian_groups_of_seven_bits() {
        let mut writer = Writer::new();
        writer.var_uint(0).var_uint(127).var_uint(128).var_uint(300).var_uint(u64::MAX);
        let bytes = writer.into_bytes();
        assert_eq!(bytes[..6], [0, 127, 0x80, 1, 0xac, 2]);
        let mut reader = Reader::new(&bytes);
        for expected in [0, 127, 128, 300, u64::MAX] {
            assert_eq!(reader.var_uint(), Ok(expected));
        }
        assert!(reader.is_empty());
    }

    #[test]
    fn oversized_and_truncated_numbers_are_refused() {
        assert_eq!(Reader::new(&[0x80]).var_uint(), Err(ReadError::Truncated));
        assert_eq!(Reader::new(&[0xff; 40]).var_uint(), Err(ReadError::Oversized));
        let sixty_five_bits = [0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 2];
        assert_eq!(Reader::new(&sixty_five_bits).var_uint(), Err(ReadError::Oversized));
        assert_eq!(Reader::new(&[0x80, 0x80, 0x80, 0x80, 0x10]).var_u32(), Err(ReadError::Oversized));
    }

    #[test]
    fn lengths_are_bounded_by_what_is_there() {
        assert_eq!(Reader::new(&[2, 1]).var_bytes(), Err(ReadError::Truncated));
        let mut huge = Writer::new();
        huge.var_uint(u64::MAX);
        assert_eq!(Reader::new(&huge.into_bytes()).var_bytes(), Err(ReadError::Truncated));
        assert_eq!(Reader::new(&[2, 0xc3, 0x28]).var_string(), Err(ReadError::Utf8));
    }

    proptest! {
        #[test]
        fn everything_written_is_read_back(number: u64, bytes: Vec<u8>, text: String) {
            let mut writer = Writer::new();
            writer.var_uint(number).var_bytes(&bytes).var_string(&text);
            let written = writer.into_bytes();
            let mut reader = Reader::new(&written);
            prop_assert_eq!(reader.var_uint(), Ok(number));
            prop_assert_eq!(reader.var_bytes(), Ok(bytes.as_slice()));
            prop_assert_eq!(reader.var_string(), Ok(text.as_str()));
            prop_assert!(reader.is_empty());
        }
    }
}
