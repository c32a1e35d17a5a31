// SPDX-License-Identifier: MIT OR Apache-2.0
// run: rustc --test test-harness-errors.rs
// run: rustc --crate-type lib test-harness-errors.rs
// status: 1 0
#[cfg(test)]
mod tests {
    #[test]
    fn takes_an_argument(x: u8) {}

    #[test]
    #[should_panic(expected)]
    fn wrong() -> u8 {
        1
    }

    #[bench]
    fn b() {}
}
