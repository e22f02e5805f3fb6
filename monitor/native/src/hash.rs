//! The hash of callers and calls in panes, as `monitor.core.calls.repeats` has it: `BLAKE2b` (RFC 7693) of 8 bytes.

const SIZE: u64 = 8;
const BLOCK: usize = 128;

const START: [u64; 8] = [
    0x6a09_e667_f3bc_c908,
    0xbb67_ae85_84ca_a73b,
    0x3c6e_f372_fe94_f82b,
    0xa54f_f53a_5f1d_36f1,
    0x510e_527f_ade6_82d1,
    0x9b05_688c_2b3e_6c1f,
    0x1f83_d9ab_fb41_bd6b,
    0x5be0_cd19_137e_2179,
];

const ORDER: [[usize; 16]; 10] = [
    [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
    [14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3],
    [11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4],
    [7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8],
    [9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13],
    [2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9],
    [12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11],
    [13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10],
    [6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5],
    [10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0],
];

/// The words that each of the eight mixings of a round works on.
const MIXED: [[usize; 4]; 8] = [
    [0, 4, 8, 12],
    [1, 5, 9, 13],
    [2, 6, 10, 14],
    [3, 7, 11, 15],
    [0, 5, 10, 15],
    [1, 6, 11, 12],
    [2, 7, 8, 13],
    [3, 4, 9, 14],
];

/// Return the hash of a text, 16 hexadecimal digits.
pub fn hash(text: &[u8]) -> [u8; 16] {
    let mut state = START;
    state[0] ^= 0x0101_0000 ^ SIZE;
    let blocks = text.len().div_ceil(BLOCK).max(1);
    for number in 0..blocks {
        let rest = &text[number * BLOCK..];
        let taken = &rest[..rest.len().min(BLOCK)];
        let mut block = [0; BLOCK];
        block[..taken.len()].copy_from_slice(taken);
        compress(&mut state, &block, (number * BLOCK + taken.len()) as u64, number + 1 == blocks);
    }
    let mut digits = [0; 16];
    for (place, byte) in state[0].to_le_bytes().iter().enumerate() {
        digits[2 * place] = digit(byte >> 4);
        digits[2 * place + 1] = digit(byte & 15);
    }
    digits
}

fn digit(value: u8) -> u8 {
    if value < 10 { b'0' + value } else { b'a' + value - 10 }
}

fn compress(state: &mut [u64; 8], block: &[u8; BLOCK], count: u64, is_last: bool) {
    let mut words = [0; 16];
    for (word, bytes) in words.iter_mut().zip(block.chunks_exact(8)) {
        *word = bytes.iter().rev().fold(0, |sum, byte| sum << 8 | u64::from(*byte));
    }
    let mut mixed = [0; 16];
    mixed[..8].copy_from_slice(state);
    mixed[8..].copy_from_slice(&START);
    mixed[12] ^= count;
    if is_last {
        mixed[14] = !mixed[14];
    }
    for round in 0..12 {
        let order = &ORDER[round % 10];
        for (number, [a, b, c, d]) in MIXED.iter().copied().enumerate() {
            mixed[a] = mixed[a].wrapping_add(mixed[b]).wrapping_add(words[order[2 * number]]);
            mixed[d] = (mixed[d] ^ mixed[a]).rotate_right(32);
            mixed[c] = mixed[c].wrapping_add(mixed[d]);
            mixed[b] = (mixed[b] ^ mixed[c]).rotate_right(24);
            mixed[a] = mixed[a].wrapping_add(mixed[b]).wrapping_add(words[order[2 * number + 1]]);
            mixed[d] = (mixed[d] ^ mixed[a]).rotate_right(16);
            mixed[c] = mixed[c].wrapping_add(mixed[d]);
            mixed[b] = (mixed[b] ^ mixed[c]).rotate_right(63);
        }
    }
    for place in 0..8 {
        state[place] ^= mixed[place] ^ mixed[place + 8];
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_those_of_python() {
        // hashlib.blake2b(text, digest_size=8).hexdigest()
        let golden: [(Vec<u8>, &str); 5] = [
            (b"".to_vec(), "e4a6a0577479b2b4"),
            (b"caller-0001\x1flogin".to_vec(), "4c53f6f2594aa86c"),
            (vec![b'x'; 128], "901ce374e8e12402"),
            (vec![b'x'; 129], "18de14b9d8eea5a3"),
            ((0..=255).chain(0..=255).collect(), "e4ac345f5aeb2a0e"),
        ];
        for (text, expected) in golden {
            assert_eq!(hash(&text), expected.as_bytes(), "{text:?}");
        }
    }
}
