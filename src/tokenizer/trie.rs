//! A set of byte strings, for finding those with which a text begins.

/// Marks a node where no key ends.
const NO_VALUE: u32 = u32::MAX;

/// Keys with a number each, laid out breadth first so that the children of a node lie side by side.
#[derive(Debug)]
pub(super) struct Trie {
    nodes: Vec<Node>,
    /// The byte that leads to each node; sorted within the children of a node.
    labels: Vec<u8>,
}

#[derive(Debug)]
struct Node {
    first_child: u32,
    children: u16,
    value: u32,
}

impl Trie {
    /// Builds from keys that differ from each other and are not empty, each with its value below `u32::MAX`.
    pub(super) fn new<'a>(keys: impl IntoIterator<Item = (&'a str, u32)>) -> Self {
        let mut keys: Vec<(&[u8], u32)> = keys.into_iter().map(|(key, value)| (key.as_bytes(), value)).collect();
        keys.sort_unstable();
        let mut trie = Self { nodes: Vec::new(), labels: vec![0] };
        // The keys under each node yet to be made, in the order of the nodes, and how many of their bytes lead there.
        let mut pending = std::collections::VecDeque::from([(keys.as_slice(), 0)]);
        while let Some((mut keys, depth)) = pending.pop_front() {
            let mut node = Node { first_child: trie.labels.len() as u32, children: 0, value: NO_VALUE };
            // Of keys with a common beginning the shortest sorts first.
            if let Some(((key, value), rest)) = keys.split_first()
                && key.len() == depth
            {
                node.value = *value;
                keys = rest;
            }
            for group in keys.chunk_by(|a, b| a.0.get(depth) == b.0.get(depth)) {
                trie.labels.extend(group.first().and_then(|(key, _)| key.get(depth)));
                node.children += 1;
                pending.push_back((group, depth + 1));
            }
            trie.nodes.push(node);
        }
        trie
    }

    /// Keys with which `text` begins, shortest first, as (length in bytes, value).
    pub(super) fn prefixes(&self, text: &[u8]) -> impl Iterator<Item = (usize, u32)> {
        let mut node = self.nodes.first();
        text.iter()
            .enumerate()
            .map_while(move |(i, byte)| {
                node = node.and_then(|node| self.child(node, *byte));
                node.map(|node| (i + 1, node.value))
            })
            .filter(|(_, value)| *value != NO_VALUE)
    }

    /// The value of a key.
    pub(super) fn get(&self, key: &[u8]) -> Option<u32> {
        self.prefixes(key).last().filter(|(length, _)| *length == key.len()).map(|(_, value)| value)
    }

    fn child(&self, node: &Node, byte: u8) -> Option<&Node> {
        let first = node.first_child as usize;
        let labels = self.labels.get(first..first + node.children as usize)?;
        self.nodes.get(first + labels.binary_search(&byte).ok()?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_every_key_that_begins_the_text() {
        let trie = Trie::new([("ab", 1), ("a", 0), ("abcd", 2), ("b", 3), ("ما", 4)]);
        assert_eq!(trie.prefixes(b"abcx").collect::<Vec<_>>(), [(1, 0), (2, 1)]);
        assert_eq!(trie.prefixes(b"abcd").collect::<Vec<_>>(), [(1, 0), (2, 1), (4, 2)]);
        assert_eq!((trie.get(b"abcd"), trie.get(b"abc"), trie.get(b"")), (Some(2), None, None));
        assert_eq!(trie.prefixes("مال".as_bytes()).collect::<Vec<_>>(), [(4, 4)]);
        assert_eq!(trie.prefixes(b"x").count() + trie.prefixes(b"").count(), 0);
        assert_eq!(Trie::new([]).prefixes(b"a").count(), 0);
    }
}
