// SPDX-License-Identifier: MIT OR Apache-2.0
struct S;

fn main() -> Result<S, String> {
    Ok(S)
}
