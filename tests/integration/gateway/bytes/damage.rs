//! Bodies that were something once. No expectations are here.

use std::fs;
use std::path::Path;

use rand::RngExt;
use rand::rngs::StdRng;

/// What is put in place of other bytes: what JSON is made of, and values that are at an edge.
const PARTS: [&[u8]; 20] = [
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b"\"",
    b"\\",
    b"\\u0000",
    b"\\ud800",
    b"null",
    b"-1e999",
    b"9223372036854775808",
    b"0001-01-01T00:00:00Z",
    b"9999-12-31T23:59:59.999999999Z",
    b"resolved",
    b"\xff",
    b"\xef\xbb\xbf",
    "ü".as_bytes(),
    b"../..",
];

/// Damages bodies.
pub(super) struct Damage {
    random: StdRng,
}

/// The bodies of a folder of `fuzz/seeds`, in the order of their names.
pub(super) fn seeds(folder: &str) -> Vec<Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fuzz/seeds")
        .join(folder);
    let mut paths: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    paths.sort();
    assert!(!paths.is_empty());
    paths.iter().map(|path| fs::read(path).unwrap()).collect()
}

impl Damage {
    pub(super) fn new(random: StdRng) -> Self {
        Self { random }
    }

    /// One of these, damaged in one to four places.
    pub(super) fn of(&mut self, bodies: &[Vec<u8>]) -> Vec<u8> {
        let mut body = bodies[self.below(bodies.len())].clone();
        for _ in 0..=self.below(4) {
            let start = self.below(body.len() + 1);
            let end = (start + self.below(12)).min(body.len());
            match self.below(6) {
                0 => {
                    body.drain(start..end);
                }
                1 => {
                    let piece = body[start..end].to_vec();
                    let at = self.below(body.len() + 1);
                    body.splice(at..at, piece);
                }
                2 if start < body.len() => body[start] ^= 1 << self.below(8),
                3 => {
                    let letter = b'a' + u8::try_from(self.below(26)).unwrap();
                    body.splice(start..start, [letter]);
                }
                4 => {
                    let at = self.below(body.len() + 1);
                    let length = 1 + self.below(3000);
                    body.splice(at..at, vec![b'['; length]);
                }
                _ => {
                    let part = PARTS[self.below(PARTS.len())];
                    body.splice(start..end, part.iter().copied());
                }
            }
        }
        body
    }

    fn below(&mut self, end: usize) -> usize {
        self.random.random_range(0..end)
    }
}
