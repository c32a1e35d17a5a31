// SPDX-License-Identifier: MIT OR Apache-2.0
// run: rustc -C opt-level=3 iterators.rs
// run: ./iterators
fn main() {
    let n = (1..200u64)
        .filter(|x| x % 3 == 0)
        .map(|x| x * x)
        .scan(0, |s, x| {
            *s += x;
            Some(*s)
        })
        .take_while(|&x| x < 1_000_000)
        .step_by(2)
        .zip((0..).skip(3))
        .flat_map(|(a, b)| [a, b, a ^ b])
        .chain(std::iter::once(7))
        .enumerate()
        .filter_map(|(i, x)| (i % 2 == 0).then_some(x))
        .peekable()
        .fold(0u64, |a, x| a.wrapping_mul(31).wrapping_add(x));
    let words: Vec<_> = "the quick brown fox".split_whitespace().map(|w| w.chars().rev().collect::<String>()).collect();
    let (short, long): (Vec<_>, Vec<_>) = words.iter().partition(|w| w.len() < 5);
    println!("{n} {words:?} {short:?} {long:?}");
    println!("{:?}", words.windows(2).map(|w| w[0].cmp(&w[1])).max());
}
