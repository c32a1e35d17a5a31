// SPDX-License-Identifier: MIT OR Apache-2.0
// run: rustc --test test-harness.rs
// run: ./test-harness --list
// run: rustc --test --emit metadata --cfg feature=\"extra\" --check-cfg 'cfg(feature, values("extra"))' test-harness.rs
pub fn add(a: u32, b: u32) -> u32 {
    a + b
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adds() {
        assert_eq!(add(1, 2), 3);
    }

    #[test]
    #[should_panic(expected = "overflow")]
    fn overflows() {
        add(u32::MAX, 1);
    }

    #[test]
    #[ignore = "slow"]
    fn slow() -> Result<(), String> {
        Ok(())
    }

    #[cfg(feature = "extra")]
    #[test]
    fn extra() {}
}
