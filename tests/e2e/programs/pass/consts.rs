// SPDX-License-Identifier: MIT OR Apache-2.0
// run: rustc consts.rs
// run: ./consts
const fn fib(n: u32) -> u64 {
    if n < 2 { n as u64 } else { fib(n - 1) + fib(n - 2) }
}

const fn sieve<const N: usize>() -> [bool; N] {
    let mut s = [true; N];
    let mut i = 2;
    while i < N {
        let mut j = i * i;
        while j < N {
            s[j] = false;
            j += i;
        }
        i += 1;
    }
    s
}

const fn hash(s: &str) -> u64 {
    let b = s.as_bytes();
    let mut h = 0xcbf29ce484222325;
    let mut i = 0;
    while i < b.len() {
        h = (h ^ b[i] as u64).wrapping_mul(0x100000001b3);
        i += 1;
    }
    h
}

const F: u64 = fib(20);
static PRIMES: [bool; 500] = sieve();
const TABLE: [u64; 4] = [hash("a"), hash("b"), hash("long text"), F];
const NESTED: [[u8; { fib(6) as usize }]; { TABLE.len() }] = [[7; fib(6) as usize]; 4];
static REF: &[&str] = &["x", concat!("a", 1, true)];

struct Lookup<const A: usize, const B: char>;
impl<const A: usize, const B: char> Lookup<A, B> {
    const SUM: usize = A + B as usize;
}

fn main() {
    println!("{} {}", F, PRIMES.iter().filter(|p| **p).count());
    println!("{:?} {} {:?} {}", TABLE, NESTED.len(), REF, Lookup::<3, 'x'>::SUM);
    const { assert!(F == 6765) };
}
