//! The precompiled character map of a SentencePiece model: rules that rewrite strings, in a double-array trie.
//!
//! Format: a little-endian `u32` with the size of the trie in bytes; the trie, units of 32 bits as darts-clone
//! (<https://github.com/s-yata/darts-clone>) writes them; the replacements, UTF-8, each ended by a NUL. The value of a
//! key in the trie is the offset of its replacement.

/// Rules that replace the longest string that begins a text by another.
#[derive(Debug)]
pub(super) struct CharsMap {
    units: Vec<Unit>,
    replacements: String,
}

/// One unit of the double array.
#[derive(Debug, Clone, Copy)]
struct Unit(u32);

impl Unit {
    /// Bit 31 marks a unit that holds a value, in the bits below.
    fn value(self) -> Option<usize> {
        (self.0 >> 31 == 1).then_some((self.0 & 0x7FFF_FFFF) as usize)
    }

    /// The byte that leads here. A unit with a value has one that no byte equals.
    fn label(self) -> u32 {
        self.0 & 0x8000_00FF
    }

    /// Whether a key ends here.
    fn has_leaf(self) -> bool {
        self.0 >> 8 & 1 == 1
    }

    /// What to combine with the position, by exclusive or, to find the children.
    fn offset(self) -> usize {
        ((self.0 >> 10) << ((self.0 & 0x200) >> 6)) as usize
    }
}

impl CharsMap {
    /// Reads and checks the map; the error says what is wrong.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, &'static str> {
        let (size, rest) = bytes.split_first_chunk::<4>().ok_or("its character map is cut short")?;
        let size = u32::from_le_bytes(*size) as usize;
        let (trie, replacements) = rest.split_at_checked(size).ok_or("its character map is cut short")?;
        let (units, odd) = trie.as_chunks::<4>();
        if !odd.is_empty() || units.is_empty() {
            return Err("the trie of its character map has a broken size");
        }
        let units: Vec<Unit> = units.iter().map(|unit| Unit(u32::from_le_bytes(*unit))).collect();
        let replacements =
            std::str::from_utf8(replacements).map_err(|_| "the replacements of its character map are not UTF-8")?;
        if units.iter().filter_map(|unit| unit.value()).any(|at| !replacements.is_char_boundary(at)) {
            return Err("its character map points outside its replacements");
        }
        Ok(Self { units, replacements: replacements.to_owned() })
    }

    /// The longest key with which `text` begins: its length in bytes, and its replacement.
    pub(super) fn longest_match(&self, text: &[u8]) -> Option<(usize, &str)> {
        let mut longest = None;
        let mut position = self.units.first()?.offset();
        for (i, byte) in text.iter().enumerate() {
            position ^= usize::from(*byte);
            let Some(unit) = self.units.get(position).filter(|unit| unit.label() == u32::from(*byte)) else { break };
            position ^= unit.offset();
            if unit.has_leaf() {
                longest = self.units.get(position).and_then(|leaf| leaf.value()).map(|at| (i + 1, at)).or(longest);
            }
        }
        let (length, at) = longest?;
        Some((length, self.replacements.get(at..)?.split('\0').next()?))
    }
}
