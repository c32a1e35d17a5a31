// SPDX-License-Identifier: MIT OR Apache-2.0
pub fn deep(x: &str) -> String {
    x.len()
}
